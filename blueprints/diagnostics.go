package blueprints

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

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
	best := Nearest(name, names)
	if best == "" {
		return ""
	}
	return ` Did you mean "` + best + `"?`
}

// Nearest is the one of names that a person most likely meant, or empty.
func Nearest(name string, names []string) string {
	best, distance := "", 4
	length := utf8.RuneCountInString(name)
	for _, n := range names {
		if other := utf8.RuneCountInString(n) - length; max(other, -other) >= distance {
			continue // at least as many letters have to come or go
		}
		d := levenshtein.Distance(name, n, nil)
		switch {
		case sameLetters(name, n):
			d = min(d, 1)
		case d >= max(len(name), len(n))-1:
			continue
		}
		if d < distance {
			best, distance = n, d
		}
		if distance <= 1 {
			break // nothing is nearer
		}
	}
	for _, n := range names { // "maximum" for "max"
		if best == "" && len(n) > 2 && (strings.HasPrefix(name, n) || strings.HasPrefix(n, name) && len(name) > 2) {
			best = n
		}
	}
	return best
}

// sameLetters reports whether one name is the other with letters swapped.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return bytes.Equal(x, y)
}

// indefinite puts the article before a noun.
func indefinite(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// sentence ends a text with a full stop, unless it ends already.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
