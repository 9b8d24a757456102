package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mitchellh/go-wordwrap"

	"scaffold/blueprints"
	"scaffold/blueprints/recommend"
)

func list(names []string) string { return strings.Join(names, ", ") }

// wrapped prints a text with every line indented.
func (a *app) wrapped(indent int, text string) {
	blank := strings.Repeat(" ", indent)
	text = wordwrap.WrapString(text, recommendWidth-uint(indent))
	fmt.Fprintln(a.out, blank+strings.ReplaceAll(text, "\n", "\n"+blank))
}

const recommendWidth = 92

func (a *app) printRecommendation(r *recommend.Report, explain bool) {
	a.wrapped(0, "Asked for: "+list(r.Needs.Texts())+".")
	a.wrapped(0, heuristic)
	a.recommended(r)
	for _, group := range []struct {
		verdict recommend.Verdict
		title   string
	}{
		{recommend.Close, "Close: short in what they have a figure for, and worth a thought:"},
		{recommend.Instead, "Instead of what is recommended, but not beside it on one component:"},
		{recommend.Nearest, "Nothing fits for their kind of component; these come nearest:"},
		{recommend.Beyond, "They would do, but nothing that was asked for needs them:"},
	} {
		a.group(r.With(group.verdict), group.title)
	}
	a.below(r)
	a.unknown(r)
	a.profiles(r)
	a.limits(r)
	if explain {
		a.explainScores(r)
	} else {
		fmt.Fprintln(a.out, "\n--explain shows every term of every score; 'scaffold patterns NAME' shows a pattern.")
	}
}

func (a *app) recommended(r *recommend.Report) {
	found := r.With(recommend.Recommended)
	if len(found) == 0 {
		fmt.Fprintf(a.out, "\nNo pattern is recommended: none reaches %d.\n", recommend.Enough)
		return
	}
	fmt.Fprintln(a.out, "\nRecommended, by what they stand on:")
	for _, kind := range kindsOf(found) {
		fmt.Fprintf(a.out, "  %s\n", kind)
		for _, p := range found {
			if list(p.Attaches) == kind {
				a.line(4, p)
			}
		}
	}
}

// kindsOf are the kinds of component, in the order of the best pattern of each.
func kindsOf(patterns []*recommend.Pattern) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range patterns {
		if kind := list(p.Attaches); !seen[kind] {
			seen[kind] = true
			out = append(out, kind)
		}
	}
	return out
}

