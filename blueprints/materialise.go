package blueprints

import (
	"github.com/zclconf/go-cty/cty"
)

// identity is the attribute of a materialised instance that holds the instance.
// No definition can use the name, for it is no identifier.
const identity = "(instance)"

// materialise replaces the instances in the site's value by objects that hold
// what was demanded of them.
func (s *site) materialise() cty.Value {
	switch {
	case s == nil:
		return cty.DynamicVal
	case s.plain:
		return s.val
	}
	return materialise(s.val, s.demand)
}

func materialise(v cty.Value, want demand) cty.Value {
	if inst := instanceOf(v); inst != nil {
		return inst.object(want)
	}
	if !hasRefs(v) {
		return v
	}
	return rebuild(v, func(e cty.Value) cty.Value { return materialise(e, want) })
}

func (i *Instance) object(want demand) cty.Value {
	attrs := map[string]cty.Value{identity: i.Ref()}
	for name, inner := range want {
		if a := i.attrs[name]; a != nil && !a.refs {
			attrs[name] = a.Value()
		} else if a != nil {
			attrs[name] = materialise(a.Value(), inner)
		}
	}
	return cty.ObjectVal(attrs)
}

// restore turns the objects of materialise back into instances.
func restore(v cty.Value) cty.Value {
	if v.IsNull() || !v.IsKnown() || !holdsIdentity(v.Type()) {
		return v
	}
	if v.Type().IsObjectType() && v.Type().HasAttribute(identity) {
		return v.GetAttr(identity)
	}
	return rebuild(v, restore)
}

func holdsIdentity(t cty.Type) bool {
	switch {
	case t.IsObjectType():
		if t.HasAttribute(identity) {
			return true
		}
		for _, at := range t.AttributeTypes() {
			if holdsIdentity(at) {
				return true
			}
		}
	case t.IsTupleType():
		for _, et := range t.TupleElementTypes() {
			if holdsIdentity(et) {
				return true
			}
		}
	case t.IsCollectionType():
		return holdsIdentity(t.ElementType())
	}
	return false
}

func hasRefs(v cty.Value) bool {
	return v != cty.NilVal && v.IsKnown() && typeHasRefs(v.Type())
}

func typeHasRefs(t cty.Type) bool {
	switch {
	case t == refType:
		return true
	case t.IsObjectType():
		for _, at := range t.AttributeTypes() {
			if typeHasRefs(at) {
				return true
			}
		}
	case t.IsTupleType():
		for _, et := range t.TupleElementTypes() {
			if typeHasRefs(et) {
				return true
			}
		}
	case t.IsCollectionType():
		return typeHasRefs(t.ElementType())
	}
	return false
}

// rebuild applies f to the elements of a collection. Lists become tuples and
// maps objects, for the results may differ in type.
func rebuild(v cty.Value, f func(cty.Value) cty.Value) cty.Value {
	if v.IsNull() {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	if v.Type().IsObjectType() || v.Type().IsMapType() {
		out := map[string]cty.Value{}
		for it := v.ElementIterator(); it.Next(); {
			key, e := it.Element()
			out[key.AsString()] = f(e)
		}
		return cty.ObjectVal(out)
	}
	var out []cty.Value
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, f(e))
	}
	return cty.TupleVal(out)
}
