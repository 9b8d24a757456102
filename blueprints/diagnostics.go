package blueprints

import (
	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// Related is a further place that a diagnostic speaks of, with what is there.
type Related struct {
	Range hcl.Range
	Text  string
}

// Extra is the extra information of scaffold's diagnostics.
type Extra struct {
	// Code names the check that failed, such as "database.pool_fits".
	Code string
	// Related are further places, in the order in which they should be read.
	Related []Related
	// Fix says how to mend the problem; empty where the detail says it.
	Fix string
}

func fail(rng hcl.Range, summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{problem(rng, summary, detail)}
}

func problem(rng hcl.Range, summary, detail string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: rng.Ptr()}
}

// suggest gives ` Did you mean "x"?` for the nearest of names, or nothing.
func suggest(name string, names []string) string {
	best, distance := "", 4
	for _, n := range names {
		if d := levenshtein.Distance(name, n, nil); d < distance && d < max(len(name), len(n))-1 {
			best, distance = n, d
		}
	}
	if best == "" {
		return ""
	}
	return ` Did you mean "` + best + `"?`
}
