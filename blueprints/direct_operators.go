package blueprints

import (
	"math/big"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/blueprints/value"
)

// Templates, functions, conditionals and operators, evaluated directly.

func (d *direct) template(parts []hclsyntax.Expression, f *frame) (cty.Value, bool) {
	var b strings.Builder
	for _, part := range parts {
		v, ok := d.value(part, f)
		if !ok {
			return v, false
		}
		text, ok := textual(v)
		if !ok {
			return v, false
		}
		b.WriteString(text)
	}
	return cty.StringVal(b.String()), true
}

func joined(tuple cty.Value) (cty.Value, bool) {
	var b strings.Builder
	for it := tuple.ElementIterator(); it.Next(); {
		_, v := it.Element()
		text, ok := textual(v)
		if !ok {
			return v, false
		}
		b.WriteString(text)
	}
	return cty.StringVal(b.String()), true
}

func textual(v cty.Value) (string, bool) {
	if v.IsNull() || !v.IsKnown() {
		return "", false
	}
	switch v.Type() {
	case cty.String:
		return v.AsString(), true
	case cty.Number: // the general way is slow for the long mantissas of cty
		if whole, exact := v.AsBigFloat().Int64(); exact == big.Exact {
			return strconv.FormatInt(whole, 10), true
		}
	}
	text, err := convert.Convert(v, cty.String)
	if err != nil {
		return "", false
	}
	return text.AsString(), true
}

// call evaluates a function. The two that look at whether their arguments fail
// are only decided where they do not.
func (d *direct) call(e *hclsyntax.FunctionCallExpr, f *frame) (cty.Value, bool) {
	fn := value.Callables()[e.Name]
	switch {
	case fn == nil:
		return cty.NilVal, false
	case fn.Custom:
		return d.attempt(e, f)
	}
	args := make([]cty.Value, 0, len(e.Args))
	for i, arg := range e.Args {
		v, ok := d.value(arg, f)
		if !ok {
			return v, false
		}
		if !e.ExpandFinal || i < len(e.Args)-1 {
			args = append(args, v)
			continue
		}
		t := v.Type()
		if v.IsNull() || !v.IsKnown() || !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
			return v, false
		}
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			args = append(args, item)
		}
	}
	if short := quick[e.Name]; short != nil {
		if v, ok := short(args); ok {
			return v, true
		}
	}
	return apply(fn, args...)
}

func (d *direct) attempt(e *hclsyntax.FunctionCallExpr, f *frame) (cty.Value, bool) {
	if len(e.Args) == 0 || e.ExpandFinal {
		return cty.NilVal, false
	}
	v, ok := d.value(e.Args[0], f)
	switch {
	case !ok:
		return v, false
	case e.Name == "try":
		return v, true
	case e.Name == "can" && len(e.Args) == 1:
		return cty.True, true
	}
	return v, false
}

// apply calls a function with arguments that are brought to its types.
func apply(fn *value.Callable, args ...cty.Value) (cty.Value, bool) {
	if len(args) < len(fn.Params) || fn.Rest == nil && len(args) > len(fn.Params) {
		return cty.NilVal, false
	}
	for i, arg := range args {
		p := fn.Rest
		if i < len(fn.Params) {
			p = &fn.Params[i]
		}
		if p.Type == cty.DynamicPseudoType || p.Type.Equals(arg.Type()) {
			continue
		}
		v, err := convert.Convert(arg, p.Type)
		if err != nil {
			return v, false
		}
		args[i] = v
	}
	v, err := fn.Call(args)
	if err != nil || !v.IsKnown() || v.IsMarked() {
		return v, false
	}
	return v, true
}

func (d *direct) conditional(e *hclsyntax.ConditionalExpr, f *frame) (cty.Value, bool) {
	cond, ok := d.truth(e.Condition, f)
	if !ok {
		return cty.NilVal, false
	}
	yes, no := e.TrueResult, e.FalseResult
	if !cond {
		yes, no = no, yes
	}
	v, ok := d.value(yes, f)
	if !ok {
		return v, false
	}
	closed := d.closed
	d.closed = true
	other, known := d.value(no, f)
	d.closed = closed
	if !known {
		return v, true
	}
	return unified(v, other)
}

