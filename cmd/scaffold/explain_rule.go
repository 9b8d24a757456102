package main

import (
	"fmt"
	"strings"

	"github.com/mitchellh/go-wordwrap"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// rulesCalled are the rules of a name: a definition has one, and each pack may
// have one more.
func rulesCalled(p *project.Project, code string) []project.Rule {
	all, diags := p.Rules()
	if diags.HasErrors() {
		return nil // what is wrong with them is told when they are used
	}
	var found []project.Rule
	for _, r := range all {
		if r.Code == code {
			found = append(found, r)
		}
	}
	return found
}

type ruleJSON struct {
	Rule      string     `json:"rule"`
	Severity  string     `json:"severity"`
	Firm      bool       `json:"firm"`
	Pack      string     `json:"pack,omitempty"`
	Range     *jsonRange `json:"range,omitempty"`
	Condition string     `json:"condition,omitempty"`
	Message   string     `json:"message"`
	Fix       string     `json:"fix,omitempty"`
}

func (a *app) explainRules(rules []project.Rule) error {
	doc := []ruleJSON{}
	for _, r := range rules {
		severity := "error"
		if r.Warning {
			severity = "warning"
		}
		doc = append(doc, ruleJSON{
			Rule: r.Code, Severity: severity, Firm: r.Firm, Pack: r.Pack, Range: rangeJSON(&r.Range),
			Condition: flat(r.Condition), Message: unquoted(r.Message), Fix: unquoted(r.Fix),
		})
	}
	if a.format != "text" {
		a.printJSON(doc)
		return nil
	}
	for i, r := range doc {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "%s, %s\n", r.Rule, r.Severity)
		a.printField("defined", at(r.Range))
		a.printField("asks for", r.Condition)
		a.printField("says", r.Message)
		a.printField("mend", r.Fix)
		ignore := fmt.Sprintf("# scaffold:ignore %s REASON", r.Rule)
		if r.Firm {
			ignore = "no: what would be rendered is refused or does something else"
		}
		a.printField("ignore", ignore)
	}
	return nil
}

func (a *app) printField(name, text string) {
	if text != "" {
		fmt.Fprintf(a.out, "  %-9s %s\n", name, strings.ReplaceAll(wordwrap.WrapString(text, width-12), "\n", "\n            "))
	}
}

// unquoted takes a text out of its quotes, if it is one text.
func unquoted(source string) string {
	if n := len(source); n > 1 && source[0] == '"' && source[n-1] == '"' {
		source = strings.ReplaceAll(source[1:n-1], `\"`, `"`)
	}
	return flat(source)
}

// flat puts a text on one line.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// nearestRule is the rule that a person most likely meant, or empty.
func nearestRule(p *project.Project, code string) string {
	all, _ := p.Rules()
	var codes []string
	for _, r := range all {
		codes = append(codes, r.Code)
	}
	return blueprints.Nearest(code, codes)
}
