package examples_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"go.yaml.in/yaml/v3"

	"scaffold/blueprints/value"
	"scaffold/render"
)

// things are what a root brings into being: by address, what else each is known
// by, from testdata/identity.tsv.
type things map[string]map[string]string

// identity is a row of testdata/identity.tsv.
type identity struct{ kind, path string }

func identities(t *testing.T) []identity {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "identity.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []identity
	for line := range strings.Lines(string(data)) {
		kind, path, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if ok && kind != "type" && !strings.HasPrefix(line, "#") {
			out = append(out, identity{kind, path})
		}
	}
	return out
}

func thingsOf(t *testing.T, result *render.Result) things {
	t.Helper()
	out := things{}
	list := identities(t)
	addResources(t, out, result, list)
	for _, name := range fileNames(result) {
		if strings.HasSuffix(name, ".yaml") {
			addManifests(t, out, result.Files[name], list)
		}
	}
	return out
}

// addResources adds the resources of a Terraform root, each key of a for_each
// by itself.
func addResources(t *testing.T, out things, result *render.Result, list []identity) {
	t.Helper()
	root := blocksOf(t, result)
	scope := newScope(root)
	for _, address := range slices.Sorted(maps.Keys(root)) {
		for _, block := range root[address] {
			if block.Type != "resource" {
				continue
			}
			if _, ok := block.Body.Attributes["count"]; ok {
				t.Errorf("%s is counted; named things go by for_each", address)
			}
			for key, each := range scope.instances(block) {
				known := map[string]string{}
				for _, id := range list {
					if matches(id.kind, block.Labels[0]) {
						for n, text := range scope.at(block.Body, strings.Split(id.path, "."), block, each) {
							known[fmt.Sprintf("%s %d", id.path, n)] = text
						}
					}
				}
				out[address+key] = known
			}
		}
	}
}

// scope evaluates what is known of a Terraform root before anything is applied.
type scope struct{ *hcl.EvalContext }

func newScope(root blocks) *scope {
	s := &scope{&hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: value.Functions()}}
	for _, name := range []string{"data", "var", "path", "ephemeral", "terraform", "module"} {
		s.Variables[name] = cty.DynamicVal
	}
	locals := map[string]cty.Value{}
	kinds := map[string]map[string]cty.Value{}
	set := func() {
		s.Variables["local"] = cty.ObjectVal(locals)
		for kind, named := range kinds {
			s.Variables[kind] = cty.ObjectVal(named)
		}
	}
	for range 6 { // as deep as values of a root need one another
		for _, found := range root {
			for _, block := range found {
				switch block.Type {
				case "locals":
					for name, attr := range block.Body.Attributes {
						locals[name] = s.value(attr.Expr, nil)
					}
				case "resource":
					if kinds[block.Labels[0]] == nil {
						kinds[block.Labels[0]] = map[string]cty.Value{}
					}
					kinds[block.Labels[0]][block.Labels[1]] = s.resource(block)
				}
			}
		}
		set()
	}
	return s
}

// resource is an object by key for what has a for_each that is known.
func (s *scope) resource(block *parsedBlock) cty.Value {
	if block.Body.Attributes["for_each"] == nil {
		return cty.DynamicVal
	}
	object := map[string]cty.Value{}
	for key, each := range s.instances(block) {
		if each == nil {
			return cty.DynamicVal
		}
		object[strings.Trim(key, `[]"`)] = cty.DynamicVal
	}
	return cty.ObjectVal(object)
}

// instances are the keys of a for_each, with each.key and each.value; a single
// empty one where there is none.
func (s *scope) instances(block *parsedBlock) map[string]map[string]cty.Value {
	attr := block.Body.Attributes["for_each"]
	if attr == nil {
		return map[string]map[string]cty.Value{"": nil}
	}
	v := s.value(attr.Expr, nil)
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return map[string]map[string]cty.Value{"[" + squeeze(string(attr.Expr.Range().SliceBytes(block.file.Data))) + "]": nil}
	}
	out := map[string]map[string]cty.Value{}
	for it := v.ElementIterator(); it.Next(); {
		key, element := it.Element()
		if v.Type().IsSetType() {
			key = element
		}
		if !key.IsKnown() {
			continue
		}
		out[fmt.Sprintf("[%q]", key.AsString())] = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": element})}
	}
	return out
}

func (s *scope) value(expr hcl.Expression, each map[string]cty.Value) cty.Value {
	ctx := s.EvalContext
	if each != nil {
		ctx = ctx.NewChild()
		ctx.Variables = each
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal
	}
	return v
}

// at gives what stands at a path: the value where it is known, else the text.
func (s *scope) at(body *hclsyntax.Body, words []string, in *parsedBlock, each map[string]cty.Value) []string {
	var out []string
	if attr := body.Attributes[words[0]]; attr != nil && len(words) == 1 {
		text := squeeze(string(attr.Expr.Range().SliceBytes(in.file.Data)))
		if v := s.value(attr.Expr, each); v.IsWhollyKnown() && v.Type() != cty.DynamicPseudoType {
			if known, err := ctyjson.Marshal(v, v.Type()); err == nil {
				text = string(known)
			}
		}
		return []string{text}
	}
	for _, block := range body.Blocks {
		if block.Type == words[0] && len(words) > 1 {
			out = append(out, s.at(block.Body, words[1:], in, each)...)
		}
	}
	return out
}

// contentHash ends the names of what is made anew with every content.
var contentHash = regexp.MustCompile(`-[0-9a-f]{8}$`)

// addManifests adds the objects of a file with manifests.
func addManifests(t *testing.T, out things, f *render.File, list []identity) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader(f.Data))
	for {
		var object map[string]any
		err := d.Decode(&object)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		kind, _ := object["kind"].(string)
		metadata, _ := object["metadata"].(map[string]any)
		if kind == "" || metadata == nil {
			continue
		}
		known := map[string]string{}
		for _, id := range list {
			if matches(id.kind, kind) {
				if v := valueAt(object, strings.Split(id.path, ".")); v != nil {
					text, err := yaml.Marshal(v)
					if err != nil {
						t.Fatal(err)
					}
					known[id.path] = string(text)
				}
			}
		}
		name := fmt.Sprint(metadata["name"])
		if kind == "ConfigMap" {
			name = contentHash.ReplaceAllString(name, "")
		}
		out[fmt.Sprintf("%s/%v/%s", kind, metadata["namespace"], name)] = known
	}
}

func valueAt(object any, words []string) any {
	for _, w := range words {
		m, ok := object.(map[string]any)
		if !ok {
			return nil
		}
		object = m[w]
	}
	return object
}
