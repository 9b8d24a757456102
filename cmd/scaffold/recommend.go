package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/blueprints/recommend"
	"scaffold/cmd/project"
)

const recommendHelp = `Say which patterns of the catalogue fit what you need, why, and what is not known.
The figures are the catalogue's rules of thumb, not measurements and no promise.

  scaffold recommend --latency 50ms --rps 8000 --availability 99.95 --read-ratio .9
  scaffold recommend --rps 200k --worldwide --explain     every term of every score
  scaffold recommend --availability 99.9 --write shop/scaffold.hcl

A score is the mean of what counts for a pattern, each term by its weight, in
percent. What the catalogue says nothing of does not count, and is listed.`

type recommendFlags struct {
	asked      recommend.Asked
	profile    string
	extensions []string
	explain    bool
	write      string
	targets    []string
}

func (a *app) recommendCommand() *cobra.Command {
	f := &recommendFlags{}
	cmd := &cobra.Command{
		Use: "recommend", Short: "Say which patterns fit what you need", Long: recommendHelp, Args: args(0, 0), Annotations: map[string]string{plain: "true"},
		RunE: func(*cobra.Command, []string) error { return a.recommend(f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.asked.Latency, "latency", "", "how soon an answer has to come: 50ms")
	flags.StringVar(&f.asked.Throughput, "rps", "", "requests a second at the busiest time: 8000 or 8k")
	flags.StringVar(&f.asked.Availability, "availability", "", "the share of time that it has to answer, in percent: 99.95")
	flags.StringVar(&f.asked.Reads, "read-ratio", "", "the share of requests that only read: 0.9 or 90%")
	flags.BoolVar(&f.asked.Worldwide, "worldwide", false, "users are all over the world")
	flags.StringVar(&f.profile, "profile", "", "weigh as this profile says")
	flags.StringSliceVar(&f.extensions, "extension", nil, "a folder with definitions of your own (default: those of the blueprint at hand)")
	flags.BoolVar(&f.explain, "explain", false, "show every term of every score and where it comes from")
	flags.StringVar(&f.write, "write", "", "write a first blueprint with what is recommended; never over a file")
	flags.StringSliceVar(&f.targets, "target", []string{"aws", "kubernetes"}, "the targets of the blueprint that is written")
	_ = cmd.RegisterFlagCompletionFunc("profile", ofCatalogue("profiles"))
	_ = cmd.RegisterFlagCompletionFunc("target", ofCatalogue("targets"))
	return cmd
}

func (a *app) recommend(f *recommendFlags) error {
	needs, err := f.asked.Parse()
	if err != nil {
		return usageError{err}
	}
	p, err := a.catalogue(f.extensions)
	if err != nil {
		return err
	}
	if err := checkRecommend(p.Catalog, f); err != nil {
		return err
	}
	report, diags := p.Recommend(needs, f.profile)
	if diags.HasErrors() {
		return a.report(p, diags)
	}
	var written *writtenJSON
	if f.write != "" {
		if written, err = a.writeRecommended(p, report, f); err != nil {
			return err
		}
	}
	if a.format == "json" {
		document := recommendJSON(report)
		document.Written = written
		a.printJSON(document)
		return nil
	}
	a.printRecommendation(report, f.explain)
	if written != nil {
		a.noteWritten(written)
	}
	return nil
}

func checkRecommend(c *blueprints.Catalog, f *recommendFlags) error {
	if f.profile != "" && !c.Has("profiles", f.profile) {
		return usageError{noSuchProfile(c, f.profile)}
	}
	if f.write == "" {
		return nil
	}
	return checkTargets(c, f.targets)
}

// writeRecommended writes the first blueprint. Whatever is there already stays.
func (a *app) writeRecommended(p *project.Project, r *recommend.Report, f *recommendFlags) (*writtenJSON, error) {
	extensions, err := extensionsFrom(filepath.Dir(f.write), p.Extensions())
	if err != nil {
		return nil, err
	}
	data, left, diags := p.Recommended(r, nameFromFolder(filepath.Dir(f.write)), f.targets, extensions)
	if diags.HasErrors() {
		return nil, a.report(p, diags)
	}
	if err := os.MkdirAll(filepath.Dir(f.write), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.write, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already, and recommend does not overwrite a file; choose another name", f.write)
	}
	if err != nil {
		return nil, err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(f.write))
	}
	return &writtenJSON{filepath.ToSlash(f.write), append([]string{}, left...)}, nil
}

// extensionsFrom writes folders as a blueprint in dir names them.
func extensionsFrom(dir string, folders []string) ([]string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, folder := range folders {
		to, err := filepath.Abs(folder)
		if err != nil {
			return nil, err
		}
		rel, err := filepath.Rel(from, to)
		if err != nil {
			return nil, err
		}
		if rel = filepath.ToSlash(rel); !strings.HasPrefix(rel, ".") {
			rel = "./" + rel
		}
		out = append(out, rel)
	}
	return out, nil
}

func (a *app) noteWritten(w *writtenJSON) {
	a.note("\nWrote %s.", w.Blueprint)
	if len(w.Left) > 0 {
		a.note("It has no place for %s: add by hand what you want of it.", list(w.Left))
	}
	a.note("\nNext:\n  scaffold validate %s   check it", w.Blueprint)
}

// catalogue opens the definitions of the folders, or those that the blueprint at
// hand names.
func (a *app) catalogue(dirs []string) (*project.Project, error) {
	if len(dirs) == 0 {
		return a.openOrEmpty()
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, usageError{fmt.Errorf("--extension names the folder %s, and there is no such folder", dir)}
		}
	}
	p, diags := project.Extended(dirs...)
	if diags.HasErrors() {
		return nil, a.report(p, diags)
	}
	return p, nil
}

func noSuchProfile(c *blueprints.Catalog, name string) error {
	return fmt.Errorf("there is no profile %q; profiles are %s", name, list(c.Names("profiles")))
}