func (a *app) line(indent int, p *recommend.Pattern) {
	fmt.Fprintf(a.out, "%s%-*s %5.1f  ", strings.Repeat(" ", indent), 34-indent, p.ID, p.Score)
	var why []string
	for _, part := range p.Parts {
		if part.Why != "" {
			why = append(why, reason(part))
		}
	}
	for _, gap := range p.Gaps {
		if gap.Unasked && p.Verdict != recommend.Beyond {
			why = append(why, gap.Why)
		}
	}
	text := wordwrap.WrapString(strings.Join(why, "; "), recommendWidth-42)
	fmt.Fprintln(a.out, strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", 42)))
}

func reason(part recommend.Part) string {
	if part.Section == "When to use" {
		return fmt.Sprintf("%s (%s)", part.Has, part.Why)
	}
	return fmt.Sprintf("%s %s (%s)", part.Criterion, part.Has, part.Why)
}

func (a *app) group(found []*recommend.Pattern, title string) {
	if len(found) == 0 {
		return
	}
	fmt.Fprintln(a.out)
	a.wrapped(0, title)
	for _, p := range found {
		a.line(2, p)
		for _, rel := range p.Relations {
			a.wrapped(6, relation(rel))
		}
	}
}

func relation(rel recommend.Relation) string {
	switch {
	case rel.Extends:
		return rel.Why
	case len(rel.Targets) > 0:
		return fmt.Sprintf("Not beside %s (%s): %s", rel.With, list(rel.Targets), rel.Why)
	}
	return fmt.Sprintf("Not beside %s: %s", rel.With, rel.Why)
}

func (a *app) below(r *recommend.Report) {
	var names []string
	for _, p := range r.With(recommend.Below) {
		names = append(names, fmt.Sprintf("%s %.1f", p.ID, p.Score))
	}
	if len(names) > 0 {
		fmt.Fprintf(a.out, "\nBelow %d, so not recommended:\n", recommend.Enough)
		a.wrapped(2, list(names)+".")
	}
}

func (a *app) unknown(r *recommend.Report) {
	found := r.With(recommend.Unknown)
	if len(found) == 0 {
		return
	}
	fmt.Fprintln(a.out, "\nNo score: the catalogue has no figure of them for what was asked for. Use them when:")
	for _, p := range found {
		when := "its definition does not say."
		if len(p.When) > 0 {
			first, size := utf8.DecodeRuneInString(p.When[0])
			when = string(unicode.ToLower(first)) + p.When[0][size:] + "."
		}
		a.wrapped(2, p.ID+": "+when)
	}
}

func (a *app) profiles(r *recommend.Report) {
	if len(r.Profiles) == 0 || len(r.Profiles[0].Matches) == 0 {
		fmt.Fprintln(a.out, "\nNo profile has a pattern that is recommended.")
		return
	}
	var others []string
	for _, p := range r.Profiles[1:] {
		others = append(others, fmt.Sprintf("%s %d of %d", p.ID, len(p.Matches), len(p.Patterns)))
	}
	best := r.Profiles[0]
	fmt.Fprintln(a.out)
	text := fmt.Sprintf("The profile %s comes nearest: recommended are %d of its %d patterns", best.ID, len(best.Matches), len(best.Patterns))
	if len(others) > 0 {
		text += " (" + list(others) + ")"
	}
	a.wrapped(0, text+".")
}

// limits says what the answer does not rest on.
func (a *app) limits(r *recommend.Report) {
	fmt.Fprintln(a.out, "\nNot known:")
	for _, text := range r.Limits() {
		fmt.Fprintln(a.out, "  - "+strings.TrimSpace(strings.ReplaceAll(wordwrap.WrapString(text, recommendWidth-4), "\n", "\n    ")))
	}
}

func (a *app) explainScores(r *recommend.Report) {
	fmt.Fprintln(a.out, "\nHow it is counted")
	a.wrapped(2, "A score is the sum of weight × fit, divided by the sum of the weights that count. In a table a row that holds what was asked fits with 1, and each row below halves it.")
	for _, t := range r.Tables {
		note := "needed: " + t.Need
		if t.Short {
			note = "none holds what was asked; nearest: " + t.Need
		}
		a.wrapped(2, fmt.Sprintf("%s, asked for %s: rows %s; %s.", t.ID, t.Asked, strings.Join(t.Rows, " | "), note))
	}
	var w []string
	for _, key := range blueprints.Criteria {
		w = append(w, fmt.Sprintf("%s %.4g", key, r.Weights[key]))
	}
	a.wrapped(2, "Weights: "+list(w)+". They are scaffold's choice; a profile's weights change them (--profile).")
	for _, p := range r.Patterns {
		a.explainScore(p)
	}
}

func (a *app) explainScore(p *recommend.Pattern) {
	if p.Rank == 0 {
		fmt.Fprintf(a.out, "\n%s: no score\n", p.ID)
	} else {
		fmt.Fprintf(a.out, "\n%d. %s: %.1f, %s\n", p.Rank, p.ID, p.Score, p.Verdict)
	}
	sum, most := 0.0, 0.0
	for _, part := range p.Parts {
		sum, most = sum+part.Fit*part.Weight, most+part.Weight
		has := part.Has
		if part.Why != "" {
			has += " (" + part.Why + ")"
		}
		fmt.Fprintf(a.out, "   %-12s %-44s %5.3g × %-3.4g = %.4g\n", part.Criterion, has, part.Fit, part.Weight, part.Fit*part.Weight)
		fmt.Fprintf(a.out, "   %-12s   %s; %s:%d\n", "", part.Section, part.Place.Filename, part.Place.Start.Line)
	}
	if most > 0 {
		fmt.Fprintf(a.out, "   %-12s %.4g of %.4g = %.1f %%\n", "score", sum, most, p.Score)
	}
	for _, gap := range p.Gaps {
		fmt.Fprintf(a.out, "   %-12s not counted: %s\n", gap.Criterion, gap.Why)
	}
}
