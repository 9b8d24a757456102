package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"scaffold/blueprints"
)

const fmtHelp = `Rewrite blueprints, definitions and packs in the canonical layout, the one that
'terraform fmt' uses. The names of changed files are printed.

  scaffold fmt                 the blueprint in this folder
  scaffold fmt -r platform     all .hcl files below a folder
  scaffold fmt --check         write nothing; exit with 2 if a file would change
  scaffold fmt -               from standard input to standard output`

type fmtFlags struct{ check, diff, recursive bool }

func (a *app) fmtCommand() *cobra.Command {
	f := &fmtFlags{}
	cmd := &cobra.Command{
		Use: "fmt [FILE|DIR|-]...", Short: "Format blueprints and definitions", Long: fmtHelp,
		RunE: func(_ *cobra.Command, args []string) error { return a.fmt(args, f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "write nothing; exit with 2 if a file would change")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "print what changes")
	cmd.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "go into folders below")
	return cmd
}

func (a *app) fmt(args []string, f *fmtFlags) error {
	if len(args) == 1 && args[0] == "-" {
		return a.fmtStdin(f)
	}
	if slices.Contains(args, "-") {
		return usageError{fmt.Errorf("- is standard input, and stands alone")}
	}
	files, err := formatFiles(args, f.recursive)
	if err != nil {
		return err
	}
	changed := []string{}
	var diags hcl.Diagnostics
	sources := map[string]*hcl.File{}
	for _, file := range files {
		// A file that does not parse keeps none of the others from being formatted.
		did, moreDiags, err := a.fmtFile(file, f, sources)
		if err != nil {
			return err
		}
		diags = append(diags, moreDiags...)
		if did {
			changed = append(changed, filepath.ToSlash(file))
		}
	}
	if diags.HasErrors() {
		return a.reportIn(sources, diags)
	}
	switch a.format {
	case "json":
		a.printJSON(map[string][]string{"changed": changed})
	case "sarif":
		a.printJSON(sarif(unformatted(changed, f.check)))
	}
	if f.check && len(changed) > 0 {
		return exitCode(exitDifference)
	}
	return nil
}

// unformatted are the files that a check found, as problems.
func unformatted(files []string, check bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, file := range files {
		if check {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning, Summary: "Not formatted", Subject: &hcl.Range{Filename: file, Start: hcl.InitialPos, End: hcl.InitialPos},
				Detail: "The file is not in the canonical layout. Run 'scaffold fmt'.",
			})
		}
	}
	return diags
}

func formatFiles(args []string, recursive bool) ([]string, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && path != arg && (!recursive || strings.HasPrefix(d.Name(), ".")):
				return filepath.SkipDir
			case !d.IsDir() && strings.HasSuffix(path, ".hcl") && !strings.HasPrefix(d.Name(), "."):
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (a *app) fmtFile(file string, f *fmtFlags, sources map[string]*hcl.File) (bool, hcl.Diagnostics, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return false, nil, err
	}
	out, diags := format(src, filepath.ToSlash(file), sources)
	if diags.HasErrors() || bytes.Equal(src, out) {
		return false, diags, nil
	}
	if a.format == "text" {
		fmt.Fprintln(a.out, filepath.ToSlash(file))
	}
	if f.diff && a.format == "text" {
		a.printDiff(file, src, out)
	}
	if f.check {
		return true, nil, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return true, nil, err
	}
	return true, nil, replaceFile(file, out, info.Mode().Perm())
}

func (a *app) printDiff(name string, src, out []byte) {
	name = filepath.ToSlash(name)
	_, _ = a.out.Write(diff.Diff("old/"+name, src, "new/"+name, out))
}

// replaceFile puts the new content in place in one step, so that a reader never
// sees half a file.
func replaceFile(file string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".scaffold-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), mode); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

func format(src []byte, name string, sources map[string]*hcl.File) ([]byte, hcl.Diagnostics) {
	file, diags := blueprints.ParseHCL(src, name)
	sources[name] = file
	if diags.HasErrors() {
		return nil, diags
	}
	return hclwrite.Format(file.Bytes), nil
}

func (a *app) fmtStdin(f *fmtFlags) error {
	src, err := io.ReadAll(a.in)
	if err != nil {
		return err
	}
	sources := map[string]*hcl.File{}
	out, diags := format(src, "<stdin>", sources)
	if diags.HasErrors() {
		return a.reportIn(sources, diags)
	}
	if f.diff {
		a.printDiff("<stdin>", src, out)
	}
	if f.check {
		if !bytes.Equal(src, out) {
			return exitCode(exitDifference)
		}
		return nil
	}
	if f.diff {
		return nil
	}
	_, err = a.out.Write(out)
	return err
}
