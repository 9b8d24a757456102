package value

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// own are the functions that Terraform does not have. They are documented in
// docs/language.md.
var own = map[string]function.Function{
	"duration":  number1(FormatDuration),
	"fit":       fit,
	"gib":       divideBy(1 << 30),
	"hash":      hashText,
	"mib":       divideBy(1 << 20),
	"quantity":  number1(FormatQuantity),
	"seconds":   seconds,
	"shell":     text1(ShellWord),
	"shortname": shortName,
	"span":      number1(FormatSpan),
}

func number1(f func(cty.Value) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("number", cty.Number)},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0])
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(s), nil
		},
	})
}

func divideBy(unit int64) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("bytes", cty.Number)},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return args[0].Divide(cty.NumberIntVal(unit)), nil
		},
	})
}

// seconds reads a duration's text, and leaves a number alone.
var seconds = function.New(&function.Spec{
	Params: []function.Parameter{param("duration", cty.DynamicPseudoType)},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].Type() == cty.String {
			return ParseDuration(args[0].AsString())
		}
		return convert.Convert(args[0], cty.Number)
	},
})

// fit gives the first row of a table whose named columns are all at least the
// given values, so a table sorted by price gives the cheapest that is enough.
var fit = function.New(&function.Spec{
	Params: []function.Parameter{param("rows", cty.DynamicPseudoType), param("least", cty.DynamicPseudoType)},
	Type:   function.StaticReturnType(cty.DynamicPseudoType),
	Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return Fit(args[0], args[1]) },
})

// Fit gives the first of the rows whose columns that least names are at least
// that. It fails if no row does.
func Fit(rows, least cty.Value) (cty.Value, error) {
	if err := iterable(rows); err != nil {
		return cty.NilVal, err
	}
	if !least.Type().IsObjectType() && !least.Type().IsMapType() {
		return cty.NilVal, function.NewArgErrorf(1, "an object of column names and least values is needed")
	}
	wanted := least.AsValueMap()
	for it := rows.ElementIterator(); it.Next(); {
		_, row := it.Element()
		ok, err := rowFits(row, wanted)
		if err != nil {
			return cty.NilVal, err
		}
		if ok {
			return row, nil
		}
	}
	return cty.NilVal, fmt.Errorf("no row of the table has at least %s", describe(wanted))
}

func rowFits(row cty.Value, least map[string]cty.Value) (bool, error) {
	for column, want := range least {
		if row.IsNull() || !row.IsKnown() || !row.Type().IsObjectType() || !row.Type().HasAttribute(column) {
			return false, fmt.Errorf("the table has no column %q", column)
		}
		got := row.GetAttr(column)
		switch {
		case want.IsNull():
			continue
		case !got.IsKnown() || !want.IsKnown():
			return false, fmt.Errorf("the column %q is not known yet", column)
		}
		if want.Type() == cty.Number && got.Type() == cty.Number {
			if got.LessThan(want).True() {
				return false, nil
			}
			continue
		}
		if got.IsNull() || !got.Type().Equals(want.Type()) || got.Equals(want).False() {
			return false, nil
		}
	}
	return true, nil
}

func describe(least map[string]cty.Value) string {
	var parts []string
	for it := cty.ObjectVal(least).ElementIterator(); it.Next(); {
		column, want := it.Element()
		text, err := convert.Convert(want, cty.String)
		if err == nil && !text.IsNull() {
			parts = append(parts, column.AsString()+" "+text.AsString())
		}
	}
	return strings.Join(parts, ", ")
}

var hashText = function.New(&function.Spec{
	Params: []function.Parameter{param("text", cty.String), param("digits", cty.Number)},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, acc := args[1].AsBigFloat().Int64()
		if acc != big.Exact || n < 1 || n > 64 {
			return cty.NilVal, function.NewArgErrorf(1, "1 to 64 digits can be had")
		}
		return cty.StringVal(hexHash(args[0].AsString(), int(n))), nil
	},
})

func hexHash(s string, digits int) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])[:digits]
}

// hashDigits keeps two cut names apart: with 6 hexadecimal digits a thousand
// names that are cut to one prefix collide with a chance of 3 %.
const hashDigits = 6

var shortName = function.New(&function.Spec{
	Params: []function.Parameter{param("text", cty.String), param("length", cty.Number)},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, acc := args[1].AsBigFloat().Int64()
		if acc != big.Exact || n < hashDigits+2 {
			return cty.NilVal, function.NewArgErrorf(1, "at least %d characters are needed", hashDigits+2)
		}
		s := args[0].AsString()
		if len(s) <= int(n) {
			return args[0], nil
		}
		cut := strings.TrimRight(s[:int(n)-hashDigits-1], "-_")
		return cty.StringVal(cut + "-" + hexHash(s, hashDigits)), nil
	},
})

// ShellWord quotes s so that a POSIX shell reads it as one word with exactly
// these characters. A NUL cannot be in a word and is an error.
func ShellWord(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errors.New("a shell word cannot hold a NUL character")
	}
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-") == "" && s[0] != '-' {
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}
