package recommend

import (
	"fmt"
	"strings"
)

// Limits says what the answer does not rest on: what was not asked for, where
// the tables end, and what they never had.
func (r *Report) Limits() []string {
	var out []string
	for _, t := range r.Tables {
		switch {
		case len(t.Rows) == 0:
			out = append(out, fmt.Sprintf("No pattern has a figure for %s.", t.ID))
		case t.Short:
			out = append(out, fmt.Sprintf("No row of the table for %s holds %s: it ends at %s, which counts as the nearest.", t.ID, t.Asked, t.Need))
		case t.need == len(t.rows)-1 && len(t.rows) > 1:
			out = append(out, fmt.Sprintf("Every row of the table for %s holds %s, so it says little about which pattern to take.", t.ID, t.Asked))
		}
		if missing := r.missing(t.ID); len(missing) > 0 {
			out = append(out, fmt.Sprintf("The table for %s has no row for %s: it gives them no score.", t.ID, strings.Join(missing, ", ")))
		}
	}
	var silent []string
	for _, c := range []struct {
		name  string
		asked bool
	}{
		{"latency", r.Needs.Latency != nil}, {"requests a second", r.Needs.Throughput != nil}, {"availability", r.Needs.Availability != nil},
		{"the share of reads", r.Needs.Reads != nil}, {"where the users are", r.Needs.Worldwide},
	} {
		if !c.asked {
			silent = append(silent, c.name)
		}
	}
	if len(silent) > 0 {
		out = append(out, "Not asked for, so not counted: "+strings.Join(silent, ", ")+".")
	}
	if r.Unweighed != "" {
		out = append(out, fmt.Sprintf("The profile %s has no weights of its own, so naming it changed nothing.", r.Unweighed))
	}
	return append(out, "The rows are of a pattern alone. What patterns give together, what your program does with them and what they cost is in no table.")
}

func (r *Report) missing(table string) []string {
	var out []string
	for _, p := range r.Patterns {
		if _, ok := p.Metrics[table]; !ok {
			out = append(out, p.ID)
		}
	}
	return out
}
