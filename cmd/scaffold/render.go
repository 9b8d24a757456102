package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/cmd/project"
	"scaffold/render"
	"scaffold/render/output"
)

const renderHelp = `Render the blueprint into a folder: ./out beside the blueprint unless -o says
otherwise. Files that you edited are never overwritten without --force, and --merge
takes your edits along; files of your own are never touched, and files that are no
longer rendered are removed.

  scaffold render                    everything
  scaffold render --env staging      one environment
  scaffold render --merge            keep edits, and refuse where they collide with what changed
  scaffold render --check            nothing is written; exit code 2 if something would change`

// renderFlags are the flags of commands that render.
type renderFlags struct {
	out   string
	sel   project.Selection
	force bool
	merge bool
	check bool
}

func (a *app) selectionFlags(cmd *cobra.Command, f *renderFlags) {
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "the folder to render into (default: out, beside the blueprint)")
	a.choiceFlags(cmd, f)
}

// choiceFlags say what of a blueprint is meant.
func (a *app) choiceFlags(cmd *cobra.Command, f *renderFlags) {
	cmd.Flags().StringVar(&f.sel.Environment, "env", "", "one environment of the blueprint (default: all)")
	cmd.Flags().StringVar(&f.sel.Target, "target", "", "one target of the blueprint (default: all)")
	_ = cmd.RegisterFlagCompletionFunc("env", ofBlueprint((*blueprints.Source).Environments))
	_ = cmd.RegisterFlagCompletionFunc("target", ofBlueprint((*blueprints.Source).Targets))
	a.variableFlag(cmd)
}

func (a *app) renderCommand() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use: "render [BLUEPRINT]", Aliases: []string{"generate"}, Short: "Render the blueprint", Long: renderHelp, Args: args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.render(cmd.Context(), args, f) },
	}
	a.selectionFlags(cmd, f)
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite files that were edited by hand")
	cmd.Flags().BoolVar(&f.merge, "merge", false, "merge edits by hand with what is rendered now")
	cmd.Flags().BoolVar(&f.check, "check", false, "write nothing; exit with 2 if a render would change something")
	return cmd
}

// rendering is what a command works on after everything was rendered.
type rendering struct {
	project *project.Project
	roots   []*project.Root
	tree    output.Tree
	dir     string
	diags   hcl.Diagnostics

	selection project.Selection
}

func (a *app) renderAll(args []string, f *renderFlags) (*rendering, error) {
	if f.out == "-" {
		return nil, usageError{errors.New("--out takes a folder: what is rendered is many files (for a folder of that name write ./-)")}
	}
	p, err := a.open(args)
	if err != nil {
		return nil, err
	}
	roots, diags := p.Render(f.sel)
	if diags.HasErrors() {
		return nil, a.report(p, diags)
	}
	r := &rendering{project: p, roots: roots, tree: project.Tree(roots), dir: f.out, diags: diags, selection: f.sel}
	if r.dir == "" {
		r.dir = filepath.Join(p.Source.Dir, "out")
	}
	return r, nil
}

func (a *app) render(ctx context.Context, args []string, f *renderFlags) error {
	if f.merge && (f.force || f.check) {
		return usageError{errors.New("--merge goes neither with --force, which gives edits up, nor with --check, which writes nothing")}
	}
	r, err := a.renderAll(args, f)
	if err != nil {
		return err
	}
	if f.check {
		return a.differences(r, true)
	}
	plan, err := output.Write(ctx, r.dir, r.tree, output.Options{
		Force: f.force, Merge: f.merge, Base: project.Committed(r.dir), Tool: version(), Within: r.within(),
	})
	if err != nil {
		return err
	}
	a.warn(r.project, r.diags)
	switch a.format {
	case "json":
		a.printJSON(renderDocument(r, plan))
		return nil
	case "sarif":
		a.printJSON(sarif(r.diags))
		return nil
	}
	a.note("Rendered %s into %s: %s.", r.project.Source.Name, r.dir, summary(plan))
	for _, root := range r.roots {
		a.note("%s", coverageLine(root))
	}
	return nil
}

func summary(p output.Plan) string {
	text := fmt.Sprintf("%d new, %d changed, %d removed, %d unchanged", len(p.Created), len(p.Changed), len(p.Removed), len(p.Unchanged))
	if len(p.Merged) > 0 {
		text += fmt.Sprintf("; %d with your edits", len(p.Merged))
	}
	return text
}

// coverageLine says how many points of the named patterns the output realises,
// and which patterns have others.
func coverageLine(root *project.Root) string {
	counts := map[string]int{}
	var patterns []string
	for _, c := range root.Result.Coverage {
		counts[c.Status]++
		if c.Status != render.Covered && !slices.Contains(patterns, c.Pattern) {
			patterns = append(patterns, c.Pattern)
		}
	}
	total := len(root.Result.Coverage)
	line := fmt.Sprintf("%s: %d of %d points of the named patterns are covered", root.Folder, counts[render.Covered], total)
	if len(patterns) == 0 {
		return line + "."
	}
	var rest []string
	for _, status := range []string{render.Approximated, render.Missing, render.Unknown} {
		if counts[status] > 0 {
			rest = append(rest, fmt.Sprintf("%d %s", counts[status], status))
		}
	}
	return fmt.Sprintf("%s (%s; see 'scaffold explain %s').", line, strings.Join(rest, ", "), strings.Join(patterns, "', '"))
}

type renderJSON struct {
	Blueprint string         `json:"blueprint"`
	Folder    string         `json:"folder"`
	Created   []string       `json:"created"`
	Changed   []string       `json:"changed"`
	Removed   []string       `json:"removed"`
	Unchanged int            `json:"unchanged"`
	Merged    []string       `json:"merged"`
	Coverage  []coverageJSON `json:"coverage"`
}

type coverageJSON struct {
	Root      string   `json:"root"`
	Component string   `json:"component"`
	Pattern   string   `json:"pattern"`
	Point     string   `json:"point"`
	Status    string   `json:"status"`
	By        []string `json:"by,omitempty"`
	Why       string   `json:"why,omitempty"`
}

func renderDocument(r *rendering, p output.Plan) renderJSON {
	doc := renderJSON{
		Blueprint: r.project.Source.Name, Folder: filepath.ToSlash(r.dir), Unchanged: len(p.Unchanged),
		Created: notNil(p.Created), Changed: notNil(p.Changed), Removed: notNil(p.Removed), Merged: notNil(p.Merged), Coverage: []coverageJSON{},
	}
	for _, root := range r.roots {
		for _, c := range root.Result.Coverage {
			doc.Coverage = append(doc.Coverage, coverageJSON{root.Folder, c.Component.Path, c.Pattern, c.Point.ID, c.Status, c.By, c.Why})
		}
	}
	return doc
}

func notNil(names []string) []string {
	if names == nil {
		return []string{}
	}
	return names
}
