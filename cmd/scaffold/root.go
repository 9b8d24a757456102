package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// Exit codes. They are part of the interface: see `scaffold help exit-codes`.
const (
	exitOK         = 0
	exitError      = 1  // an invalid blueprint, or a file that cannot be read or written
	exitDifference = 2  // diff, render --check, fmt --check, plan --detailed-exitcode: something differs
	exitUsage      = 64 // a wrong flag or argument (EX_USAGE of sysexits.h)
	exitSignal     = 128
)

// exitCode ends a command with a code and without a message: whatever there is
// to say was said.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a mistake in flags or arguments.
type usageError struct{ error }

// app is what every command has at hand.
type app struct {
	in       io.Reader
	out, err io.Writer

	chdir     string
	format    string
	shape     string // the one of a command's own formats that was asked for
	noColor   bool
	quiet     bool
	variables []string
}

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{in: in, out: out, err: errOut}
	a.format = askedFormat(args)
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	cmd, err := root.ExecuteContextC(ctx)
	return a.code(ctx, cmd, err)
}

// askedFormat finds the format before the flags are parsed, so that a mistake in
// them is told in it, too.
func askedFormat(args []string) string {
	asked := os.Getenv("SCAFFOLD_FORMAT")
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--format="); ok {
			asked = value
		} else if arg == "--format" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	if slices.Contains(formats, asked) {
		return asked
	}
	return formats[0]
}

// formats are those of --format; the first is for people.
var formats = []string{"text", "json", "sarif"}

// plain marks the commands whose results are no list of problems, so that they
// have no SARIF.
const plain = "plain"

// shapes lists the formats that a command has in place of text; the first is
// what text asks for. Problems are told as text with all of them.
const shapes = "shapes"

// formatsOf are the formats that a command takes.
func formatsOf(cmd *cobra.Command) []string {
	switch own := strings.Fields(cmd.Annotations[shapes]); {
	case len(own) > 0:
		return append(own, "json")
	case cmd.Annotations[plain] != "":
		return []string{"text", "json"}
	}
	return formats
}

func (a *app) code(ctx context.Context, cmd *cobra.Command, err error) int {
	var code exitCode
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case ctx.Err() != nil:
		fmt.Fprintln(a.err, "Interrupted.")
		return exitSignal + 2
	case errors.As(err, &usage), strings.HasPrefix(err.Error(), "unknown command"):
		a.failure(fmt.Errorf("%w\nRun '%s --help' for usage", err, cmd.CommandPath()))
		return exitUsage
	}
	a.failure(err)
	return exitError
}

