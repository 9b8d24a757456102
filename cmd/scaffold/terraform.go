package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"scaffold/cmd/project"
	"scaffold/providers/terraform"
	"scaffold/render"
	"scaffold/render/output"
)

// terraformFlags are the flags of the commands that run terraform.
type terraformFlags struct {
	renderFlags
	program     string
	vars        []string
	varFiles    []string
	autoApprove bool
	detailed    bool
}

func (a *app) planCommand() *cobra.Command {
	f := &terraformFlags{}
	cmd := a.terraformCommand("plan", "Run terraform plan on the rendered roots", f, a.planRoot)
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 if there are changes")
	return cmd
}

func (a *app) applyCommand() *cobra.Command {
	f := &terraformFlags{}
	cmd := a.terraformCommand("apply", "Run terraform apply on the rendered roots", f, a.applyRoot)
	cmd.Flags().BoolVar(&f.autoApprove, "auto-approve", false, "do not ask before anything is changed")
	return cmd
}

func (a *app) destroyCommand() *cobra.Command {
	f := &terraformFlags{}
	cmd := a.terraformCommand("destroy", "Run terraform destroy on the rendered roots", f, a.destroyRoot)
	cmd.Flags().BoolVar(&f.autoApprove, "auto-approve", false, "do not ask before everything is removed")
	return cmd
}

const terraformHelp = `%s, in the order of the blueprint's targets.
The folder must hold what the blueprint renders now: after a change, or an edit by hand,
the command refuses until 'scaffold render' was run. Where terraform fails its exit code
is passed on.

  scaffold %s
  scaffold %s --env staging --target aws
  scaffold %s --terraform tofu`

// rootAction is what one of the commands does with one root.
type rootAction func(ctx context.Context, r terraform.Runner, root *project.Root, f *terraformFlags) (changes bool, err error)

func (a *app) terraformCommand(name, short string, f *terraformFlags, action rootAction) *cobra.Command {
	cmd := &cobra.Command{
		Use: name + " [BLUEPRINT]", Short: short, Long: fmt.Sprintf(terraformHelp, short, name, name, name), Args: args(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.eachRoot(cmd.Context(), args, f, action) },
	}
	a.selectionFlags(cmd, &f.renderFlags)
	cmd.Flags().StringVar(&f.program, "terraform", "", "the program to run (default: terraform, then tofu, on the PATH)")
	cmd.Flags().StringArrayVar(&f.vars, "tf-var", nil, "set a variable of the rendered root: NAME=VALUE")
	cmd.Flags().StringArrayVar(&f.varFiles, "tf-var-file", nil, "read variables of the rendered root from a file")
	return cmd
}

func (a *app) eachRoot(ctx context.Context, args []string, f *terraformFlags, action rootAction) error {
	r, err := a.renderAll(args, &f.renderFlags)
	if err != nil {
		return err
	}
	if err := refuseStale(r); err != nil {
		return err
	}
	results, changed := []rootJSON{}, false
	for _, root := range r.roots {
		if !hasConfig(root) {
			continue
		}
		changes, err := a.runRoot(ctx, r, root, f, action)
		if err != nil {
			if unset := f.unset(r, root); len(unset) > 0 && failedToPlan(err) {
				a.note("\n%s asks for values that are not set here: %s. Give them with --tf-var %s=VALUE, with --tf-var-file, or in a file terraform.tfvars of yours beside the rendered ones; the target's block of the blueprint takes most of them, too.",
					root.Folder, strings.Join(unset, ", "), unset[0])
			}
			return a.terraformFailure(err)
		}
		results = append(results, rootJSON{root.Folder, changes})
		changed = changed || changes
	}
	if len(results) == 0 {
		return fmt.Errorf("%s renders no Terraform for what was selected; manifests are applied with kubectl apply -k", r.project.Source.Name)
	}
	switch a.format {
	case "json":
		a.printJSON(map[string][]rootJSON{"roots": results})
	case "sarif":
		a.printJSON(sarif(r.diags))
	}
	if f.detailed && changed {
		return exitCode(exitDifference)
	}
	return nil
}

// rootJSON says what terraform came to in one root.
type rootJSON struct {
	Root    string `json:"root"`
	Changes bool   `json:"changes"`
}

func failedToPlan(err error) bool {
	var failed *terraform.CommandError
	return errors.As(err, &failed) && strings.HasSuffix(failed.Command, " plan")
}

