package blueprints

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"scaffold/blueprints/value"
)

// direct evaluates an expression in one pass, with instances as they are. It
// does what almost every expression of a blueprint or a pack needs, and gives up
// on everything else: on errors, which the ordinary evaluator describes, and on
// whatever it does not know. Giving up is always safe, for whoever asked then
// walks and evaluates the expression as reach.go describes.
//
// Where both give a value it is the same one; a test holds them together.
type direct struct {
	scope    *Scope
	resolver *resolver
	inputs   []*Attr
	used     map[*Attr]bool // set when inputs gets too long to search

	// closed is set inside the branch of a conditional that was not chosen. Only
	// its type is wanted, so it may look at what was used before and compute
	// nothing.
	closed bool
}

// frame is a loop variable in sight.
type frame struct {
	name  string
	val   cty.Value
	outer *frame
}

func (f *frame) lookup(name string) (cty.Value, bool) {
	for ; f != nil; f = f.outer {
		if f.name == name {
			return f.val, true
		}
	}
	return cty.NilVal, false
}

func frames(locals map[string]cty.Value) *frame {
	var f *frame
	for name, v := range locals {
		f = &frame{name, v, f}
	}
	return f
}

func (d *direct) value(expr hclsyntax.Expression, f *frame) (cty.Value, bool) {
	switch e := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.ScopeTraversalExpr:
		return d.traversal(e.Traversal, f)
	case *hclsyntax.TemplateExpr:
		return d.template(e.Parts, f)
	case *hclsyntax.TemplateWrapExpr:
		return d.value(e.Wrapped, f)
	case *hclsyntax.ParenthesesExpr:
		return d.value(e.Expression, f)
	case *hclsyntax.FunctionCallExpr:
		return d.call(e, f)
	case *hclsyntax.ConditionalExpr:
		return d.conditional(e, f)
	case *hclsyntax.BinaryOpExpr:
		return d.binary(e, f)
	case *hclsyntax.UnaryOpExpr:
		v, ok := d.value(e.Val, f)
		if !ok {
			return v, false
		}
		return apply(e.Op.Impl, v)
	case *hclsyntax.TupleConsExpr:
		return d.tuple(e, f)
	case *hclsyntax.ObjectConsExpr:
		return d.object(e, f)
	case *hclsyntax.ForExpr:
		return d.loop(e, f)
	case *hclsyntax.IndexExpr:
		return d.index(e, f)
	case *hclsyntax.RelativeTraversalExpr:
		v, ok := d.value(e.Source, f)
		if !ok {
			return v, false
		}
		return d.steps(v, e.Traversal)
	case *hclsyntax.SplatExpr:
		return d.splat(e, f)
	case *hclsyntax.AnonSymbolExpr:
		return f.lookup(splatName)
	case *hclsyntax.TemplateJoinExpr:
		v, ok := d.value(e.Tuple, f)
		if !ok || !v.Type().IsTupleType() {
			return v, false
		}
		return joined(v)
	}
	return cty.NilVal, false
}

func (d *direct) traversal(t hcl.Traversal, f *frame) (cty.Value, bool) {
	name := t.RootName()
	v, ok := f.lookup(name)
	if !ok {
		if v, ok = d.scope.root(name); !ok {
			return v, false
		}
	}
	return d.steps(v, t[1:])
}

func (d *direct) steps(v cty.Value, steps hcl.Traversal) (cty.Value, bool) {
	ok := true
	for _, step := range steps {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			continue
		case hcl.TraverseAttr:
			v, ok = d.attr(v, step.Name)
		case hcl.TraverseIndex:
			v, ok = d.key(v, step.Key)
		default:
			return cty.NilVal, false
		}
		if !ok {
			return v, false
		}
	}
	return v, v.IsKnown()
}

func (d *direct) attr(v cty.Value, name string) (cty.Value, bool) {
	if inst := instanceOf(v); inst != nil {
		return d.reach(inst, name)
	}
	if v.IsNull() || !v.IsKnown() {
		return v, false
	}
	if v.Type().IsObjectType() {
		if !v.Type().HasAttribute(name) {
			return v, false
		}
		return v.GetAttr(name), true
	}
	if v.Type().IsMapType() {
		out, diags := hcl.GetAttr(v, name, nil)
		return out, !diags.HasErrors()
	}
	return v, false
}