// unified brings the chosen branch of a conditional to the type that both
// branches have in common, as HCL does.
func unified(v, other cty.Value) (cty.Value, bool) {
	a, b := v.Type(), other.Type()
	if a.Equals(b) || a == cty.DynamicPseudoType || b == cty.DynamicPseudoType {
		if a == cty.DynamicPseudoType && v.IsNull() {
			return cty.NullVal(b), true
		}
		return v, true
	}
	if typeHasRefs(a) || typeHasRefs(b) {
		return v, true
	}
	common, convs := convert.UnifyUnsafe([]cty.Type{a, b})
	if common == cty.NilType {
		return v, false
	}
	if convs[0] == nil {
		return v, true
	}
	out, err := convs[0](v)
	return out, err == nil
}

func (d *direct) truth(e hclsyntax.Expression, f *frame) (yes, ok bool) {
	v, ok := d.value(e, f)
	if !ok || v.IsNull() || !v.IsKnown() {
		return false, false
	}
	if v.Type() != cty.Bool {
		var err error
		if v, err = convert.Convert(v, cty.Bool); err != nil {
			return false, false
		}
	}
	return v.True(), true
}

func (d *direct) binary(e *hclsyntax.BinaryOpExpr, f *frame) (cty.Value, bool) {
	left, ok := d.value(e.LHS, f)
	if !ok {
		return left, false
	}
	and, or := e.Op == hclsyntax.OpLogicalAnd, e.Op == hclsyntax.OpLogicalOr
	if (and || or) && left.Type() == cty.Bool && !left.IsNull() && left.True() == or {
		return left, true
	}
	right, ok := d.value(e.RHS, f)
	if !ok {
		return right, false
	}
	if v, ok := simple(e.Op, left, right); ok {
		return v, true
	}
	return apply(operators()[e.Op], left, right)
}

// operators are those of HCL, as the functions that they are.
var operators = sync.OnceValue(func() map[*hclsyntax.Operation]*value.Callable {
	all := map[*hclsyntax.Operation]*value.Callable{}
	for _, op := range []*hclsyntax.Operation{
		hclsyntax.OpLogicalOr, hclsyntax.OpLogicalAnd, hclsyntax.OpLogicalNot, hclsyntax.OpEqual, hclsyntax.OpNotEqual,
		hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual, hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual,
		hclsyntax.OpAdd, hclsyntax.OpSubtract, hclsyntax.OpMultiply, hclsyntax.OpDivide, hclsyntax.OpModulo, hclsyntax.OpNegate,
	} {
		all[op] = value.NewCallable(op.Impl)
	}
	return all
})

// simple computes what needs no conversion, without the ceremony of calling a
// function.
func simple(op *hclsyntax.Operation, left, right cty.Value) (cty.Value, bool) {
	switch op {
	case hclsyntax.OpEqual:
		return equal(left, right), true
	case hclsyntax.OpNotEqual:
		return equal(left, right).Not(), true
	}
	if left.IsNull() || right.IsNull() || !left.Type().Equals(right.Type()) {
		return cty.NilVal, false
	}
	switch {
	case left.Type() == cty.Bool && op == hclsyntax.OpLogicalAnd:
		return left.And(right), true
	case left.Type() == cty.Bool && op == hclsyntax.OpLogicalOr:
		return left.Or(right), true
	case left.Type() != cty.Number || left.AsBigFloat().IsInf() || right.AsBigFloat().IsInf():
		return cty.NilVal, false
	}
	switch op {
	case hclsyntax.OpAdd:
		return left.Add(right), true
	case hclsyntax.OpSubtract:
		return left.Subtract(right), true
	case hclsyntax.OpMultiply:
		return left.Multiply(right), true
	case hclsyntax.OpGreaterThan:
		return left.GreaterThan(right), true
	case hclsyntax.OpGreaterThanOrEqual:
		return left.GreaterThan(right).Or(equal(left, right)), true
	case hclsyntax.OpLessThan:
		return left.LessThan(right), true
	case hclsyntax.OpLessThanOrEqual:
		return left.LessThan(right).Or(equal(left, right)), true
	}
	return cty.NilVal, false
}

// equal is Equals, which writes out both numbers in decimal. That takes long
// for a fraction like 99.95, and only matters for numbers that are as good as
// the same.
func equal(left, right cty.Value) cty.Value {
	if left.Type() != cty.Number || right.Type() != cty.Number || left.IsNull() || right.IsNull() {
		return left.Equals(right)
	}
	a, b := left.AsBigFloat(), right.AsBigFloat()
	if a.Cmp(b) == 0 {
		return cty.True
	}
	nearA, _ := a.Float64()
	nearB, _ := b.Float64()
	if nearA != nearB {
		return cty.False
	}
	return left.Equals(right)
}
