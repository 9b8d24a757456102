package cel

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

var errArguments = errors.New("wrong arguments")

var builtins = map[string]Function{
	"size":     size,
	"int":      toInt,
	"double":   toDouble,
	"string":   toString,
	"dyn":      func(args ...any) (any, error) { return args[0], nil },
	"duration": oneText(func(s string) (any, error) { return time.ParseDuration(s) }),

	"contains":   twoTexts(func(s, t string) (any, error) { return strings.Contains(s, t), nil }),
	"startsWith": twoTexts(func(s, t string) (any, error) { return strings.HasPrefix(s, t), nil }),
	"endsWith":   twoTexts(func(s, t string) (any, error) { return strings.HasSuffix(s, t), nil }),
	"matches":    twoTexts(matches),
	"find":       twoTexts(find),
	"findAll":    twoTexts(findAll),
	"split":      twoTexts(func(s, t string) (any, error) { return anyList(strings.Split(s, t)), nil }),
	"join":       join,
	"replace":    replace,
	"substring":  substring,
	"indexOf":    twoTexts(func(s, t string) (any, error) { return int64(strings.Index(s, t)), nil }),
	"lowerAscii": oneText(func(s string) (any, error) { return strings.ToLower(s), nil }),
	"upperAscii": oneText(func(s string) (any, error) { return strings.ToUpper(s), nil }),
	"trim":       oneText(func(s string) (any, error) { return strings.TrimSpace(s), nil }),

	"isIP":   oneText(func(s string) (any, error) { _, err := netip.ParseAddr(s); return err == nil, nil }),
	"isCIDR": oneText(func(s string) (any, error) { _, err := netip.ParsePrefix(s); return err == nil, nil }),

	"cidr":         oneText(func(s string) (any, error) { return netip.ParsePrefix(s) }),
	"containsCIDR": containsCIDR,
	// isText is no function of the standard: the value may be a number too.
	"isText": func(args ...any) (any, error) { _, ok := args[0].(string); return ok, nil },

	"isURL":       oneText(func(s string) (any, error) { _, err := parseURL(s); return err == nil, nil }),
	"url":         oneText(func(s string) (any, error) { return parseURL(s) }),
	"getScheme":   ofURL(func(u *url.URL) string { return u.Scheme }),
	"getHost":     ofURL(func(u *url.URL) string { return u.Host }),
	"getHostname": ofURL((*url.URL).Hostname),
	"getPort":     ofURL((*url.URL).Port),

	"isQuantity":    func(args ...any) (any, error) { _, err := quantityOf(args...); return err == nil, nil },
	"quantity":      func(args ...any) (any, error) { return quantityOf(args...) },
	"compareTo":     ofQuantities(func(order int) any { return int64(order) }),
	"isGreaterThan": ofQuantities(func(order int) any { return order > 0 }),
	"isLessThan":    ofQuantities(func(order int) any { return order < 0 }),
	"sign":          sign,
	"isInteger":     isInteger,
}

func oneText(f func(string) (any, error)) Function {
	return func(args ...any) (any, error) {
		if len(args) == 1 {
			if s, ok := args[0].(string); ok {
				return f(s)
			}
		}
		return nil, errArguments
	}
}

func twoTexts(f func(string, string) (any, error)) Function {
	return func(args ...any) (any, error) {
		if len(args) == 2 {
			s, okS := args[0].(string)
			t, okT := args[1].(string)
			if okS && okT {
				return f(s, t)
			}
		}
		return nil, errArguments
	}
}

func size(args ...any) (any, error) {
	if len(args) == 1 {
		switch v := args[0].(type) {
		case string:
			return int64(utf8.RuneCountInString(v)), nil
		case []any:
			return int64(len(v)), nil
		case map[string]any:
			return int64(len(v)), nil
		}
	}
	return nil, errArguments
}

func toInt(args ...any) (any, error) {
	if len(args) == 1 {
		switch v := args[0].(type) {
		case int64:
			return v, nil
		case float64:
			return int64(v), nil
		case string:
			return strconv.ParseInt(v, 10, 64)
		}
	}
	return nil, errArguments
}

func toDouble(args ...any) (any, error) {
	if len(args) == 1 {
		if f, ok := asFloat(args[0]); ok {
			return f, nil
		}
		if s, ok := args[0].(string); ok {
			return strconv.ParseFloat(s, 64)
		}
	}
	return nil, errArguments
}

func toString(args ...any) (any, error) {
	if len(args) != 1 {
		return nil, errArguments
	}
	switch v := args[0].(type) {
	case string, int64, float64, bool, time.Duration:
		return fmt.Sprint(v), nil
	}
	return nil, errArguments
}

// compiled keeps the regular expressions of the rules; there are few.
var compiled sync.Map

func regexpOf(pattern string) (*regexp.Regexp, error) {
	if re, ok := compiled.Load(pattern); ok {
		return re.(*regexp.Regexp), nil
	}
	re, err := regexp.Compile(pattern)
	if err == nil {
		compiled.Store(pattern, re)
	}
	return re, err
}

func matches(s, pattern string) (any, error) {
	re, err := regexpOf(pattern)
	if err != nil {
		return nil, err
	}
	return re.MatchString(s), nil
}

func find(s, pattern string) (any, error) {
	re, err := regexpOf(pattern)
	if err != nil {
		return nil, err
	}
	return re.FindString(s), nil
}

func findAll(s, pattern string) (any, error) {
	re, err := regexpOf(pattern)
	if err != nil {
		return nil, err
	}
	return anyList(re.FindAllString(s, -1)), nil
}

func anyList(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

func join(args ...any) (any, error) {
	separator := ""
	if len(args) == 2 {
		separator, _ = args[1].(string)
	}
	list, ok := args[0].([]any)
	if !ok {
		return nil, errArguments
	}
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i] = fmt.Sprint(item)
	}
	return strings.Join(parts, separator), nil
}

func replace(args ...any) (any, error) {
	if len(args) == 3 {
		s, okS := args[0].(string)
		from, okF := args[1].(string)
		to, okT := args[2].(string)
		if okS && okF && okT {
			return strings.ReplaceAll(s, from, to), nil
		}
	}
	return nil, errArguments
}

func substring(args ...any) (any, error) {
	if len(args) < 2 || len(args) > 3 {
		return nil, errArguments
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, errArguments
	}
	runes := []rune(s)
	bounds := []int64{0, int64(len(runes))}
	for i, arg := range args[1:] {
		if bounds[i], ok = arg.(int64); !ok {
			return nil, errArguments
		}
	}
	if bounds[0] < 0 || bounds[1] < bounds[0] || bounds[1] > int64(len(runes)) {
		return nil, fmt.Errorf("characters %d to %d of %d", bounds[0], bounds[1], len(runes))
	}
	return string(runes[bounds[0]:bounds[1]]), nil
}

// parseURL accepts what the API server's library accepts: an absolute URI or
// an absolute path.
func parseURL(s string) (*url.URL, error) { return url.ParseRequestURI(s) }

func ofURL(f func(*url.URL) string) Function {
	return func(args ...any) (any, error) {
		if len(args) == 1 {
			if u, ok := args[0].(*url.URL); ok {
				return f(u), nil
			}
		}
		return nil, errArguments
	}
}

func containsCIDR(args ...any) (any, error) {
	if len(args) == 2 {
		outer, okO := args[0].(netip.Prefix)
		text, okT := args[1].(string)
		inner, err := netip.ParsePrefix(text)
		if okO && okT && err == nil {
			return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr()), nil
		}
	}
	return nil, errArguments
}
