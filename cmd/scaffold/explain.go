package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

const explainHelp = `Explain where something comes from:

  scaffold explain out/aws/service_web.tf:42    a rendered line: its pack line, its blueprint
                                                line, and the arithmetic behind its values
  scaffold explain service.web.pool             a value: where it was set, or what it was computed from
  scaffold explain service.web                  all values of a component, or of a block in it
  scaffold explain read_replicas                a pattern: what shows each of its points, for every target
  scaffold explain                              the points of all patterns, and what targets lack
  scaffold explain database.connections         a rule: what it asks for, and whether it can be ignored`

func (a *app) explainCommand() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use: "explain [FILE:LINE|VALUE|PATTERN|RULE] [BLUEPRINT]", Short: "Explain a rendered line, a value, a pattern or a rule", Long: explainHelp, Args: args(0, 2), Annotations: map[string]string{plain: "true"},
		ValidArgsFunction: ofCatalogue("patterns"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) == 1 && isBlueprint(args[0]) {
				return a.explainCoverage(args, f)
			}
			return a.explain(args[0], args[1:], f)
		},
	}
	a.selectionFlags(cmd, f)
	return cmd
}

func (a *app) explain(what string, rest []string, f *renderFlags) error {
	if file, line, ok := fileAndLine(what); ok {
		return a.explainLine(file, line, rest, f)
	}
	p, err := a.open(rest)
	if err != nil {
		return err
	}
	if p.Catalog.Has("patterns", what) {
		return a.explainPattern(what, rest, f)
	}
	return a.explainValue(p, what, f)
}

// isBlueprint tells a blueprint, or its folder, from what is to be explained.
func isBlueprint(s string) bool {
	if strings.HasSuffix(s, ".hcl") {
		return true
	}
	info, err := os.Stat(s)
	return err == nil && info.IsDir()
}

func fileAndLine(s string) (string, int, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(s[i+1:])
	return s[:i], line, err == nil && line > 0
}

// explanation is what explain prints, as text or as JSON.
type explanation struct {
	Subject string       `json:"subject"`
	Text    string       `json:"text,omitempty"`
	Pack    []placeJSON  `json:"pack,omitempty"`
	For     *placeJSON   `json:"for,omitempty"`
	Exposed *placeJSON   `json:"exposed,omitempty"`
	Values  []*valueJSON `json:"values,omitempty"`
}

type placeJSON struct {
	Range *jsonRange `json:"range,omitempty"`
	Text  string     `json:"text,omitempty"`
}

// valueJSON is a value, where it comes from, and what it was computed from.
type valueJSON struct {
	Name   string       `json:"name"`
	Value  string       `json:"value"`
	Source string       `json:"source"`
	Range  *jsonRange   `json:"range,omitempty"`
	Rule   string       `json:"rule,omitempty"`
	From   []*valueJSON `json:"from,omitempty"`
}

func (a *app) explainLine(file string, line int, rest []string, f *renderFlags) error {
	r, err := a.renderAll(rest, f)
	if err != nil {
		return err
	}
	found, err := r.find(file, line)
	if err != nil {
		return err
	}
	e := explanation{Subject: fmt.Sprintf("%s:%d", filepath.ToSlash(file), line), Text: found.line.Text}
	seen := map[string]bool{}
	for _, part := range found.line.Parts {
		key := part.Source.String()
		if part.Source.Filename == "" || seen[key] {
			continue
		}
		seen[key] = true
		if e.For == nil && part.Subject != nil {
			e.For = &placeJSON{rangeJSON(&part.Subject.Range), part.Subject.Path}
		}
		place := placeJSON{Range: rangeJSON(&part.Source)}
		if part.Exposed.Filename != "" {
			e.Exposed = &placeJSON{rangeJSON(&part.Exposed), "expose " + r.project.SourceText(part.Exposed)}
		}
		if part.Expr != nil {
			place.Text = project.OneLine(r.project.SourceText(part.Source))
			if part.Scope != nil {
				_, used, _ := part.Scope.Trace(part.Expr, part.Locals)
				e.Values = appendValues(r.project, e.Values, used)
			}
		}
		if part.Exposed != part.Source {
			e.Pack = append(e.Pack, place)
		}
	}
	return a.printExplanation(e)
}

