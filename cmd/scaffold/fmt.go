package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
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
	files, err := formatFiles(args, f.recursive)
	if err != nil {
		return err
	}
	changed := 0
	for _, file := range files {
		did, err := a.fmtFile(file, f)
		if err != nil {
			return err
		}
		if did {
			changed++
		}
	}
	if f.check && changed > 0 {
		return exitCode(exitDifference)
	}
	return nil
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

func (a *app) fmtFile(file string, f *fmtFlags) (bool, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	out, err := a.format1(src, file)
	if err != nil || bytes.Equal(src, out) {
		return false, err
	}
	fmt.Fprintln(a.out, filepath.ToSlash(file))
	if f.diff {
		a.out.Write(diff.Diff("old/"+file, src, "new/"+file, out))
	}
	if f.check {
		return true, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return true, err
	}
	return true, replaceFile(file, out, info.Mode().Perm())
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

func (a *app) format1(src []byte, name string) ([]byte, error) {
	file, diags := blueprints.ParseHCL(src, name)
	if diags.HasErrors() {
		w := &diagnosticWriter{out: a.err, sources: map[string]*hcl.File{name: file}, color: a.color()}
		for _, d := range diags {
			w.write(d)
		}
		return nil, exitCode(exitError)
	}
	return hclwrite.Format(file.Bytes), nil
}

func (a *app) fmtStdin(f *fmtFlags) error {
	src, err := io.ReadAll(a.in)
	if err != nil {
		return err
	}
	out, err := a.format1(src, "<stdin>")
	if err != nil {
		return err
	}
	if f.check {
		if !bytes.Equal(src, out) {
			return exitCode(exitDifference)
		}
		return nil
	}
	_, err = a.out.Write(out)
	return err
}
