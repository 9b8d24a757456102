package value

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var collections = map[string]function.Function{
	"alltrue":   quantifier(true),
	"anytrue":   quantifier(false),
	"coalesce":  coalesce,
	"index":     indexOf,
	"length":    length,
	"matchkeys": matchKeys,
	"one":       one,
	"sum":       sum,
	"tobool":    stdlib.MakeToFunc(cty.Bool),
	"tolist":    stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap":     stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"tonumber":  stdlib.MakeToFunc(cty.Number),
	"toset":     stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	"tostring":  stdlib.MakeToFunc(cty.String),
	"transpose": transpose,
}

func param(name string, t cty.Type) function.Parameter {
	return function.Parameter{Name: name, Type: t}
}

// iterable is an argument that must be a list, set or tuple.
func iterable(v cty.Value) error {
	t := v.Type()
	if t.IsListType() || t.IsSetType() || t.IsTupleType() {
		return nil
	}
	return function.NewArgErrorf(0, "a list is needed, this is %s", t.FriendlyName())
}

func quantifier(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("list", cty.List(cty.Bool))},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, v := range args[0].AsValueSlice() {
				if v.IsNull() || v.True() != all {
					if all || (!v.IsNull() && v.True()) {
						return cty.BoolVal(!all), nil
					}
				}
			}
			return cty.BoolVal(all), nil
		},
	})
}

// coalesce gives the first argument that is neither null nor an empty text, as
// Terraform's does; cty's own takes an empty text.
var coalesce = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		var types []cty.Type
		for _, v := range args {
			types = append(types, v.Type())
		}
		t, _ := convert.UnifyUnsafe(types)
		if t == cty.NilType {
			return cty.NilType, errors.New("all arguments must have the same type")
		}
		return t, nil
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		for _, v := range args {
			v, err := convert.Convert(v, ret)
			if err != nil {
				return cty.NilVal, err
			}
			if !v.IsNull() && !v.RawEquals(cty.StringVal("")) {
				return v, nil
			}
		}
		return cty.NilVal, errors.New("every argument is null or empty")
	},
})

// length counts elements of a collection and characters of a string.
var length = function.New(&function.Spec{
	Params: []function.Parameter{param("value", cty.DynamicPseudoType)},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		switch t := v.Type(); {
		case t == cty.String:
			return stdlib.Strlen(v)
		case t.IsObjectType():
			return cty.NumberIntVal(int64(len(t.AttributeTypes()))), nil
		case v.CanIterateElements():
			return cty.NumberIntVal(int64(v.LengthInt())), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "a string or a collection is needed")
	},
})

var indexOf = function.New(&function.Spec{
	Params: []function.Parameter{param("list", cty.DynamicPseudoType), param("value", cty.DynamicPseudoType)},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if err := iterable(args[0]); err != nil {
			return cty.NilVal, err
		}
		for i, v := range args[0].AsValueSlice() {
			if eq, err := stdlib.Equal(v, args[1]); err == nil && eq.True() {
				return cty.NumberIntVal(int64(i)), nil
			}
		}
		return cty.NilVal, errors.New("the list does not hold the value")
	},
})

var matchKeys = function.New(&function.Spec{
	Params: []function.Parameter{
		param("values", cty.List(cty.DynamicPseudoType)),
		param("keys", cty.List(cty.DynamicPseudoType)),
		param("search", cty.List(cty.DynamicPseudoType)),
	},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		values, keys := args[0].AsValueSlice(), args[1].AsValueSlice()
		if len(values) != len(keys) {
			return cty.NilVal, errors.New("values and keys must have the same length")
		}
		var out []cty.Value
		for i, key := range keys {
			for _, want := range args[2].AsValueSlice() {
				if eq, err := stdlib.Equal(key, want); err == nil && eq.True() {
					out = append(out, values[i])
					break
				}
			}
		}
		if len(out) == 0 {
			return cty.ListValEmpty(ret.ElementType()), nil
		}
		return cty.ListVal(out), nil
	},
})

// one gives the only element of a list, or null for an empty one.
var one = function.New(&function.Spec{
	Params: []function.Parameter{param("list", cty.DynamicPseudoType)},
	Type: func(args []cty.Value) (cty.Type, error) {
		t := args[0].Type()
		switch {
		case t.IsListType() || t.IsSetType():
			return t.ElementType(), nil
		case t.IsTupleType() && len(t.TupleElementTypes()) == 1:
			return t.TupleElementType(0), nil
		case t.IsTupleType() && len(t.TupleElementTypes()) == 0:
			return cty.DynamicPseudoType, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "a list of no more than one element is needed")
	},
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		switch vs := args[0].AsValueSlice(); len(vs) {
		case 0:
			return cty.NullVal(ret), nil
		case 1:
			return vs[0], nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "a list of no more than one element is needed")
	},
})

// sum of an empty list is zero: a blueprint without clients needs no
// connections, which is no mistake.
var sum = function.New(&function.Spec{
	Params: []function.Parameter{param("list", cty.DynamicPseudoType)},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if err := iterable(args[0]); err != nil {
			return cty.NilVal, err
		}
		total := new(big.Float).SetPrec(512)
		for i, v := range args[0].AsValueSlice() {
			n, err := convert.Convert(v, cty.Number)
			if err != nil || n.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "element %d is not a number", i)
			}
			total.Add(total, n.AsBigFloat())
		}
		return cty.NumberVal(total), nil
	},
})

var transpose = function.New(&function.Spec{
	Params: []function.Parameter{param("map", cty.Map(cty.List(cty.String)))},
	Type:   function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, ret cty.Type) (cty.Value, error) {
		lists := map[string][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			key, list := it.Element()
			for _, v := range list.AsValueSlice() {
				if v.IsNull() {
					return cty.NilVal, fmt.Errorf("the list of %q holds a null", key.AsString())
				}
				lists[v.AsString()] = append(lists[v.AsString()], key)
			}
		}
		out := map[string]cty.Value{}
		for name, list := range lists {
			out[name] = cty.ListVal(list)
		}
		if len(out) == 0 {
			return cty.MapValEmpty(ret.ElementType()), nil
		}
		return cty.MapVal(out), nil
	},
})
