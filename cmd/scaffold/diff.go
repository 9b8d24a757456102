package main

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"scaffold/render/output"
)

const diffHelp = `Show what a render would change in the output folder, as a unified diff. Nothing is
written. The exit code is 0 where nothing differs and 2 where something does, so it
serves as the check in CI that rendered files were committed.

  scaffold diff
  scaffold diff --stat`

func (a *app) diffCommand() *cobra.Command {
	f := &renderFlags{}
	stat := false
	cmd := &cobra.Command{
		Use: "diff [BLUEPRINT]", Short: "Show what a render would change", Long: diffHelp, Args: args(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.renderAll(args, f)
			if err != nil {
				return err
			}
			return a.differences(r, stat)
		},
	}
	a.selectionFlags(cmd, f)
	cmd.Flags().BoolVar(&stat, "stat", false, "list the files only")
	return cmd
}

// differences prints what differs and ends with exit code 2 if anything does.
func (a *app) differences(r *rendering, brief bool) error {
	plan, err := output.Compare(r.dir, r.tree, r.within()...)
	if err != nil {
		return err
	}
	switch {
	case a.format == "json":
		a.printJSON(renderDocument(r, plan))
	case a.format == "sarif":
		a.printJSON(sarif(append(r.diags, outdated(r, plan)...)))
	case brief:
		a.listChanges(r, plan)
	default:
		text, err := output.Diff(r.dir, r.tree, r.within()...)
		if err != nil {
			return err
		}
		fmt.Fprint(a.out, text)
	}
	a.warn(r.project, r.diags)
	if plan.Empty() {
		a.note("%s holds what %s renders.", r.dir, r.project.Source.Name)
		return nil
	}
	a.note("%s differs from what %s renders: %s. Run 'scaffold render' to update it.", r.dir, r.project.Source.Name, summary(plan))
	return exitCode(exitDifference)
}

// outdated are the files that differ, as problems.
func outdated(r *rendering, plan output.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	add := func(file, how string) {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: "Not as rendered",
			Detail:  fmt.Sprintf("The file %s. Run 'scaffold render' and commit what it writes.", how),
			Subject: &hcl.Range{Filename: filepath.ToSlash(filepath.Join(r.dir, file)), Start: hcl.InitialPos, End: hcl.InitialPos},
		})
	}
	for _, group := range []struct {
		how   string
		files []string
	}{{"is rendered, and is not there", plan.Created}, {"is rendered differently", plan.Changed}, {"is no longer rendered", plan.Removed}} {
		for _, file := range group.files {
			add(file, group.how)
		}
	}
	for _, c := range plan.Conflicts {
		add(c.Path, c.Reason)
	}
	return diags
}

func (a *app) listChanges(r *rendering, plan output.Plan) {
	for _, group := range []struct {
		mark  string
		paths []string
	}{{"+", plan.Created}, {"~", plan.Changed}, {"-", plan.Removed}} {
		for _, path := range group.paths {
			fmt.Fprintf(a.out, "%s %s\n", group.mark, filepath.ToSlash(filepath.Join(r.dir, path)))
		}
	}
	for _, c := range plan.Conflicts {
		fmt.Fprintf(a.out, "! %s\n", c)
	}
}
