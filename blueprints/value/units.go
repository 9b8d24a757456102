package value

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// unit is one suffix that a quantity may carry, and what it multiplies by.
type unit struct {
	suffix string
	factor string // a decimal literal, so that it multiplies exactly
}

// Longer suffixes come first, for "ms" ends in "s" and "GiB" in "B".
var (
	durationUnits = []unit{{"ms", "0.001"}, {"s", "1"}, {"m", "60"}, {"h", "3600"}, {"d", "86400"}}
	byteUnits     = []unit{
		{"KiB", "1024"}, {"MiB", "1048576"}, {"GiB", "1073741824"}, {"TiB", "1099511627776"},
		{"KB", "1000"}, {"MB", "1000000"}, {"GB", "1000000000"}, {"TB", "1000000000000"},
		{"B", "1"},
	}
	percentUnits = []unit{{"%", "1"}}
	rateUnits    = []unit{{"k", "1000"}, {"M", "1000000"}, {"", "1"}}
)

// ParseDuration reads "500ms", "30s", "5m", "2h" or "7d" as seconds.
func ParseDuration(s string) (cty.Value, error) {
	return parseQuantity(s, durationUnits, `a duration such as "500ms", "30s", "5m", "2h" or "7d"`)
}

// ParseBytes reads "512MiB", "4GiB", "200GB" or "100B" as bytes.
func ParseBytes(s string) (cty.Value, error) {
	return parseQuantity(s, byteUnits, `a size such as "512MiB", "4GiB" or "1TB"`)
}

// ParsePercent reads "55%" as 55.
func ParsePercent(s string) (cty.Value, error) {
	return parseQuantity(s, percentUnits, `a percentage such as 55 or "55%"`)
}

// ParseRate reads "8000", "10k" or "1M", with or without "RPS" behind it, as requests per second.
func ParseRate(s string) (cty.Value, error) {
	v, err := parseQuantity(strings.TrimSpace(strings.TrimSuffix(s, "RPS")), rateUnits, "")
	if err != nil {
		return v, fmt.Errorf(`%q is not a number of requests per second such as 8000, "10k" or "1M"`, s)
	}
	return v, nil
}

func parseQuantity(s string, units []unit, want string) (cty.Value, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok || !decimal(digits) {
			continue
		}
		return multiply(digits, u.factor)
	}
	return cty.NilVal, fmt.Errorf("%q is not %s", s, want)
}

// decimal keeps out what a number parser would let through but a person would
// not write as an amount: signs, exponents, blanks, hexadecimal.
func decimal(s string) bool {
	if s == "" || len(s) > 18 || s[0] == '.' || s[len(s)-1] == '.' || strings.Count(s, ".") > 1 {
		return false
	}
	return strings.Trim(s, "0123456789.") == ""
}

func multiply(digits, factor string) (cty.Value, error) {
	a, ok := new(big.Rat).SetString(digits)
	b, ok2 := new(big.Rat).SetString(factor)
	if !ok || !ok2 {
		return cty.NilVal, fmt.Errorf("%q is not a number", digits)
	}
	return cty.ParseNumberVal(trimZeros(a.Mul(a, b).FloatString(6)))
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// FormatDuration writes seconds as the shortest exact duration that every
// target reads: "800ms", "30s", "90s". Minutes and hours are kept in seconds,
// because mesh and Kubernetes fields compare better that way.
func FormatDuration(seconds cty.Value) (string, error) {
	millis := new(big.Float).Mul(seconds.AsBigFloat(), big.NewFloat(1000))
	n, _ := new(big.Float).Add(millis, big.NewFloat(0.5)).Int64()
	if n < 0 {
		return "", fmt.Errorf("a duration cannot be negative")
	}
	if n%1000 == 0 {
		return fmt.Sprintf("%ds", n/1000), nil
	}
	return fmt.Sprintf("%dms", n), nil
}

// FormatSpan writes seconds for a person, in the largest unit of which they are
// a whole number: "2m", "90s", "1d". It reads back as a duration.
func FormatSpan(seconds cty.Value) (string, error) {
	for i := len(durationUnits) - 1; i >= 0; i-- {
		u := durationUnits[i]
		n := seconds.Divide(cty.MustParseNumberVal(u.factor))
		if f := n.AsBigFloat(); f.IsInt() && (f.Sign() != 0 || u.suffix == "s") {
			return f.Text('f', 0) + u.suffix, nil
		}
	}
	return FormatDuration(seconds)
}

// FormatQuantity writes bytes as a Kubernetes quantity with the largest binary
// unit that divides them: "4Gi", "512Mi", "1500".
func FormatQuantity(bytes cty.Value) (string, error) {
	n, acc := bytes.AsBigFloat().Int64()
	if acc != big.Exact || n < 0 {
		return "", fmt.Errorf("a quantity is a whole number of bytes")
	}
	suffixes := []string{"", "Ki", "Mi", "Gi", "Ti"}
	i := 0
	for i < len(suffixes)-1 && n != 0 && n%1024 == 0 {
		n /= 1024
		i++
	}
	return fmt.Sprintf("%d%s", n, suffixes[i]), nil
}

// UnitPattern is a regular expression for amounts of a type, "duration", "bytes"
// or "percent", as every dialect has it.
func UnitPattern(name string) string {
	units := map[string][]unit{"duration": durationUnits, "bytes": byteUnits, "percent": percentUnits}[name]
	var suffixes []string
	for _, u := range units {
		suffixes = append(suffixes, u.suffix)
	}
	return `^[0-9]+(?:\.[0-9]+)?(?:` + strings.Join(suffixes, "|") + `)$`
}