func (d *direct) key(v, key cty.Value) (cty.Value, bool) {
	if inst := instanceOf(v); inst != nil {
		if key.IsNull() || !key.IsKnown() || key.Type() != cty.String {
			return v, false
		}
		return d.reach(inst, key.AsString())
	}
	if v.IsNull() || !v.IsKnown() || key.IsNull() || !key.IsKnown() {
		return v, false
	}
	out, diags := hcl.Index(v, key, nil)
	return out, !diags.HasErrors()
}

// reach asks an instance for a value. One that is under way would be a circle,
// which the ordinary way reports.
func (d *direct) reach(inst *Instance, name string) (cty.Value, bool) {
	a := inst.attrs[name]
	switch {
	case a == nil || a.state == running:
		return cty.NilVal, false
	case d.closed && !d.uses(a):
		return cty.NilVal, false
	}
	v := d.resolver.force(a)
	if a.failed {
		return v, false
	}
	if !d.closed {
		d.use(a)
	}
	return v, v.IsKnown()
}

// manyInputs is where searching a list gets slower than asking a map.
const manyInputs = 16

func (d *direct) uses(a *Attr) bool {
	if d.used != nil {
		return d.used[a]
	}
	return slices.Contains(d.inputs, a)
}

func (d *direct) use(a *Attr) {
	if d.uses(a) {
		return
	}
	d.inputs = append(d.inputs, a)
	switch {
	case d.used != nil:
		d.used[a] = true
	case len(d.inputs) > manyInputs:
		d.used = make(map[*Attr]bool, 4*manyInputs)
		for _, in := range d.inputs {
			d.used[in] = true
		}
	}
}

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
	fn, ok := value.Functions()[e.Name]
	if !ok {
		return cty.NilVal, false
	}
	if custom(fn) {
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
	return apply(fn, args...)
}

