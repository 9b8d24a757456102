package blueprints

import (
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
)

// quick are functions that are called so often that the ceremony of a call is
// worth sparing: cty walks each argument to its leaves, several times, in search
// of marks, and here there are none. Each gives up on whatever is not ordinary.
var quick = map[string]func(args []cty.Value) (cty.Value, bool){
	"alltrue":  func(args []cty.Value) (cty.Value, bool) { return quantified(args, true) },
	"anytrue":  func(args []cty.Value) (cty.Value, bool) { return quantified(args, false) },
	"concat":   concatenated,
	"fit":      fitting,
	"length":   counted,
	"tostring": asText,
}

func quantified(args []cty.Value, all bool) (cty.Value, bool) {
	if len(args) != 1 || args[0].IsNull() || !args[0].Type().IsTupleType() {
		return cty.NilVal, false
	}
	out := all
	for it := args[0].ElementIterator(); it.Next(); {
		_, v := it.Element()
		if v.Type() != cty.Bool || v.IsNull() || !v.IsKnown() {
			return cty.NilVal, false
		}
		if v.True() != all {
			out = !all
		}
	}
	return cty.BoolVal(out), true
}

func concatenated(args []cty.Value) (cty.Value, bool) {
	var all []cty.Value
	for _, arg := range args {
		if arg.IsNull() || !arg.Type().IsTupleType() {
			return cty.NilVal, false
		}
		for it := arg.ElementIterator(); it.Next(); {
			_, v := it.Element()
			all = append(all, v)
		}
	}
	return cty.TupleVal(all), len(args) > 0
}

func fitting(args []cty.Value) (cty.Value, bool) {
	if len(args) != 2 || args[0].IsNull() || args[1].IsNull() {
		return cty.NilVal, false
	}
	row, err := value.Fit(args[0], args[1])
	return row, err == nil
}

func counted(args []cty.Value) (cty.Value, bool) {
	if len(args) != 1 || args[0].IsNull() || !args[0].Type().IsTupleType() {
		return cty.NilVal, false
	}
	return cty.NumberIntVal(int64(args[0].Type().Length())), true
}

func asText(args []cty.Value) (cty.Value, bool) {
	if len(args) != 1 || args[0].Type() != cty.Number {
		return cty.NilVal, false
	}
	text, ok := textual(args[0])
	return cty.StringVal(text), ok
}