func appendValues(p *project.Project, into []*valueJSON, attrs []*blueprints.Attr) []*valueJSON {
	for _, attr := range attrs {
		v := valueOf(p, attr, map[*blueprints.Attr]bool{}, 0)
		if v == nil {
			continue
		}
		known := false
		for _, old := range into {
			known = known || old.Name == v.Name
		}
		if !known {
			into = append(into, v)
		}
	}
	return into
}

// maxDepth keeps an explanation readable; ask for one of its values to go on.
const maxDepth = 6

func valueOf(p *project.Project, a *blueprints.Attr, seen map[*blueprints.Attr]bool, depth int) *valueJSON {
	if seen[a] || depth > maxDepth || a.Structural() {
		return nil
	}
	seen[a] = true
	v := &valueJSON{Name: a.Path(), Value: a.Show(), Source: a.Origin.Source, Range: rangeJSON(&a.Origin.Range)}
	if a.Origin.Expr != nil && len(a.Origin.Inputs) > 0 {
		v.Rule = project.OneLine(p.SourceText(a.Origin.Range))
		for _, in := range a.Origin.Inputs {
			if from := valueOf(p, in, seen, depth+1); from != nil {
				v.From = append(v.From, from)
			}
		}
	}
	return v
}

func (a *app) printExplanation(e explanation) error {
	if a.format != "text" {
		a.printJSON(e)
		return nil
	}
	if e.Text != "" {
		fmt.Fprintf(a.out, "%s\n  %s\n\n", e.Subject, strings.TrimSpace(e.Text))
	}
	for _, place := range e.Pack {
		fmt.Fprintf(a.out, "pack       %s%s\n", at(place.Range), suffix("   ", place.Text))
	}
	if e.For != nil {
		fmt.Fprintf(a.out, "blueprint  %s%s\n", at(e.For.Range), suffix("   ", e.For.Text))
	}
	if e.Exposed != nil {
		fmt.Fprintf(a.out, "variable   %s%s\n", at(e.Exposed.Range), suffix("   ", e.Exposed.Text))
	}
	if len(e.Values) > 0 && e.Text != "" {
		fmt.Fprintln(a.out, "\nvalues")
	}
	for _, v := range e.Values {
		a.printValue(v, "  ")
	}
	return nil
}

func suffix(separator, s string) string {
	if s == "" {
		return ""
	}
	return separator + s
}

func at(r *jsonRange) string {
	if r == nil {
		return "(scaffold)"
	}
	return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line)
}

func (a *app) printValue(v *valueJSON, indent string) {
	fmt.Fprintf(a.out, "%s%s = %s   (%s, %s)\n", indent, v.Name, v.Value, v.Source, at(v.Range))
	if v.Rule != "" {
		fmt.Fprintf(a.out, "%s  = %s\n", indent, v.Rule)
	}
	for _, from := range v.From {
		a.printValue(from, indent+"    ")
	}
}