func custom(fn function.Function) bool {
	for _, p := range fn.Params() {
		if customdecode.CustomExpressionDecoderForType(p.Type) != nil {
			return true
		}
	}
	p := fn.VarParam()
	return p != nil && customdecode.CustomExpressionDecoderForType(p.Type) != nil
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
func apply(fn function.Function, args ...cty.Value) (cty.Value, bool) {
	params, rest := fn.Params(), fn.VarParam()
	if len(args) < len(params) || rest == nil && len(args) > len(params) {
		return cty.NilVal, false
	}
	for i, arg := range args {
		p := rest
		if i < len(params) {
			p = &params[i]
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
	return apply(e.Op.Impl, left, right)
}

// simple computes what needs no conversion, without the ceremony of calling a
// function.
func simple(op *hclsyntax.Operation, left, right cty.Value) (cty.Value, bool) {
	switch op {
	case hclsyntax.OpEqual:
		return left.Equals(right), true
	case hclsyntax.OpNotEqual:
		return left.Equals(right).Not(), true
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
		return left.GreaterThanOrEqualTo(right), true
	case hclsyntax.OpLessThan:
		return left.LessThan(right), true
	case hclsyntax.OpLessThanOrEqual:
		return left.LessThanOrEqualTo(right), true
	}
	return cty.NilVal, false
}

func (d *direct) tuple(e *hclsyntax.TupleConsExpr, f *frame) (cty.Value, bool) {
	items := make([]cty.Value, len(e.Exprs))
	for i, item := range e.Exprs {
		v, ok := d.value(item, f)
		if !ok {
			return v, false
		}
		items[i] = v
	}
	return cty.TupleVal(items), true
}

func (d *direct) object(e *hclsyntax.ObjectConsExpr, f *frame) (cty.Value, bool) {
	items := make(map[string]cty.Value, len(e.Items))
	for _, item := range e.Items {
		name, ok := d.name(item.KeyExpr, f)
		if !ok {
			return cty.NilVal, false
		}
		v, ok := d.value(item.ValueExpr, f)
		if !ok {
			return v, false
		}
		items[name] = v
	}
	return cty.ObjectVal(items), true
}

func (d *direct) name(expr hclsyntax.Expression, f *frame) (string, bool) {
	key, ok := expr.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return "", false
	}
	if !key.ForceNonLiteral {
		if word := hcl.ExprAsKeyword(key.Wrapped); word != "" {
			return word, true
		}
		if _, reference := key.Wrapped.(*hclsyntax.ScopeTraversalExpr); reference {
			return "", false
		}
	}
	v, ok := d.value(key.Wrapped, f)
	if !ok {
		return "", false
	}
	return textual(v)
}

func (d *direct) loop(e *hclsyntax.ForExpr, f *frame) (cty.Value, bool) {
	collection, ok := d.value(e.CollExpr, f)
	if !ok || collection.IsNull() || !collection.IsKnown() || !collection.CanIterateElements() {
		return collection, false
	}
	if e.KeyExpr == nil {
		items := make([]cty.Value, 0, collection.LengthInt())
		ok = d.each(e, collection, f, func(inner *frame) bool {
			v, ok := d.value(e.ValExpr, inner)
			items = append(items, v)
			return ok
		})
		return cty.TupleVal(items), ok
	}
	items, groups := map[string]cty.Value{}, map[string][]cty.Value{}
	ok = d.each(e, collection, f, func(inner *frame) bool {
		key, ok := d.value(e.KeyExpr, inner)
		if !ok {
			return false
		}
		name, ok := textual(key)
		if !ok {
			return false
		}
		v, ok := d.value(e.ValExpr, inner)
		_, twice := items[name]
		groups[name] = append(groups[name], v)
		items[name] = v
		return ok && (e.Group || !twice)
	})
	if e.Group {
		for name, group := range groups {
			items[name] = cty.TupleVal(group)
		}
	}
	return cty.ObjectVal(items), ok
}

// each runs the body of a loop for the elements that its condition lets through.
func (d *direct) each(e *hclsyntax.ForExpr, collection cty.Value, f *frame, body func(*frame) bool) bool {
	for it := collection.ElementIterator(); it.Next(); {
		key, item := it.Element()
		inner := &frame{e.ValVar, item, f}
		if e.KeyVar != "" {
			inner.outer = &frame{e.KeyVar, key, f}
		}
		if e.CondExpr != nil {
			yes, ok := d.truth(e.CondExpr, inner)
			if !ok {
				return false
			}
			if !yes {
				continue
			}
		}
		if !body(inner) {
			return false
		}
	}
	return true
}

func (d *direct) index(e *hclsyntax.IndexExpr, f *frame) (cty.Value, bool) {
	collection, ok := d.value(e.Collection, f)
	if !ok {
		return collection, false
	}
	key, ok := d.value(e.Key, f)
	if !ok {
		return key, false
	}
	return d.key(collection, key)
}

func (d *direct) splat(e *hclsyntax.SplatExpr, f *frame) (cty.Value, bool) {
	source, ok := d.value(e.Source, f)
	if !ok {
		return source, false
	}
	t := source.Type()
	list := t.IsListType() || t.IsSetType()
	switch {
	case (list || t.IsTupleType()) && source.IsNull():
		return source, false
	case !list && !t.IsTupleType():
		if source.IsNull() {
			return cty.EmptyTupleVal, true
		}
		source = cty.TupleVal([]cty.Value{source})
	}
	items := make([]cty.Value, 0, source.LengthInt())
	for it := source.ElementIterator(); it.Next(); {
		_, item := it.Element()
		v, ok := d.value(e.Each, &frame{splatName, item, f})
		if !ok {
			return v, false
		}
		items = append(items, v)
	}
	if !list || typeHasRefs(t) {
		return cty.TupleVal(items), true
	}
	// A list stays one, if its elements agree.
	if len(items) == 0 {
		return source, false
	}
	for _, item := range items {
		if !item.Type().Equals(items[0].Type()) {
			return item, false
		}
	}
	return cty.ListVal(items), true
}
