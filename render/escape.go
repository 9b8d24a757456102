package render

import (
	"errors"
	"strings"
	"unicode"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/blueprints/value"
)

// escapes make a computed text safe to stand in a file of a format.
var escapes = map[string]func(string) (string, error){
	"text": func(s string) (string, error) { return s, nil },
	"sh":   value.ShellWord,
	"ini":  oneLine("=;#[]\"'\\"),
	"conf": oneLine(";{}#\"'\\$`"),
	"vcl":  oneLine("{}\"\\;#"),
}

// oneLine refuses what would end a value or start something else in formats
// that have no way of escaping that all their readers share.
func oneLine(forbidden string) func(string) (string, error) {
	return func(s string) (string, error) {
		for _, r := range s {
			if unicode.IsControl(r) || strings.ContainsRune(forbidden, r) {
				return "", errors.New("the text holds a character that has a meaning in this format: " + string(r))
			}
		}
		return s, nil
	}
}

func plainText(v cty.Value) (string, error) {
	if v.IsNull() || !v.IsKnown() {
		return "", errors.New("the text holds a value that is null")
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		return "", errors.New("the text holds a value that is no text: " + err.Error())
	}
	return s.AsString(), nil
}