// unset are the variables of a root without a default that no flag and nothing
// in the environment sets; none where a file may set them.
func (f *terraformFlags) unset(r *rendering, root *project.Root) []string {
	files, _ := filepath.Glob(filepath.Join(r.dir, filepath.FromSlash(root.Folder), "*.tfvars"))
	if len(files)+len(f.varFiles) > 0 {
		return nil
	}
	var names []string
	for _, file := range root.Result.Files {
		if file.Form != render.Config {
			continue
		}
		parsed, _ := hclsyntax.ParseConfig(file.Data, file.Path, hcl.InitialPos)
		for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
			if b.Type == "variable" && b.Body.Attributes["default"] == nil && !f.sets(b.Labels[0]) {
				names = append(names, b.Labels[0])
			}
		}
	}
	slices.Sort(names)
	return names
}

func (f *terraformFlags) sets(variable string) bool {
	_, set := os.LookupEnv("TF_VAR_" + variable)
	return set || slices.ContainsFunc(f.vars, func(v string) bool { return strings.HasPrefix(v, variable+"=") })
}

func refuseStale(r *rendering) error {
	stale, err := output.Stale(r.dir, r.tree, r.within()...)
	if err != nil {
		return err
	}
	if stale {
		return fmt.Errorf("%s does not hold what %s renders now; look at 'scaffold diff' and run 'scaffold render' first", r.dir, r.project.Source.Name)
	}
	return nil
}

func hasConfig(root *project.Root) bool {
	for _, f := range root.Result.Files {
		if f.Form == render.Config {
			return true
		}
	}
	return false
}

func (a *app) runRoot(ctx context.Context, r *rendering, root *project.Root, f *terraformFlags, action rootAction) (bool, error) {
	dir := filepath.Join(r.dir, filepath.FromSlash(root.Folder))
	runner, err := terraform.New(dir, terraform.Options{Program: f.program, Progress: a.err})
	if err != nil {
		return false, err
	}
	a.note("%s", dir)
	return action(ctx, runner, root, f)
}

func (f *terraformFlags) variables() terraform.Variables {
	return terraform.Variables{Set: f.vars, Files: f.varFiles}
}

func (a *app) planRoot(ctx context.Context, r terraform.Runner, _ *project.Root, f *terraformFlags) (bool, error) {
	return r.Plan(ctx, terraform.PlanOptions{Variables: f.variables()})
}

// applyRoot shows the plan, asks, and applies exactly that plan.
func (a *app) applyRoot(ctx context.Context, r terraform.Runner, root *project.Root, f *terraformFlags) (bool, error) {
	file, cleanup, err := planFile()
	if err != nil {
		return false, err
	}
	defer cleanup()
	changes, err := r.Plan(ctx, terraform.PlanOptions{Variables: f.variables(), Out: file})
	if err != nil || !changes {
		return changes, err
	}
	if err := a.confirm(f, "Apply these changes to "+root.Folder+"?"); err != nil {
		return false, err
	}
	return true, r.Apply(ctx, file, terraform.Variables{})
}

func planFile() (string, func(), error) {
	dir, err := os.MkdirTemp("", "scaffold-plan-*")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(dir, "plan"), func() { os.RemoveAll(dir) }, nil
}

func (a *app) destroyRoot(ctx context.Context, r terraform.Runner, root *project.Root, f *terraformFlags) (bool, error) {
	changes, err := r.Plan(ctx, terraform.PlanOptions{Variables: f.variables(), Destroy: true})
	if err != nil || !changes {
		return changes, err
	}
	if err := a.confirm(f, "Remove everything in "+root.Folder+"? There is no way back."); err != nil {
		return false, err
	}
	return true, r.Destroy(ctx, f.variables())
}

// confirm asks on a terminal; anywhere else only the flag counts as a yes.
func (a *app) confirm(f *terraformFlags, question string) error {
	if f.autoApprove {
		return nil
	}
	in, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || os.Getenv("CI") != "" {
		return usageError{fmt.Errorf("nobody is there to ask; say --auto-approve to go on without a question")}
	}
	fmt.Fprintf(a.err, "\n%s Only 'yes' goes on: ", question)
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "yes" {
		return fmt.Errorf("not confirmed; nothing was changed")
	}
	return nil
}

// terraformFailure passes terraform's exit code on. What terraform printed was
// shown while it ran.
func (a *app) terraformFailure(err error) error {
	code := terraform.Status(err)
	if code == 0 || code == exitError {
		return err
	}
	a.failure(err)
	return exitCode(code)
}
