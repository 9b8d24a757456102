package blueprints

import (
	"reflect"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// HCL gives both branches of a conditional one type before it looks at the
// condition. Components become objects that hold what is asked of them, so the
// branches of `cond ? [component] : others` may differ in type though any
// reader sees two lists of components. Where that fails, the expression is
// evaluated again with the branches that the walker saw chosen in place of
// their conditionals.

// choice is the branches of a conditional that were chosen on the way: in a
// loop both may be.
type choice struct{ yes, no bool }

// decided gives the expression without the conditionals that have one outcome,
// nil if there is none.
func (w *walker) decided(expr hclsyntax.Expression) hclsyntax.Expression {
	p := &pruner{choices: w.choices}
	out := p.expression(expr)
	if !p.changed {
		return nil
	}
	return out
}

type pruner struct {
	choices map[*hclsyntax.ConditionalExpr]choice
	changed bool
}

var expressionType = reflect.TypeFor[hclsyntax.Expression]()

func (p *pruner) expression(expr hclsyntax.Expression) hclsyntax.Expression {
	switch e := expr.(type) {
	case *hclsyntax.AnonSymbolExpr: // known to its splat by its address
		return e
	case *hclsyntax.ConditionalExpr:
		switch p.choices[e] {
		case choice{yes: true}:
			p.changed = true
			return p.expression(e.TrueResult)
		case choice{no: true}:
			p.changed = true
			return p.expression(e.FalseResult)
		}
	}
	v := reflect.ValueOf(expr)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return expr
	}
	changed := p.changed
	p.changed = false
	next := reflect.New(v.Elem().Type())
	next.Elem().Set(v.Elem())
	p.fields(next.Elem())
	if !p.changed {
		p.changed = changed
		return expr
	}
	return next.Interface().(hclsyntax.Expression)
}

// fields prunes the expressions in a struct that is a copy already.
func (p *pruner) fields(s reflect.Value) {
	for i := range s.NumField() {
		f := s.Field(i)
		switch {
		case !f.CanSet():
		case f.Type() == expressionType && !f.IsNil():
			f.Set(reflect.ValueOf(p.expression(f.Interface().(hclsyntax.Expression))))
		case f.Kind() == reflect.Slice && f.Type().Elem() == expressionType:
			f.Set(reflect.AppendSlice(reflect.MakeSlice(f.Type(), 0, f.Len()), f))
			for n := range f.Len() {
				f.Index(n).Set(reflect.ValueOf(p.expression(f.Index(n).Interface().(hclsyntax.Expression))))
			}
		case f.Type() == reflect.TypeFor[[]hclsyntax.ObjectConsItem]():
			f.Set(reflect.AppendSlice(reflect.MakeSlice(f.Type(), 0, f.Len()), f))
			for n := range f.Len() {
				p.fields(f.Index(n))
			}
		}
	}
}
