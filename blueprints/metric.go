package blueprints

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
)

// The tables that a pattern may have a row in.
const (
	Latency      = "latency"
	Throughput   = "throughput"
	Availability = "availability"
)

// Tables are the keys of a metrics block.
var Tables = []string{Latency, Throughput, Availability}

// Suits are the words of a pattern's argument suits.
var Suits = []string{"reads", "writes", "worldwide"}

// Criteria are what a recommendation weighs, and so the keys of a profile's weights.
var Criteria = []string{Latency, Throughput, Availability, "reads", "worldwide", "quality", "ease"}

// Metric is a pattern's row in a table of rules of thumb.
type Metric struct {
	Text  string
	Range hcl.Range

	table string
	reach float64 // seconds, requests per second or percent
	below bool    // the reach itself is not in the row
}

// Meets reports whether the row holds what is asked: an answer in so many
// seconds, so many requests per second, so many percent of the time.
func (m Metric) Meets(asked float64) bool {
	switch {
	case m.table == Latency:
		return m.reach <= asked
	case m.table == Availability:
		return m.reach >= asked
	case m.below:
		return asked < m.reach
	}
	return asked <= m.reach
}

// Compare orders rows of one table, the weaker first.
func (m Metric) Compare(other Metric) int {
	switch {
	case m.reach == other.reach && m.below == other.below:
		return 0
	case m.reach == other.reach:
		if m.below {
			return -1
		}
		return 1
	case (m.reach < other.reach) == (m.table != Latency):
		return -1
	}
	return 1
}

// ParseMetric reads a row as it is written: "<10ms" of latency, "<100 RPS",
// "1k-10k RPS" or ">10k RPS" of throughput, "99.9%" of availability.
func ParseMetric(table, text string) (Metric, error) {
	m := Metric{Text: text, table: table}
	var v cty.Value
	var err error
	switch table {
	case Latency:
		digits, ok := strings.CutPrefix(text, "<")
		if v, err = value.ParseDuration(digits); err != nil || !ok {
			return m, fmt.Errorf(`%q is not a bound of latency such as "<10ms" or "<1s"`, text)
		}
	case Availability:
		if v, err = value.ParsePercent(text); err != nil {
			return m, fmt.Errorf(`%q is not a share of time such as "99.9%%"`, text)
		}
	case Throughput:
		return m, m.parseThroughput()
	default:
		return m, fmt.Errorf("there is no table %s; the tables are %s", table, strings.Join(Tables, ", "))
	}
	m.reach, _ = v.AsBigFloat().Float64()
	return m, nil
}

func (m *Metric) parseThroughput() error {
	from, to, ranged := strings.Cut(m.Text, "-")
	low, above := strings.CutPrefix(m.Text, ">")
	high, below := strings.CutPrefix(m.Text, "<")
	switch {
	case ranged:
		if _, err := value.ParseRate(from); err != nil {
			return err
		}
		high = to
	case above:
		high = low
	case !below:
		return fmt.Errorf(`%q is not a range of throughput such as "<100 RPS", "1k-10k RPS" or ">10k RPS"`, m.Text)
	}
	v, err := value.ParseRate(high)
	if err != nil {
		return err
	}
	m.reach, _ = v.AsBigFloat().Float64()
	m.below = below
	if above {
		m.reach = math.Inf(1)
	}
	return nil
}

// decodeMetrics reads a pattern's rows.
func decodeMetrics(d *decoder, def *Definition) {
	for _, attr := range sortedAttributes(d.body) {
		if !slices.Contains(Tables, attr.Name) {
			continue // unknown() speaks of it
		}
		text := d.text(attr.Name)
		m, err := ParseMetric(attr.Name, text)
		if err != nil {
			d.diags = append(d.diags, problem(attr.Expr.Range(), "Invalid definition", err.Error()+"."))
			continue
		}
		m.Range = attr.SrcRange
		def.Metrics[attr.Name] = m
	}
	for _, table := range Tables {
		d.used[table] = true // for suggestions
	}
}

// decodeFit reads what a recommendation goes by besides the tables.
func decodeFit(d *decoder, def *Definition) {
	def.Metrics, def.Excludes, def.Places = map[string]Metric{}, map[string]string{}, map[string]hcl.Range{}
	def.Suits = d.texts("suits")
	for _, word := range def.Suits {
		if !slices.Contains(Suits, word) {
			d.diags = append(d.diags, problem(d.expr("suits").Range(), "Invalid definition",
				fmt.Sprintf("%q is none of %s.%s", word, strings.Join(Suits, ", "), suggest(word, Suits))))
		}
	}
	if v := d.constant("excludes", cty.Map(cty.String)); !v.IsNull() {
		for id, why := range v.AsValueMap() {
			if why.IsNull() {
				d.diags = append(d.diags, problem(d.expr("excludes").Range(), "Invalid definition", "Say why "+id+" is excluded."))
				continue
			}
			def.Excludes[id] = why.AsString()
		}
	}
	for _, attr := range sortedAttributes(d.body) {
		def.Places[attr.Name] = attr.SrcRange
	}
	for name, score := range map[string]int{"quality": def.Quality, "difficulty": def.Difficulty} {
		if place, ok := def.Places[name]; ok && (score < 1 || score > 10) {
			d.diags = append(d.diags, problem(place, "Invalid definition", "The "+name+" of a pattern is from 1 to 10."))
		}
	}
}

func (d *decoder) weights(name string) map[string]float64 {
	out := map[string]float64{}
	v := d.constant(name, cty.Map(cty.Number))
	if v.IsNull() {
		return out
	}
	for _, key := range mapKeys(v.AsValueMap()) {
		weight := -1.0
		if n := v.AsValueMap()[key]; !n.IsNull() {
			weight, _ = n.AsBigFloat().Float64()
		}
		switch {
		case !slices.Contains(Criteria, key):
			d.diags = append(d.diags, problem(d.expr(name).Range(), "Invalid definition",
				fmt.Sprintf("There is nothing to weigh that is called %q; there is %s.%s", key, strings.Join(Criteria, ", "), suggest(key, Criteria))))
		case weight < 0 || weight > 100:
			d.diags = append(d.diags, problem(d.expr(name).Range(), "Invalid definition", "The weight of "+key+" must be from 0 to 100."))
		default:
			out[key] = weight
		}
	}
	return out
}
