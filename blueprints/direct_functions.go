package blueprints

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
)

// quick are functions that are called so often that the ceremony of a call is
// worth sparing: cty walks each argument to its leaves, several times, in search
// of marks, and here there are none. Each gives up on whatever is not ordinary.
var quick = map[string]func(args []cty.Value) (cty.Value, bool){
	"alltrue":  func(args []cty.Value) (cty.Value, bool) { return quantified(args, true) },
	"anytrue":  func(args []cty.Value) (cty.Value, bool) { return quantified(args, false) },
	"ceil":     whole,
	"concat":   concatenated,
	"fit":      fitting,
	"floor":    whole,
	"length":   counted,
	"lookup":   lookedUp,
	"max":      func(args []cty.Value) (cty.Value, bool) { return extreme(args, 1) },
	"min":      func(args []cty.Value) (cty.Value, bool) { return extreme(args, -1) },
	"replace":  replaced,
	"tostring": asText,
	"upper":    upperCase,
}

// whole is a number that rounding leaves as it is.
func whole(args []cty.Value) (cty.Value, bool) {
	if !plainNumbers(args) || len(args) != 1 || !args[0].AsBigFloat().IsInt() {
		return cty.NilVal, false
	}
	return args[0], true
}

func plainNumbers(args []cty.Value) bool {
	for _, v := range args {
		if v.Type() != cty.Number || v.IsNull() || !v.IsKnown() {
			return false
		}
	}
	return true
}

func plainTexts(args []cty.Value) bool {
	for _, v := range args {
		if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
			return false
		}
	}
	return true
}

// extreme is the number that compares to all others as sign says.
func extreme(args []cty.Value, sign int) (cty.Value, bool) {
	if !plainNumbers(args) || len(args) == 0 {
		return cty.NilVal, false
	}
	best := args[0]
	for _, v := range args[1:] {
		if v.AsBigFloat().Cmp(best.AsBigFloat()) == sign {
			best = v
		}
	}
	return best, true
}

func lookedUp(args []cty.Value) (cty.Value, bool) {
	if len(args) != 3 || args[0].IsNull() || !args[0].Type().IsObjectType() || !plainTexts(args[1:2]) {
		return cty.NilVal, false
	}
	if name := args[1].AsString(); args[0].Type().HasAttribute(name) {
		v := args[0].GetAttr(name)
		return v, v.IsKnown()
	}
	return cty.NilVal, false
}

// replaced leaves patterns, which stand between slashes, to others.
func replaced(args []cty.Value) (cty.Value, bool) {
	if len(args) != 3 || !plainTexts(args) || strings.HasPrefix(args[1].AsString(), "/") {
		return cty.NilVal, false
	}
	return cty.StringVal(strings.ReplaceAll(args[0].AsString(), args[1].AsString(), args[2].AsString())), true
}

func upperCase(args []cty.Value) (cty.Value, bool) {
	if len(args) != 1 || !plainTexts(args) {
		return cty.NilVal, false
	}
	return cty.StringVal(strings.ToUpper(args[0].AsString())), true
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
