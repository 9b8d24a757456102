package recommend

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/blueprints/value"
)

// Need is one figure that was asked for: in seconds, requests per second,
// percent or, of reads, a share from 0 to 1.
type Need struct {
	Value float64
	Text  string // for people
}

// Needs are what was asked for; nil is what was not.
type Needs struct {
	Latency, Throughput, Availability, Reads *Need
	Worldwide                                bool
}

func (n Needs) table(id string) (Need, bool) {
	need := map[string]*Need{blueprints.Latency: n.Latency, blueprints.Throughput: n.Throughput, blueprints.Availability: n.Availability}[id]
	if need == nil {
		return Need{}, false
	}
	return *need, true
}

// Texts are what was asked for, in words.
func (n Needs) Texts() []string {
	var out []string
	if n.Latency != nil {
		out = append(out, "answers within "+n.Latency.Text)
	}
	if n.Throughput != nil {
		out = append(out, n.Throughput.Text+" requests a second")
	}
	if n.Availability != nil {
		out = append(out, n.Availability.Text+" availability")
	}
	if n.Reads != nil {
		out = append(out, n.Reads.Text+" reads")
	}
	if n.Worldwide {
		out = append(out, "users all over the world")
	}
	return out
}

// Asked are needs as a person types them; empty texts are not asked for.
type Asked struct {
	Latency, Throughput, Availability, Reads string
	Worldwide                                bool
}

// ErrNothing is what is wrong when nothing is asked for.
var ErrNothing = errors.New("say at least one thing that you need: --latency, --rps, --availability, --read-ratio or --worldwide")

// Parse reads needs. Errors name the flag.
func (a Asked) Parse() (Needs, error) {
	n := Needs{Worldwide: a.Worldwide}
	var errs [4]error
	n.Latency, errs[0] = need("--latency", a.Latency, value.ParseDuration, func(v float64) string {
		if v <= 0 {
			return "must be longer than nothing"
		}
		if v > 3600 {
			return "must be an hour at most"
		}
		return ""
	})
	n.Throughput, errs[1] = need("--rps", a.Throughput, value.ParseRate, func(v float64) string {
		if v <= 0 || v > 1e9 {
			return "must be above 0 and at most 1000M"
		}
		return ""
	})
	n.Availability, errs[2] = need("--availability", a.Availability, percent, func(v float64) string {
		if v <= 0 || v >= 100 {
			return "must be above 0 and below 100, for no pattern keeps a system from ever failing"
		}
		return ""
	})
	n.Reads, errs[3] = need("--read-ratio", a.Reads, ratio, func(v float64) string {
		if v > 1 {
			return `must be from 0 to 1, or a percentage such as "90%"`
		}
		return ""
	})
	if err := errors.Join(errs[:]...); err != nil {
		return n, errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if n == (Needs{}) {
		return n, ErrNothing
	}
	if n.Availability != nil {
		n.Availability.Text = strings.TrimSuffix(n.Availability.Text, "%") + "%"
	}
	if n.Throughput != nil {
		n.Throughput.Text = thousands(n.Throughput.Value)
	}
	if n.Reads != nil {
		n.Reads.Text = percentage(n.Reads.Value)
	}
	return n, nil
}

func need(flag, text string, parse func(string) (cty.Value, error), wrong func(float64) string) (*Need, error) {
	if text == "" {
		return nil, nil
	}
	v, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	n, _ := v.AsBigFloat().Float64()
	if why := wrong(n); why != "" {
		return nil, fmt.Errorf("%s %s; it is %s", flag, why, text)
	}
	return &Need{Value: n, Text: text}, nil
}

// percent reads a percentage with or without its sign.
func percent(s string) (cty.Value, error) {
	v, err := value.ParsePercent(strings.TrimSuffix(s, "%") + "%")
	if err != nil {
		return v, fmt.Errorf(`%q is not a percentage such as 99.95 or "99.95%%"`, s)
	}
	return v, nil
}

// ratio reads ".9", "0.9" or "90%" as 0.9.
func ratio(s string) (cty.Value, error) {
	v, err := value.ParsePercent(s)
	if err == nil {
		return v.Divide(cty.NumberIntVal(100)), nil
	}
	digits := s
	if strings.HasPrefix(s, ".") {
		digits = "0" + s
	}
	if v, err = value.ParsePercent(digits + "%"); err != nil || strings.HasSuffix(s, "%") {
		return v, fmt.Errorf(`%q is not a share such as 0.9 or "90%%"`, s)
	}
	return v, nil
}

func percentage(share float64) string { return fmt.Sprintf("%.4g%%", 100*share) }

// thousands writes a rate with its digits in groups of three.
func thousands(v float64) string {
	whole, rest, _ := strings.Cut(strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), "."), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}
