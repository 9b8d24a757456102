package value

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

var texts = map[string]function.Function{
	"base64decode": base64Decode,
	"base64encode": text1(func(s string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(s)), nil }),
	"base64sha256": text1(func(s string) (string, error) {
		h := sha256.Sum256([]byte(s))
		return base64.StdEncoding.EncodeToString(h[:]), nil
	}),
	"endswith":    textTest(strings.HasSuffix),
	"md5":         digest(md5.New),
	"replace":     replace,
	"sha1":        digest(sha1.New),
	"sha256":      digest(sha256.New),
	"sha512":      digest(sha512.New),
	"startswith":  textTest(strings.HasPrefix),
	"strcontains": textTest(strings.Contains),
	"urlencode":   text1(func(s string) (string, error) { return url.QueryEscape(s), nil }),
}

func text1(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("text", cty.String)},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			return cty.StringVal(s), nil
		},
	})
}

func textTest(f func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{param("text", cty.String), param("part", cty.String)},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func digest(newHash func() hash.Hash) function.Function {
	return text1(func(s string) (string, error) {
		h := newHash()
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil)), nil
	})
}

var base64Decode = text1(func(s string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", errors.New("not base64")
	}
	if !utf8.Valid(b) {
		return "", errors.New("the decoded bytes are not text")
	}
	return string(b), nil
})

// replace takes a regular expression between slashes, as Terraform's does.
var replace = function.New(&function.Spec{
	Params: []function.Parameter{param("text", cty.String), param("part", cty.String), param("by", cty.String)},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, part, by := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(part) < 2 || part[0] != '/' || part[len(part)-1] != '/' {
			return cty.StringVal(strings.ReplaceAll(text, part, by)), nil
		}
		re, err := regexp.Compile(part[1 : len(part)-1])
		if err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		return cty.StringVal(re.ReplaceAllString(text, by)), nil
	},
})
