package schema_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"scaffold/providers/schema"
)

func fixture(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/fixture.json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func compress(t *testing.T, data []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestConvertIsReproducible(t *testing.T) {
	t.Parallel()
	data := fixture(t)
	first, err := schema.Convert(data)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := schema.Convert(compress(t, data))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("the same source gave other bytes")
		}
	}
}

// TestLoad reads the same schema in each of its forms.
func TestLoad(t *testing.T) {
	t.Parallel()
	plain := fixture(t)
	converted, err := schema.Convert(plain)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"JSON": plain, "gzip": compress(t, plain), "schema file": converted} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider, err := schema.Load(data)
			if err != nil {
				t.Fatal(err)
			}
			checkFixture(t, provider)
		})
	}
}

func checkFixture(t *testing.T, p *schema.Provider) {
	t.Helper()
	if p.Source() != "registry.terraform.io/example/toy" || p.Name() != "toy" || p.Version() != "" {
		t.Errorf("the provider is %s %s %s", p.Source(), p.Name(), p.Version())
	}
	box, ok := p.Resource("toy_box")
	if !ok || !box.Deprecated {
		t.Fatalf("toy_box is %v, %v", box, ok)
	}
	if box.Attributes["description"] == nil {
		t.Error("an argument named description is missing")
	}
	secret := box.Attributes["secret_wo"]
	if !secret.WriteOnly || !secret.Sensitive || !secret.Optional || secret.Required || secret.ReadOnly() {
		t.Errorf("secret_wo is %+v", secret)
	}
	if name := box.Attributes["name"]; !name.Required || !name.Deprecated || !box.Attributes["id"].ReadOnly() {
		t.Errorf("name is %+v", name)
	}
	left := box.Blocks["left"]
	if left.Nesting != schema.List || left.MinItems != 1 || left.MaxItems != 2 {
		t.Errorf("left is %+v", left)
	}
	if left.Block != box.Blocks["right"].Block {
		t.Error("equal blocks are not shared")
	}
	value := cty.Object(map[string]cty.Type{"value": cty.Number})
	want := cty.Object(map[string]cty.Type{
		"description": cty.String, "id": cty.String, "name": cty.String, "secret_wo": cty.String,
		"settings": cty.List(cty.ObjectWithOptionalAttrs(map[string]cty.Type{"depth": cty.Number, "label": cty.String}, []string{"label"})),
		"left":     cty.List(value), "right": cty.Set(value),
		"only": cty.Object(map[string]cty.Type{"left": cty.Map(value)}),
	})
	if got := box.ImpliedType(); !got.Equals(want) {
		t.Errorf("the implied type is %#v", got)
	}
	fold, ok := p.Function("fold")
	if !ok || fold.Return.GoString() != "cty.List(cty.String)" || !fold.Parameters[0].Null || fold.Variadic.Name != "rest" {
		t.Errorf("fold is %+v", fold)
	}
	if _, ok := p.Ephemeral("toy_key"); !ok {
		t.Error("toy_key is missing")
	}
	if _, ok := p.Resource("toy_key"); ok {
		t.Error("an ephemeral resource was found as a resource")
	}
	if p.ProviderConfig().Attributes["region"] == nil {
		t.Error("the provider's own arguments are missing")
	}
	if diff := cmp.Diff([]string{"toy_box"}, p.ResourceTypes()); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	converted, err := schema.Convert(fixture(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":       {},
		"other JSON":    []byte(`[]`),
		"no provider":   []byte(`{"provider_schemas": {}}`),
		"two providers": []byte(`{"provider_schemas": {"a": {}, "b": {}}}`),
		"null":          []byte(`{"provider_schemas": {"a": null}}`),
		"bad gzip":      {0x1f, 0x8b, 1, 2, 3},
		"cut off":       converted[:len(converted)/3],
		"cut entry":     converted[:len(converted)-5],
	} {
		if _, err := schema.Load(data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestEmbedded reads every entry of the embedded schemas.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	if names := schema.Names(); !slices.Equal(names, []string{"aws", "google"}) {
		t.Errorf("embedded are %v", names)
	}
	for _, name := range schema.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := schema.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if p.Version() == "" || p.Source() != "registry.terraform.io/hashicorp/"+name {
				t.Errorf("the provider is %s %s", p.Source(), p.Version())
			}
			for _, set := range []struct {
				kind  string
				names []string
				find  func(string) (*schema.Block, bool)
			}{
				{"resource", p.ResourceTypes(), p.Resource},
				{"data source", p.DataSources(), p.DataSource},
				{"ephemeral resource", p.EphemeralTypes(), p.Ephemeral},
			} {
				if len(set.names) == 0 {
					t.Errorf("there is no %s", set.kind)
				}
				for _, typ := range set.names {
					block, ok := set.find(typ)
					if !ok {
						t.Fatalf("%s %s can't be read", set.kind, typ)
					}
					if !block.ImpliedType().IsObjectType() {
						t.Errorf("%s %s has no type", set.kind, typ)
					}
				}
			}
			for _, function := range p.Functions() {
				if _, ok := p.Function(function); !ok {
					t.Errorf("function %s can't be read", function)
				}
			}
		})
	}
	if _, err := schema.Open("nope"); err == nil {
		t.Error("a provider that isn't there was opened")
	}
}

func BenchmarkOpen(b *testing.B) {
	data, err := os.ReadFile("data/aws-5.100.0.schema")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := schema.Load(data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkResources reads all of the provider's resource types.
func BenchmarkResources(b *testing.B) {
	data, err := os.ReadFile("data/aws-5.100.0.schema")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		provider, err := schema.Load(data)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range provider.ResourceTypes() {
			if block, ok := provider.Resource(name); !ok || block.ImpliedType() == cty.NilType {
				b.Fatal(name)
			}
		}
	}
}
