package check

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// anything is a parameter that takes every value.
func anything(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true}
}

// removed is a function of old versions, for which Terraform has a hint.
func removed(name, instead string) function.Function {
	further := anything("vals")
	return function.New(&function.Spec{
		VarParam: &further,
		Type: func([]cty.Value) (cty.Type, error) {
			return cty.DynamicPseudoType, fmt.Errorf("the %q function was deprecated in Terraform v0.12 and is no longer available; use %s syntax to write a literal", name, instead)
		},
		Impl: unknownResult,
	})
}

// sameTypeFunction only changes how a value is shown.
var sameTypeFunction = function.New(&function.Spec{
	Params: []function.Parameter{anything("value")},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return args[0], nil },
})

// ephemeralAsNullFunction takes the mark away, and with it the value.
var ephemeralAsNullFunction = function.New(&function.Spec{
	Params: []function.Parameter{{
		Name: "value", Type: cty.DynamicPseudoType,
		AllowUnknown: true, AllowDynamicType: true, AllowNull: true, AllowMarked: true,
	}},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		value, marks := args[0].UnmarkDeep()
		if _, ok := marks[ephemeralMark{}]; ok {
			return cty.UnknownVal(value.Type()), nil
		}
		return args[0], nil
	},
})

// lengthFunction counts characters as well as elements.
var lengthFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		typ := args[0].Type()
		if typ == cty.String || typ.IsTupleType() || typ.IsObjectType() || typ.IsCollectionType() || typ == cty.DynamicPseudoType {
			return cty.Number, nil
		}
		return cty.Number, function.NewArgErrorf(0, "argument must be a string, a collection type, or a structural type")
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch typ := args[0].Type(); {
		case typ.IsObjectType():
			return cty.NumberIntVal(int64(len(typ.AttributeTypes()))), nil
		case typ.IsTupleType():
			return cty.NumberIntVal(int64(len(typ.TupleElementTypes()))), nil
		case typ == cty.String:
			return stdlib.Strlen(args[0])
		case typ == cty.DynamicPseudoType:
			return cty.UnknownVal(cty.Number), nil
		default:
			return args[0].Length(), nil
		}
	},
})

// lookupFunction reads a map or object, with or without a default.
var lookupFunction = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "inputMap", Type: cty.DynamicPseudoType, AllowDynamicType: true},
		{Name: "key", Type: cty.String},
	},
	VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		if len(args) > 3 {
			return cty.DynamicPseudoType, fmt.Errorf("lookup() takes two or three arguments, got %d", len(args))
		}
		typ := args[0].Type()
		switch {
		case typ == cty.DynamicPseudoType, typ.IsObjectType():
			return cty.DynamicPseudoType, nil
		case !typ.IsMapType():
			return cty.DynamicPseudoType, function.NewArgErrorf(0, "lookup() requires a map as the first argument")
		case len(args) == 3:
			if _, err := convert.Convert(args[2], typ.ElementType()); err != nil {
				return cty.DynamicPseudoType, function.NewArgErrorf(2, "the default value must have the same type as the map elements")
			}
		}
		return typ.ElementType(), nil
	},
	Impl: func(args []cty.Value, typ cty.Type) (cty.Value, error) {
		table, key := args[0], args[1].AsString()
		switch {
		case table.Type().IsObjectType() && table.Type().HasAttribute(key):
			return convert.Convert(table.GetAttr(key), typ)
		case table.Type().IsMapType() && table.HasIndex(args[1]).True():
			return table.Index(args[1]), nil
		case len(args) == 3:
			return convert.Convert(args[2], typ)
		default:
			return cty.UnknownVal(typ), fmt.Errorf("lookup failed to find key %q", key)
		}
	},
})

// coalesceFunction takes the first that is neither null nor an empty string.
var coalesceFunction = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "vals", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		types := make([]cty.Type, len(args))
		for i, value := range args {
			types[i] = value.Type()
		}
		typ, _ := convert.UnifyUnsafe(types)
		if len(args) == 0 || typ == cty.NilType {
			return cty.DynamicPseudoType, fmt.Errorf("all arguments must have the same type, and there must be at least one")
		}
		return typ, nil
	},
	Impl: func(args []cty.Value, typ cty.Type) (cty.Value, error) {
		for _, value := range args {
			value, err := convert.Convert(value, typ)
			if err != nil {
				return cty.UnknownVal(typ), err
			}
			if !value.IsKnown() {
				return cty.UnknownVal(typ), nil
			}
			if text, ok := asString(value); value.IsNull() || ok && text == "" {
				continue
			}
			return value, nil
		}
		return cty.UnknownVal(typ), fmt.Errorf("no non-null, non-empty-string arguments")
	},
})

var indexFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if typ := args[0].Type(); !typ.IsListType() && !typ.IsTupleType() {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "argument must be a list or tuple")
		}
		for i, element := range args[0].AsValueSlice() {
			equal, err := stdlib.Equal(element, args[1])
			if err != nil {
				return cty.UnknownVal(cty.Number), err
			}
			if !equal.IsKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			if equal.True() {
				return cty.NumberIntVal(int64(i)), nil
			}
		}
		return cty.UnknownVal(cty.Number), fmt.Errorf("item not found")
	},
})

var matchKeysFunction = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "values", Type: cty.List(cty.DynamicPseudoType)},
		{Name: "keys", Type: cty.List(cty.DynamicPseudoType)},
		{Name: "searchset", Type: cty.List(cty.DynamicPseudoType)},
	},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: unknownResult,
})

// oneFunction turns a list of at most one element into that element or null.
var oneFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		typ := args[0].Type()
		switch {
		case typ.IsListType(), typ.IsSetType():
			return typ.ElementType(), nil
		case typ.IsTupleType() && typ.Length() == 0:
			return cty.DynamicPseudoType, nil
		case typ.IsTupleType() && typ.Length() == 1:
			return typ.TupleElementType(0), nil
		case typ.IsTupleType():
			return cty.DynamicPseudoType, function.NewArgErrorf(0, "must be a list, set, or tuple value with either zero or one elements")
		default:
			return cty.DynamicPseudoType, function.NewArgErrorf(0, "must be a list, set, or tuple value")
		}
	},
	Impl: func(args []cty.Value, typ cty.Type) (cty.Value, error) {
		elements := args[0].AsValueSlice()
		switch len(elements) {
		case 0:
			return cty.NullVal(typ), nil
		case 1:
			return elements[0], nil
		default:
			return cty.UnknownVal(typ), function.NewArgErrorf(0, "must be a list, set, or tuple value with either zero or one elements")
		}
	},
})

var sumFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		typ := args[0].Type()
		if !typ.IsListType() && !typ.IsSetType() && !typ.IsTupleType() {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "argument must be list, set, or tuple. Received %s", typ.FriendlyName())
		}
		if args[0].LengthInt() == 0 {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "cannot sum an empty list")
		}
		total := cty.Zero
		for _, element := range args[0].AsValueSlice() {
			number, err := convert.Convert(element, cty.Number)
			if err != nil || number.IsNull() {
				return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "argument must be list, set, or tuple of number values")
			}
			total = total.Add(number)
		}
		return total, nil
	},
})