// explainValue explains a value, or all values of a block. Targets that agree
// are spoken of once, and what is no value may be the code of a rule.
func (a *app) explainValue(p *project.Project, what string, f *renderFlags) error {
	roots, diags := p.Resolve(f.sel)
	if diags.HasErrors() {
		if rules := rulesCalled(p, what); len(rules) > 0 {
			return a.explainRules(rules) // it may be the very rule that is not met
		}
		return a.report(p, diags)
	}
	var all []explanation
	for _, root := range roots {
		e := explanation{Subject: what}
		if attr := root.Model.Find(what); attr != nil {
			if e.Values = appendValues(p, nil, []*blueprints.Attr{attr}); len(e.Values) == 0 && blueprints.InstanceOf(attr.Value()) == nil {
				return usageError{fmt.Errorf("%s leads to components and has no value of its own", what)}
			}
		}
		if inst := root.Model.FindInstance(what); inst != nil && len(e.Values) == 0 {
			e.Values = valuesOf(inst)
		}
		if len(e.Values) > 0 && (len(all) == 0 || !sameValues(all[len(all)-1].Values, e.Values)) {
			all = append(all, e)
		}
	}
	if len(all) == 0 {
		if rules := rulesCalled(p, what); len(rules) > 0 {
			return a.explainRules(rules)
		}
		return nothingCalled(p, roots, what)
	}
	for _, e := range all {
		if err := a.printExplanation(e); err != nil {
			return err
		}
	}
	return nil
}

func sameValues(a, b []*valueJSON) bool {
	return slices.EqualFunc(a, b, func(x, y *valueJSON) bool { return x.Name == y.Name && x.Value == y.Value })
}

// valuesOf are the values of a block without what they were computed from.
func valuesOf(inst *blueprints.Instance) []*valueJSON {
	var all []*valueJSON
	for _, attr := range inst.Attrs() {
		if !attr.Structural() {
			all = append(all, &valueJSON{Name: attr.Path(), Value: attr.Show(), Source: attr.Origin.Source, Range: rangeJSON(&attr.Origin.Range)})
		}
	}
	return all
}

// nothingCalled is the error where there is nothing of a name to explain.
func nothingCalled(p *project.Project, roots []*project.Root, what string) error {
	says := fmt.Sprintf("there is no value, pattern, rule or rendered line called %q", what)
	near := ""
	for _, root := range roots {
		if near == "" {
			near = nearestValue(p, root.Model, what)
		}
	}
	if near == "" && strings.Contains(what, ".") {
		near = nearestRule(p, what)
	}
	if near != "" {
		return usageError{fmt.Errorf("%s; did you mean %s?", says, near)}
	}
	if _, err := os.Stat(what); err == nil {
		return usageError{fmt.Errorf("%s is a file; say which line of it: %s:1", what, what)}
	}
	return usageError{fmt.Errorf("%s; write KIND.NAME.VALUE, a pattern's id, a rule's name, or FILE:LINE", says)}
}

// nearestValue is what a person most likely meant, by the first word of the
// path that is not there.
func nearestValue(p *project.Project, m *blueprints.Model, what string) string {
	words := strings.Split(what, ".")
	if len(words) == 1 {
		var names []string
		for _, c := range m.Components {
			if c.Name == what {
				return c.Path
			}
			names = append(names, c.Name)
		}
		if near := blueprints.Nearest(what, p.Catalog.Names("patterns")); near != "" {
			return near
		}
		return pathOf(m, blueprints.Nearest(what, names))
	}
	for n := len(words) - 1; n >= 2; n-- {
		inst := m.FindInstance(strings.Join(words[:n], "."))
		if inst == nil {
			continue
		}
		if near := blueprints.Nearest(words[n], valueNames(inst)); near != "" {
			return strings.Join(slices.Concat(words[:n], []string{near}, words[n+1:]), ".")
		}
		return ""
	}
	var paths []string
	for _, c := range m.Components {
		paths = append(paths, c.Path)
	}
	if near := blueprints.Nearest(strings.Join(words[:2], "."), paths); near != "" {
		return strings.Join(append([]string{near}, words[2:]...), ".")
	}
	return ""
}

// pathOf is the path of the component of that name.
func pathOf(m *blueprints.Model, name string) string {
	for _, c := range m.Components {
		if c.Name == name {
			return c.Path
		}
	}
	return ""
}

func valueNames(inst *blueprints.Instance) []string {
	var names []string
	for _, a := range inst.Attrs() {
		names = append(names, a.Name)
	}
	return names
}
