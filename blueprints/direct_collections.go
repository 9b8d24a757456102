package blueprints

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Lists, objects and what goes through them, evaluated directly.

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
