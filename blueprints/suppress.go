package blueprints

import (
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// ignoreWord starts a comment that answers a rule in place:
//
//	pool = 40 # scaffold:ignore database.connections the pooler comes next month
const ignoreWord = "scaffold:ignore"

// suppression is one such comment.
type suppression struct {
	code, reason string
	line         int       // the line of the value that it speaks of
	rng          hcl.Range // the comment's own
	used         atomic.Bool
}

// answer is what a suppression is looked up by: the rule, and the line.
type answer struct {
	code string
	line int
}

// byAnswer finds suppressions without a search for each finding.
func byAnswer(suppressions []*suppression) map[answer][]*suppression {
	out := map[answer][]*suppression{}
	for _, sup := range suppressions {
		at := answer{sup.code, sup.line}
		out[at] = append(out[at], sup)
	}
	return out
}

// readSuppressions collects the comments of a file that answer a rule. One at
// the end of a line speaks of that line, one on a line of its own of the next
// line that is no comment.
func readSuppressions(data []byte, name string) ([]*suppression, hcl.Diagnostics) {
	if !strings.Contains(string(data), ignoreWord) {
		return nil, nil
	}
	tokens, _ := hclsyntax.LexConfig(data, name, hcl.InitialPos)
	var found, waiting []*suppression
	var diags hcl.Diagnostics
	line := 0 // the last line with something that is no comment
	for _, token := range tokens {
		start := token.Range.Start.Line
		switch token.Type {
		case hclsyntax.TokenNewline:
		case hclsyntax.TokenComment:
			s, moreDiags := parseSuppression(token)
			diags = append(diags, moreDiags...)
			switch {
			case s == nil:
			case line == start:
				s.line = start
				found = append(found, s)
			default:
				waiting = append(waiting, s)
			}
		default:
			for _, s := range waiting {
				s.line = start
			}
			found, waiting = append(found, waiting...), nil
			line = token.Range.End.Line
		}
	}
	return found, diags
}

func parseSuppression(token hclsyntax.Token) (*suppression, hcl.Diagnostics) {
	text := strings.TrimSpace(strings.Trim(strings.TrimSpace(string(token.Bytes)), "#/*"))
	rest, ok := strings.CutPrefix(text, ignoreWord)
	if !ok || (rest != "" && rest[0] != ' ' && rest[0] != '\t') {
		return nil, nil
	}
	rng := token.Range
	if strings.HasSuffix(string(token.Bytes), "\n") { // a comment takes its line end along
		rng.End = hcl.Pos{Line: rng.Start.Line, Column: rng.Start.Column + len([]rune(string(token.Bytes))) - 1, Byte: rng.End.Byte - 1}
	}
	words := strings.Fields(rest)
	if len(words) < 2 {
		return nil, fail(rng, "Ignored without a reason", "A rule is ignored by its name and with the reason why, for whoever reads it next: # "+ignoreWord+" database.connections the pooler comes next month.")
	}
	return &suppression{code: words[0], reason: strings.Join(words[1:], " "), rng: rng}, nil
}

// ignored reports whether a comment of the blueprint answers the rule at the
// place that it points at.
func (s *Source) ignored(code string, subject *hcl.Range) bool {
	if subject == nil || subject.Filename != s.Name {
		return false
	}
	answers := s.answers[answer{code, subject.Start.Line}]
	for _, sup := range answers {
		sup.used.Store(true)
	}
	return len(answers) > 0
}

// UnusedSuppressions warns of the comments that answered no rule. It speaks
// true once every environment and target was rendered.
func (s *Source) UnusedSuppressions() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, sup := range s.suppressions {
		if sup.used.Load() {
			continue
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "Nothing to ignore", Subject: sup.rng.Ptr(),
			Detail: fmt.Sprintf("No rule %s speaks of line %d. Take the comment out, or move it to the line that the rule points at, or above it.", sup.code, sup.line),
		})
	}
	return diags
}
