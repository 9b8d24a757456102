package fold

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

const (
	lineWidth   = 100 // columns that a line of output should fit in
	objectWidth = 60  // columns that an object on one line should fit in
	objectKeys  = 3   // keys that an object on one line should have at most
	longNumber  = 40  // digits beyond which a number is a mistake
	longDecimal = 25  // characters beyond which a fraction is rounded to what a computer's number holds
)

// Literal writes a value as HCL: one line if it is short, indented by the
// formatter otherwise. It refuses values that HCL has no literal for.
func Literal(v cty.Value) (string, error) {
	return layout{width: lineWidth}.at(v, onLine)
}

// layout is how a literal is written.
type layout struct {
	width   int
	oneLine bool
}

// at writes a value for a place. Beside an operator a negative number has
// parentheses, before a dot every number; a set keeps its type where an
// operator or an index would see it.
func (l layout) at(v cty.Value, p place) (string, error) {
	if p == inserted {
		l.oneLine = true
	}
	text, err := l.value(v)
	if err != nil {
		return "", err
	}
	number := !v.IsNull() && v.Type() == cty.Number
	switch {
	case p == base && number, p == operand && strings.HasPrefix(text, "-"):
		return "(" + text + ")", nil
	case (p == base || p == operand) && !v.IsNull() && v.Type().IsSetType():
		return "toset(" + text + ")", nil
	}
	return text, nil
}

func (l layout) value(v cty.Value) (string, error) {
	short, err := inline(v)
	if err != nil || l.oneLine || v.IsNull() || !v.CanIterateElements() || l.fits(v, short) {
		return short, err
	}
	return l.lines(v)
}

// fits reports whether a collection is readable on one line.
func (l layout) fits(v cty.Value, short string) bool {
	if v.LengthInt() == 0 {
		return true
	}
	if keyed(v) {
		return v.LengthInt() <= objectKeys && len(short) <= min(l.width, objectWidth) && flat(v)
	}
	return len(short) <= l.width && !hasLong(v)
}

// flat reports whether a collection has no collections in it.
func flat(v cty.Value) bool {
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); !e.IsNull() && e.CanIterateElements() {
			return false
		}
	}
	return true
}

// hasLong reports whether a list has an object in it that needs several lines,
// or several objects.
func hasLong(v cty.Value) bool {
	objects := 0
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() || !e.CanIterateElements() {
			continue
		}
		if keyed(e) {
			objects++
		}
		short, err := inline(e)
		if err != nil || objects > 1 || !(layout{width: lineWidth}).fits(e, short) {
			return true
		}
	}
	return false
}

// lines writes a collection with a line for each element.
func (l layout) lines(v cty.Value) (string, error) {
	l.width = max(l.width-2, lineWidth/2)
	var b strings.Builder
	opening, closing, end := "[", "]", ","
	if keyed(v) {
		opening, closing, end = "{", "}", ""
	}
	b.WriteString(opening + "\n")
	apart := l.anyLong(v)
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		if keyed(v) {
			name, err := keyText(key.AsString())
			if err != nil {
				return "", err
			}
			b.WriteString(name + " = ")
		}
		write := l.value
		if apart && object(e) {
			write = l.lines
		}
		text, err := write(e)
		if err != nil {
			return "", err
		}
		b.WriteString(text + end + "\n")
	}
	b.WriteString(closing)
	return b.String(), nil
}

// anyLong reports whether an object in a collection does not fit on one line: its
// like are then written over several lines as well.
func (l layout) anyLong(v cty.Value) bool {
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); object(e) {
			if short, err := inline(e); err == nil && !l.fits(e, short) {
				return true
			}
		}
	}
	return false
}

// object reports whether a value is an object with something in it.
func object(v cty.Value) bool {
	return !v.IsNull() && v.IsKnown() && v.CanIterateElements() && keyed(v) && v.LengthInt() > 0
}

// inline writes a value on one line.
func inline(v cty.Value) (string, error) {
	switch {
	case v.IsMarked():
		return "", errors.New("it is secret")
	case !v.IsKnown():
		return "", errors.New("it is not known yet")
	case v.IsNull():
		return "null", nil
	case v.Type() == cty.String:
		return quote(v.AsString())
	case v.Type() == cty.Number:
		return number(v.AsBigFloat())
	case v.Type() == cty.Bool:
		return fmt.Sprint(v.True()), nil
	case v.CanIterateElements():
		return inlineElements(v)
	default:
		return "", fmt.Errorf("it is %s", describe(v))
	}
}

