package main

import (
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/cmd/project"
	"scaffold/render"
)

const patternsHelp = `List the patterns of the catalogue, or show one: when to use it, what it takes, its
five points with what each target makes of them, and its inputs. The metrics are coarse heuristics of the
pattern catalogue, not promises.

  scaffold patterns
  scaffold patterns read_replicas
  scaffold patterns --format json`

func (a *app) patternsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "patterns [NAME]", Short: "List the patterns, or show one", Long: patternsHelp, Args: args(0, 1), Annotations: map[string]string{plain: "true"},
		ValidArgsFunction: ofCatalogue("patterns"),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.openOrEmpty()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.showPattern(p, args[0])
			}
			return a.listPatterns(p)
		},
	}
}

// openOrEmpty opens the blueprint at hand for its extensions; without one the
// built-in catalogue is shown.
func (a *app) openOrEmpty() (*project.Project, error) {
	if file, err := blueprints.Find(""); err == nil {
		p, diags := project.Open(file)
		if !diags.HasErrors() {
			return p, nil
		}
	}
	p, diags := project.Empty()
	if diags.HasErrors() {
		return nil, a.report(p, diags)
	}
	return p, nil
}

type patternJSON struct {
	ID          string            `json:"id"`
	Title       string            `json:"title"`
	Summary     string            `json:"summary"`
	Attaches    []string          `json:"attaches"`
	Extends     string            `json:"extends,omitempty"`
	Quality     int               `json:"quality"`
	Difficulty  int               `json:"difficulty"`
	Performance string            `json:"performance"`
	Metrics     map[string]string `json:"metrics"`
	When        []string          `json:"when"`
	Points      []pointJSON       `json:"points"`
	Inputs      []inputJSON       `json:"inputs"`
	Targets     []string          `json:"targets"`
}

type pointJSON struct {
	ID      string `json:"id"`
	Summary string `json:"summary"`
	// Targets are the statuses that it can have on each, which the blueprint decides.
	Targets map[string][]string `json:"targets"`
}

type inputJSON struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
	Default  string `json:"default,omitempty"`
	Summary  string `json:"summary"`
}

func describePattern(p *project.Project, def *blueprints.Definition) patternJSON {
	out := patternJSON{
		ID: def.ID, Title: def.Title, Summary: def.Summary, Attaches: def.Attaches, Extends: def.Extends, Quality: def.Quality,
		Difficulty: def.Difficulty, Performance: def.Performance, Metrics: metricTexts(def), When: def.When, Targets: []string{}, Points: []pointJSON{}, Inputs: []inputJSON{},
	}
	for _, in := range def.Inputs {
		j := inputJSON{Name: in.Name, Type: in.Type.Name, Required: in.Default == nil, Summary: in.Summary}
		if in.Default != nil {
			j.Default = p.SourceText(in.Default.Range())
		}
		out.Inputs = append(out.Inputs, j)
	}
	for _, target := range p.Packs() {
		if p.Renders(target, def.ID, "") {
			out.Targets = append(out.Targets, target)
		}
	}
	for _, point := range def.Points {
		j := pointJSON{point.ID, point.Summary, map[string][]string{}}
		for _, target := range out.Targets {
			// What is wrong with a pack is told when something is rendered by it.
			if statuses, diags := p.Statuses(target, def, point.ID); !diags.HasErrors() {
				j.Targets[target] = statuses
			}
		}
		out.Points = append(out.Points, j)
	}
	return out
}

func (a *app) patternOf(p *project.Project, id string) (*blueprints.Definition, error) {
	def, diags := p.Catalog.Pattern(id)
	if diags.HasErrors() {
		return nil, a.report(p, diags)
	}
	if def == nil {
		if near := blueprints.Nearest(id, p.Catalog.Names("patterns")); near != "" {
			return nil, usageError{fmt.Errorf("there is no pattern %q; did you mean %s?", id, near)}
		}
		return nil, usageError{fmt.Errorf("there is no pattern %q; 'scaffold patterns' lists them", id)}
	}
	return def, nil
}

func (a *app) listPatterns(p *project.Project) error {
	var all []patternJSON
	for _, id := range p.Catalog.Names("patterns") {
		def, err := a.patternOf(p, id)
		if err != nil {
			return err
		}
		all = append(all, describePattern(p, def))
	}
	if a.format != "text" {
		a.printJSON(all)
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "PATTERN\tFOR\tQUALITY\tDIFFICULTY\tTARGETS\tTITLE")
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\n", d.ID, strings.Join(d.Attaches, ", "), d.Quality, d.Difficulty, strings.Join(d.Targets, ", "), d.Title)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\nProfiles: %s. 'scaffold patterns NAME' shows one pattern.\n", strings.Join(p.Catalog.Names("profiles"), ", "))
	return nil
}

func (a *app) showPattern(p *project.Project, id string) error {
	def, err := a.patternOf(p, id)
	if err != nil {
		return err
	}
	d := describePattern(p, def)
	if a.format != "text" {
		a.printJSON(d)
		return nil
	}
	fmt.Fprintf(a.out, "%s: %s\n\n%s\n\n", d.ID, d.Title, d.Summary)
	fmt.Fprintf(a.out, "For a %s. Quality %d/10, difficulty %d/10, performance %s.\n", strings.Join(d.Attaches, " or a "), d.Quality, d.Difficulty, d.Performance)
	if d.Extends != "" {
		fmt.Fprintf(a.out, "Elaborates %s.\n", d.Extends)
	}
	for _, name := range sortedKeys(d.Metrics) {
		fmt.Fprintf(a.out, "Rule of thumb for %s: %s.\n", name, d.Metrics[name])
	}
	fmt.Fprintf(a.out, "Rendered for: %s.\n\nWhen to use it:\n", strings.Join(orNone(d.Targets, "no target yet"), ", "))
	for _, w := range d.When {
		fmt.Fprintf(a.out, "  - %s\n", w)
	}
	fmt.Fprintf(a.out, "\nPoints:\n")
	for _, point := range d.Points {
		fmt.Fprintf(a.out, "  %-14s %s\n", point.ID, point.Summary)
		var by []string
		for _, target := range d.Targets {
			by = append(by, target+" "+strings.Join(orNone(point.Targets[target], render.Unknown), " or "))
		}
		fmt.Fprintf(a.out, "  %-14s   %s\n", "", strings.Join(by, "; "))
	}
	fmt.Fprintf(a.out, "What holds for a blueprint, and why, is what 'scaffold explain %s' says in its folder.\n", d.ID)
	fmt.Fprintf(a.out, "\nInputs:\n")
	for _, in := range d.Inputs {
		note := "required"
		if !in.Required {
			note = "default " + project.OneLine(in.Default)
		}
		fmt.Fprintf(a.out, "  %s (%s, %s)\n      %s\n", in.Name, in.Type, note, in.Summary)
	}
	return nil
}

func orNone(names []string, none string) []string {
	if len(names) == 0 {
		return []string{none}
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func metricTexts(def *blueprints.Definition) map[string]string {
	out := map[string]string{}
	for table, m := range def.Metrics {
		out[table] = m.Text
	}
	return out
}
