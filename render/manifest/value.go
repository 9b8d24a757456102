package manifest

import (
	"math"
	"math/big"
	"sort"
	"strconv"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// value evaluates an expression if all of it is known. Otherwise each name
// that is not is reported where it stands.
func (w *walker) value(expr hclsyntax.Expression, s fold.Scope) (cty.Value, bool) {
	if s.Static(expr) {
		return w.known(expr, s)
	}
	if unknown := notKnown(expr, s); len(unknown) > 0 {
		w.diags = append(w.diags, unknown...)
		return cty.NilVal, false
	}
	return w.known(expr, s)
}

func (w *walker) known(expr hclsyntax.Expression, s fold.Scope) (cty.Value, bool) {
	v, diags := s.Evaluator.Value(expr, s.Locals)
	w.diags = append(w.diags, diags...)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	if v == cty.NilVal || v.ContainsMarked() || !v.IsWhollyKnown() {
		w.fail(expr.Range(), "Value not known", "Manifests have no expressions, and the value of this one is not known when rendering.")
		return cty.NilVal, false
	}
	return v, true
}

// notKnown returns a diagnostic for each reference and function call of expr
// that cannot be evaluated when rendering.
func notKnown(expr hclsyntax.Expression, s fold.Scope) hcl.Diagnostics {
	var diags hcl.Diagnostics
	report := func(at hcl.Range, detail string) {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Value not known",
			Detail:  "Manifests have no expressions, so everything in them must be known when rendering: " + detail,
			Subject: at.Ptr(), Context: expr.Range().Ptr(),
		})
	}
	for _, ref := range hclsyntax.Variables(expr) {
		if root := ref.RootName(); !knows(root, s) {
			report(ref.SourceRange(), root+" is not a name that the blueprint defines.")
		}
	}
	diags = append(diags, hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && !s.Evaluator.Pure(call.Name) {
			report(call.NameRange, call.Name+" is not one of the functions that can be used there.")
		}
		return nil
	})...)
	return diags
}

func knows(root string, s fold.Scope) bool {
	if _, local := s.Locals[root]; local {
		return true
	}
	return !s.Shadowed[root] && s.Evaluator.Knows(root)
}

// computed evaluates an expression and makes a tree of its value.
func (w *walker) computed(expr hclsyntax.Expression, s fold.Scope) *yaml.Node {
	v, ok := w.value(expr, s)
	if !ok {
		return yaml.NewNull()
	}
	return w.tree(v, yaml.Source{Range: expr.Range(), Expr: expr, Locals: s.Locals})
}

// tree makes nodes of a value. All of them have the source of the whole.
func (w *walker) tree(v cty.Value, source yaml.Source) *yaml.Node {
	var n *yaml.Node
	switch t := v.Type(); {
	case v.IsNull():
		n = yaml.NewNull()
	case t == cty.String:
		w.utf8(v.AsString(), source.Expr)
		n = yaml.NewString(v.AsString())
	case t == cty.Bool:
		n = yaml.NewBool(v.True())
	case t == cty.Number:
		n = w.number(v.AsBigFloat(), source.Expr)
	case t.IsMapType() || t.IsObjectType():
		n = w.mapping(v.AsValueMap(), source)
	case v.CanIterateElements():
		n = w.sequence(v, source)
	default:
		w.fail(source.Expr.Range(), "Component in a manifest",
			"A component as a whole cannot be written. Name one of its inputs, or its name.")
		n = yaml.NewNull()
	}
	n.Source = source
	return n
}

// first are the keys that people look for first, in that order. Others follow
// in the order of the alphabet.
var first = map[string]int{
	"apiVersion": 1, "kind": 2, "metadata": 3, "name": 4, "namespace": 5,
	"labels": 6, "annotations": 7, "spec": 8,
}

func (w *walker) mapping(values map[string]cty.Value, source yaml.Source) *yaml.Node {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := rank(keys[i]), rank(keys[j])
		return a < b || a == b && keys[i] < keys[j]
	})
	n := yaml.NewMapping()
	for _, key := range keys {
		w.utf8(key, source.Expr)
		n.Entries = append(n.Entries, yaml.Entry{Key: key, Value: w.tree(values[key], source)})
	}
	return n
}

func rank(key string) int {
	if r, ok := first[key]; ok {
		return r
	}
	return len(first) + 1
}

func (w *walker) sequence(v cty.Value, source yaml.Source) *yaml.Node {
	n := yaml.NewSequence()
	n.Flow = onOneLine(source.Range)
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		n.Items = append(n.Items, w.tree(element, source))
	}
	return n
}

// number writes plain decimals. A reader has 64 bits for a fraction, so one
// that needs more digits is rounded to what the reader would make of it.
func (w *walker) number(f *big.Float, expr hclsyntax.Expression) *yaml.Node {
	const bits = 256 // far more than any reader takes
	if f.IsInf() || f.MantExp(nil) > bits {
		w.fail(expr.Range(), "Number out of range", "The result is too large for a manifest.")
		return yaml.NewNull()
	}
	if f.Sign() == 0 {
		return yaml.NewNumber("0") // and never "-0"
	}
	if f.IsInt() {
		return yaml.NewNumber(f.Text('f', 0))
	}
	rounded, _ := f.Float64()
	if math.Abs(rounded) < 1e-18 {
		w.fail(expr.Range(), "Number out of range", "The result is too close to zero for a manifest; round it.")
		return yaml.NewNull()
	}
	return yaml.NewNumber(strconv.FormatFloat(rounded, 'f', -1, 64))
}

// utf8 refuses text that YAML cannot hold.
func (w *walker) utf8(text string, expr hclsyntax.Expression) bool {
	if utf8.ValidString(text) {
		return true
	}
	w.fail(expr.Range(), "Text is not UTF-8", "A manifest is text. Encode binary data, for example with base64encode.")
	return false
}
