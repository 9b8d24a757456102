package blueprints

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/zclconf/go-cty/cty"
)

// TestSchemaAcceptsWhatInputsAccept holds the schema of every input against the
// input itself: values at and beyond its bounds, its words and others, texts of
// all kinds, and lists and maps of them.
func TestSchemaAcceptsWhatInputsAccept(t *testing.T) {
	t.Parallel()
	catalog, diags := NewCatalog(Folder{Name: "blueprints", FS: Builtin()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	accepted, refused := 0, 0
	for _, def := range everyDefinition(t, catalog) {
		for _, in := range def.Inputs {
			if in.Type.IsRef() {
				continue // a path stands for a component
			}
			s := compiled(t, in.schema())
			for _, v := range tries(in) {
				out, diags := in.accept(v, hcl.StaticExpr(v, in.Decl))
				err := s.Validate(decoded(t, asJSON(v)))
				if (err == nil) == diags.HasErrors() {
					t.Errorf("%s of %s: %#v: the input says %v, its schema %v", in.Name, def.ID, v, diags, err)
				}
				if diags.HasErrors() {
					refused++
					continue
				}
				accepted++
				if err := s.Validate(decoded(t, asJSON(out))); err != nil {
					t.Errorf("%s of %s: %#v as it is accepted: %v", in.Name, def.ID, out, err)
				}
			}
		}
	}
	if accepted < 1000 || refused < 1000 {
		t.Errorf("%d values were accepted and %d refused, which tests little", accepted, refused)
	}
}

func everyDefinition(t *testing.T, c *Catalog) []*Definition {
	t.Helper()
	var all []*Definition
	var add func(*Definition)
	add = func(def *Definition) {
		all = append(all, def)
		for _, b := range def.Blocks {
			add(b.Definition)
		}
	}
	for folder, get := range map[string]func(string) (*Definition, hcl.Diagnostics){"components": c.Component, "patterns": c.Pattern, "targets": c.Target} {
		for _, id := range c.Names(folder) {
			def, diags := get(id)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			add(def)
		}
	}
	return all
}

// tries are values to hold an input and its schema against.
func tries(in *Input) []cty.Value {
	one := []cty.Value{
		cty.NumberIntVal(0), cty.NumberIntVal(-1), cty.NumberIntVal(50), cty.NumberIntVal(101), cty.MustParseNumberVal("0.5"), cty.True,
		cty.StringVal(""), cty.StringVal("a"), cty.StringVal("web-1"), cty.StringVal("shop.example.com"), cty.StringVal("/path/*"), cty.StringVal("é \" x\n"),
		cty.StringVal("10.0.0.0/16"), cty.StringVal("select 1"), cty.StringVal("oncall@example.com"), cty.StringVal(strings.Repeat("a", 300)),
	}
	for _, end := range in.Range {
		if end.IsNull() {
			continue
		}
		step := cty.MustParseNumberVal("0.001")
		if end.GreaterThan(cty.NumberIntVal(1000)).True() {
			step = cty.NumberIntVal(1) // numbers of JSON have no more digits
		}
		one = append(one, end, end.Add(step), end.Subtract(step))
	}
	one = append(one, in.OneOf...)
	all := append([]cty.Value{cty.NullVal(cty.DynamicPseudoType), cty.EmptyTupleVal, cty.EmptyObjectVal}, one...)
	for _, v := range one {
		all = append(all, cty.TupleVal([]cty.Value{v}), cty.ObjectVal(map[string]cty.Value{"a": v}))
	}
	all = append(all, cty.TupleVal([]cty.Value{cty.StringVal("a"), cty.StringVal("a")}), cty.TupleVal([]cty.Value{cty.NullVal(cty.String)}))
	// The language takes one kind of value for another where it reads as that;
	// a schema is for those who write the kind that is meant.
	var out []cty.Value
	for _, v := range all {
		if !converted(in.Type, v) {
			out = append(out, v)
		}
	}
	return out
}

// converted reports whether a text is taken as a number or bool, or the other
// way round.
func converted(t *Type, v cty.Value) bool {
	if v.IsNull() || t.plain == cty.DynamicPseudoType {
		return false
	}
	if v.CanIterateElements() {
		for _, e := range v.AsValueSlice() {
			if inner := t.element(); inner.plain != cty.DynamicPseudoType && converted(inner, e) {
				return true
			} else if t.plain != cty.NilType && t.plain.IsCollectionType() && converted(&Type{plain: t.plain.ElementType()}, e) {
				return true
			}
		}
		return false
	}
	return t.plain != cty.NilType && t.plain.IsPrimitiveType() && v.Type() != t.plain
}

func decoded(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compiled(t *testing.T, s schema) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("input.json", decoded(t, s)); err != nil {
		t.Fatal(err)
	}
	out, err := c.Compile("input.json")
	if err != nil {
		t.Fatalf("%v\n%v", err, s)
	}
	return out
}

// TestSchemaPatterns holds that an expression that JavaScript reads differently
// is left out.
func TestSchemaPatterns(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		`[a-z](?:-[a-z0-9]+)*\.\*`: true, `\d{1,3}/\w+`: true, `a|b\-c`: true,
		`(?i)a`: false, `(?P<x>a)`: false, `[[:alpha:]]`: false, `\pL+`: false, `\Aa\z`: false, `\Qa.b\E`: false, `a\_b`: false,
	} {
		if got := everywhere(pattern); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
		if _, err := regexp.Compile(pattern); err != nil {
			t.Errorf("%s is none of Go's: %v", pattern, err)
		}
	}
	in := &Input{Name: "x", Type: &Type{plain: cty.String, Name: "string"}, Matches: wholly(`(?i)a`)}
	if got := fmt.Sprint(in.schema()); got != "map[type:string]" {
		t.Error(got)
	}
}