const rootHelp = `scaffold turns a blueprint, which names scalability patterns, into Terraform and
Kubernetes files that read as if written by hand.

  scaffold init --profile high-availability   write a first blueprint
  scaffold render                             render it into ./out
  scaffold diff                               what a render would change

Every flag has an environment variable: --no-color is SCAFFOLD_NO_COLOR.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use: "scaffold", Short: "Scalable architecture from a blueprint", Long: rootHelp,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.chdir, "chdir", "C", "", "work in this folder")
	flags.StringVar(&a.format, "format", a.format, "how to print results and problems: text, json or sarif; some commands have others")
	flags.BoolVar(&a.noColor, "no-color", false, "print without colours")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print results and problems only")
	_ = root.RegisterFlagCompletionFunc("format", toFormats)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		a.initCommand(), a.fmtCommand(), a.validateCommand(), a.renderCommand(), a.diffCommand(),
		a.patternsCommand(), a.recommendCommand(), a.explainCommand(), a.showCommand(), a.schemaCommand(), a.graphCommand(), a.planCommand(), a.applyCommand(), a.destroyCommand(),
		a.versionCommand(), exitCodesTopic(),
	)
	return root
}

// prepare reads flags from the environment where the command line does not
// give them, and changes the folder.
func (a *app) prepare(cmd *cobra.Command) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "SCAFFOLD_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := os.Getenv(name); v != "" && !f.Changed && err == nil {
			if e := f.Value.Set(v); e != nil {
				err = usageError{fmt.Errorf("environment variable %s: %w", name, e)}
			}
		}
	})
	if err != nil {
		return err
	}
	if err := a.chooseFormat(cmd); err != nil {
		return err
	}
	if a.chdir != "" {
		if err := os.Chdir(a.chdir); err != nil {
			return err
		}
	}
	return nil
}

// chooseFormat holds the format against those of the command.
func (a *app) chooseFormat(cmd *cobra.Command) error {
	asked, own := a.format, strings.Fields(cmd.Annotations[shapes])
	switch {
	case slices.Contains(own, asked):
		a.shape, a.format = asked, "text"
	case asked == "text" && len(own) > 0:
		a.shape = own[0]
	case asked == "sarif" && (cmd.Annotations[plain] != "" || len(own) > 0):
		return usageError{fmt.Errorf("'scaffold %s' prints no problems of files, so its --format is %s", cmd.Name(), either(formatsOf(cmd)))}
	case !slices.Contains(formats, asked):
		a.format = "text"
		return usageError{fmt.Errorf("--format is %s, not %q", either(formatsOf(cmd)), asked)}
	}
	return nil
}

// either joins words: "text, json or sarif".
func either(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// args limits the number of arguments, with a message that names the command.
func args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || len(args) > most {
			return usageError{fmt.Errorf("'scaffold %s' takes %s, and was given %d", cmd.Name(), count(least, most), len(args))}
		}
		return nil
	}
}

func count(least, most int) string {
	switch {
	case most == 0:
		return "no arguments"
	case least == most && least == 1:
		return "one argument"
	case least == most:
		return fmt.Sprintf("%d arguments", least)
	}
	return fmt.Sprintf("%d to %d arguments", least, most)
}

// open finds and opens the blueprint that an argument names, or the one in the
// working folder or above it.
func (a *app) open(args []string) (*project.Project, error) {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	if name == "-" {
		return nil, usageError{errors.New("only 'scaffold validate' and 'scaffold fmt' read standard input: the blueprint's name stands in what is rendered")}
	}
	file, err := blueprints.Find(name)
	if err != nil {
		return nil, err
	}
	return a.opened(project.Open(file))
}

// openInput opens the blueprint on standard input; paths in it start from the
// working folder.
func (a *app) openInput() (*project.Project, error) {
	data, err := io.ReadAll(a.in)
	if err != nil {
		return nil, err
	}
	src, diags := blueprints.Parse(data, "<stdin>")
	if diags.HasErrors() {
		return nil, a.reportIn(src.Files, diags)
	}
	return a.opened(project.New(src))
}

func (a *app) opened(p *project.Project, diags hcl.Diagnostics) (*project.Project, error) {
	variables, err := a.parseVariables()
	if err != nil {
		return nil, err
	}
	p.Variables = variables
	if diags.HasErrors() {
		return nil, a.report(p, diags)
	}
	return p, nil
}

func (a *app) parseVariables() (map[string]string, error) {
	out := map[string]string{}
	for _, v := range a.variables {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return nil, usageError{fmt.Errorf("--var takes NAME=VALUE, not %q", v)}
		}
		out[name] = value
	}
	return out, nil
}

func (a *app) variableFlag(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.variables, "var", nil, "set a variable of the blueprint: NAME=VALUE")
}

// note prints progress for a person.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

const exitCodesHelp = `Every command ends with one of these codes:

  0    done; for diff, render --check and fmt --check: nothing differs
  1    an error: an invalid blueprint, or a file that cannot be read or written
  2    diff, render --check, fmt --check, plan --detailed-exitcode: something differs
  64   a wrong flag or argument
  130  interrupted

plan, apply and destroy pass on the code of terraform where terraform fails.`

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "The exit codes of all commands", Long: exitCodesHelp}
}
