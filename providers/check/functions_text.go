package check

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// textFunction takes one string and gives one.
func textFunction(of func(string) (string, error)) function.Function {
	spec := unknownSpec(cty.String, []cty.Type{cty.String})
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		result, err := of(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(cty.String), function.NewArgError(0, err)
		}
		return cty.StringVal(result), nil
	}
	return function.New(spec)
}

// testFunction asks something of two strings.
func testFunction(of func(text, part string) bool) function.Function {
	spec := unknownSpec(cty.Bool, []cty.Type{cty.String, cty.String})
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return cty.BoolVal(of(args[0].AsString(), args[1].AsString())), nil
	}
	return function.New(spec)
}

func startsWith(text, part string) bool { return strings.HasPrefix(text, part) }
func endsWith(text, part string) bool   { return strings.HasSuffix(text, part) }
func contains(text, part string) bool   { return strings.Contains(text, part) }

func baseName(text string) (string, error)  { return path.Base(text), nil }
func dirName(text string) (string, error)   { return path.Dir(text), nil }
func urlEncode(text string) (string, error) { return url.QueryEscape(text), nil }

func base64Encode(text string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(text)), nil
}

func base64Decode(text string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("failed to decode base64 data: %w", err)
	}
	if !utf8.Valid(decoded) {
		return "", fmt.Errorf("the result of decoding the provided string is not valid UTF-8")
	}
	return string(decoded), nil
}

var hashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

func digest(name string, text []byte) []byte {
	h := hashes[name]()
	h.Write(text)
	return h.Sum(nil)
}

func hexHash(name string) func(string) (string, error) {
	return func(text string) (string, error) { return hex.EncodeToString(digest(name, []byte(text))), nil }
}

func base64Hash(name string) func(string) (string, error) {
	return func(text string) (string, error) {
		return base64.StdEncoding.EncodeToString(digest(name, []byte(text))), nil
	}
}

// replaceFunction takes a substring, or a regular expression between slashes.
var replaceFunction = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "str", Type: cty.String}, {Name: "substr", Type: cty.String}, {Name: "replace", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, part, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(part) > 1 && strings.HasPrefix(part, "/") && strings.HasSuffix(part, "/") {
			pattern, err := regexp.Compile(part[1 : len(part)-1])
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(1, err)
			}
			return cty.StringVal(pattern.ReplaceAllString(text, with)), nil
		}
		return cty.StringVal(strings.ReplaceAll(text, part, with)), nil
	},
})
