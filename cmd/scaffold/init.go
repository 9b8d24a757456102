package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

const initHelp = `Write a first blueprint into an empty folder. A profile chooses what it starts with;
'scaffold patterns' lists what there is.

  scaffold init --profile high-availability
  scaffold init shop --profile scalability --target aws,kubernetes`

type initFlags struct {
	profile string
	targets []string
	name    string
	force   bool
}

func (a *app) initCommand() *cobra.Command {
	f := &initFlags{}
	cmd := &cobra.Command{
		Use: "init [DIR]", Short: "Write a first blueprint", Long: initHelp, Args: args(0, 1), Annotations: map[string]string{plain: "true"},
		RunE: func(_ *cobra.Command, args []string) error { return a.init(args, f) },
	}
	cmd.Flags().StringVar(&f.profile, "profile", "high-availability", "the profile to start from")
	cmd.Flags().StringSliceVar(&f.targets, "target", []string{"aws", "kubernetes"}, "the targets to render for")
	cmd.Flags().StringVar(&f.name, "name", "", "the blueprint's name (default: the folder's)")
	cmd.Flags().BoolVar(&f.force, "force", false, "write into a folder that is not empty")
	_ = cmd.RegisterFlagCompletionFunc("profile", ofCatalogue("profiles"))
	_ = cmd.RegisterFlagCompletionFunc("target", ofCatalogue("targets"))
	return cmd
}

func (a *app) init(args []string, f *initFlags) error {
	dir := "."
	if len(args) > 0 {
		dir = args[0]
	}
	p, diags := project.Empty()
	if diags.HasErrors() {
		return a.report(p, diags)
	}
	if err := checkInit(p.Catalog, f); err != nil {
		return err
	}
	name := f.name
	if name == "" {
		name = nameFromFolder(dir)
	}
	if !blueprints.ValidName(name) {
		return usageError{fmt.Errorf("%q is no name for a blueprint; take up to 24 lower case letters, digits and single hyphens, and start with a letter", name)}
	}
	if err := checkFolder(dir, f.force); err != nil {
		return err
	}
	data, diags := p.Starter(f.profile, name, f.targets)
	if diags.HasErrors() {
		return a.report(p, diags)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(dir, blueprints.DefaultFile)
	if err := replaceFile(file, data, 0o644); err != nil {
		return err
	}
	if a.format == "json" {
		a.printJSON(map[string]string{"blueprint": filepath.ToSlash(file)})
		return nil
	}
	a.note("Wrote %s.\n\nNext:\n  scaffold validate%s   check it\n  scaffold render%s     render it into %s", file, argument(args), argument(args), filepath.Join(dir, "out"))
	return nil
}

func argument(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return " " + args[0]
}

func checkInit(c *blueprints.Catalog, f *initFlags) error {
	if !c.Has("profiles", f.profile) {
		return usageError{noSuchProfile(c, f.profile)}
	}
	return checkTargets(c, f.targets)
}

func checkTargets(c *blueprints.Catalog, targets []string) error {
	if len(targets) == 0 {
		return usageError{fmt.Errorf("name at least one target: %s", strings.Join(c.Names("targets"), ", "))}
	}
	for _, t := range targets {
		if !c.Has("targets", t) {
			return usageError{fmt.Errorf("there is no target %q; targets are %s", t, strings.Join(c.Names("targets"), ", "))}
		}
	}
	return nil
}

// checkFolder refuses a folder with anything in it but version control.
func checkFolder(dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == blueprints.DefaultFile {
			return fmt.Errorf("%s is there already, and init does not overwrite a blueprint; choose another folder", filepath.Join(dir, e.Name()))
		}
		if !force && e.Name() != ".git" {
			return fmt.Errorf("%s is not empty (it holds %s); choose another folder, or say --force to write beside what is there", dir, e.Name())
		}
	}
	return nil
}

// nameFromFolder makes a name of a folder's that every target takes; some want
// two letters or more.
func nameFromFolder(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "app"
	}
	var out []rune
	for _, r := range strings.ToLower(filepath.Base(abs)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && len(out) > 0:
			out = append(out, r)
		case len(out) > 0 && out[len(out)-1] != '-':
			out = append(out, '-')
		}
	}
	out = out[:min(len(out), 24)]
	name := strings.Trim(string(out), "-")
	if len(name) < 2 || name == "this" {
		return "app"
	}
	return name
}
