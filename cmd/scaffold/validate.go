package main

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"scaffold/cmd/project"
)

const validateHelp = `Check the blueprint: its language, its values, the rules over all layers, and what
would be rendered from it against the providers' schemas. Nothing is written and no
network, credentials or Terraform are needed.

  scaffold validate
  scaffold validate --format sarif > scaffold.sarif
  scaffold validate --strict         warnings count as errors
  scaffold validate -                from standard input, as editors do`

func (a *app) validateCommand() *cobra.Command {
	f := &renderFlags{}
	strict := false
	cmd := &cobra.Command{
		Use: "validate [BLUEPRINT|-]", Short: "Check the blueprint", Long: validateHelp, Args: args(0, 1),
		RunE: func(_ *cobra.Command, args []string) error { return a.validate(args, f, strict) },
	}
	a.choiceFlags(cmd, f)
	cmd.Flags().BoolVar(&strict, "strict", false, "let warnings fail the check")
	return cmd
}

func (a *app) validate(args []string, f *renderFlags, strict bool) error {
	open := func() (*project.Project, error) { return a.open(args) }
	if len(args) == 1 && args[0] == "-" {
		open = a.openInput
	}
	p, err := open()
	if err != nil {
		return err
	}
	_, diags := p.Render(f.sel)
	if err := a.report(p, diags); err != nil {
		return err
	}
	if strict && len(diags) > 0 {
		if a.format == "text" {
			a.note("%s is valid, but --strict lets no warning pass.", p.Source.Name)
		}
		return exitCode(exitError)
	}
	if a.format == "text" {
		a.note("%s is valid%s.", p.Source.Name, warnings(diags))
	}
	return nil
}

func warnings(diags hcl.Diagnostics) string {
	if len(diags) == 0 {
		return ""
	}
	return ", with warnings"
}