func inlineElements(v cty.Value) (string, error) {
	var parts []string
	for it := v.ElementIterator(); it.Next(); {
		key, e := it.Element()
		text, err := inline(e)
		if err != nil {
			return "", fmt.Errorf("in a part of it, %w", err)
		}
		if keyed(v) {
			name, err := keyText(key.AsString())
			if err != nil {
				return "", err
			}
			text = name + " = " + text
		}
		parts = append(parts, text)
	}
	switch {
	case keyed(v) && len(parts) == 0:
		return "{}", nil
	case keyed(v):
		return "{ " + strings.Join(parts, ", ") + " }", nil
	default:
		return "[" + strings.Join(parts, ", ") + "]", nil
	}
}

// keyed reports whether a collection is written with braces.
func keyed(v cty.Value) bool {
	return v.Type().IsMapType() || v.Type().IsObjectType()
}

// number writes a number in plain decimals. HCL has no infinity, and a number
// of hundreds of digits is a mistake of the pack. A fraction that does not end
// is rounded to what a computer's number holds.
func number(f *big.Float) (string, error) {
	if f.IsInf() {
		return "", errors.New("it is infinite, a division by zero perhaps")
	}
	if exp := f.MantExp(nil); exp > 1000 || exp < -1000 {
		return "", errors.New("it is a number too large or too small")
	}
	if small, exact := f.Int64(); exact == big.Exact {
		return strconv.FormatInt(small, 10), nil // most numbers, and far cheaper
	}
	text := f.Text('f', -1)
	if len(text) > longDecimal && !f.IsInt() {
		rounded, _ := f.Float64()
		if math.IsInf(rounded, 0) {
			return "", errors.New("it is a number too large")
		}
		text = big.NewFloat(rounded).Text('f', -1)
	}
	if len(text) > longNumber {
		return "", errors.New("it is a number of too many digits")
	}
	return text, nil
}

// reservedKeys mean something else than their name at the start of an object or
// to a reader.
var reservedKeys = map[string]bool{"for": true, "if": true, "in": true, "null": true, "true": true, "false": true}

// keyText writes a key of an object, in quotes unless it is a plain name.
func keyText(key string) (string, error) {
	if hclsyntax.ValidIdentifier(key) && !strings.Contains(key, "-") && !reservedKeys[key] {
		return key, nil
	}
	return quote(key)
}

// quote writes a string as a quoted template without interpolations.
func quote(s string) (string, error) {
	body, err := escape(s)
	return `"` + body + `"`, err
}

// escape writes a string so that it stands for itself between quotes.
func escape(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("it is text that is not valid UTF-8")
	}
	if !strings.ContainsFunc(s, unusual) {
		return s, nil
	}
	var b strings.Builder
	var last, beforeLast rune
	for _, r := range s {
		switch {
		case r == '{' && marker(last) && marker(beforeLast):
			// Three in a row would be read from the left; a code is not.
			b.WriteString(`\u007b`)
		case r == '{' && marker(last):
			b.WriteRune(last)
			b.WriteRune(r)
		default:
			b.WriteString(escapeRune(r))
		}
		beforeLast, last = last, r
	}
	return b.String(), nil
}

// unusual reports whether a character in quotes may need an escape.
func unusual(r rune) bool {
	return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '{'
}

func marker(r rune) bool {
	return r == '$' || r == '%'
}

func escapeRune(r rune) string {
	switch r {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	switch {
	case unicode.IsPrint(r):
		return string(r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// plain is a value as a template would write it.
func plain(v cty.Value) (string, error) {
	if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsPrimitiveType() {
		return "", fmt.Errorf("it is %s", describe(v))
	}
	if v.Type() == cty.Number {
		return number(v.AsBigFloat())
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return "", err
	}
	if !utf8.ValidString(s.AsString()) {
		return "", errors.New("it is text that is not valid UTF-8")
	}
	return s.AsString(), nil
}

// describe names a value's kind for a diagnostic.
func describe(v cty.Value) string {
	switch {
	case v.IsMarked():
		return "secret"
	case !v.IsKnown():
		return "not known yet"
	case v.IsNull():
		return "null"
	case v.Type().IsCapsuleType():
		return "a " + v.Type().FriendlyName() + ", not a value of its own"
	case v.CanIterateElements() && keyed(v):
		return "an object"
	case v.CanIterateElements():
		return "a list"
	default:
		return "a " + v.Type().FriendlyName()
	}
}
