package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

const showHelp = `Print the blueprint with every value that holds: what you set, what a profile sets,
and what is computed, each with where it comes from. As HCL it is a blueprint of one
environment that renders to the same files, with variables and locals worked in; as
JSON it has the values of every environment and target, as 'scaffold schema' says.

  scaffold show
  scaffold show --env staging --target aws
  scaffold show --format json | jq '.roots[0].components.service.web.pool'`

func (a *app) showCommand() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use: "show [BLUEPRINT]", Short: "Show every value that holds", Long: showHelp, Args: args(0, 1),
		Annotations: map[string]string{shapes: "hcl"},
		RunE:        func(_ *cobra.Command, args []string) error { return a.show(args, f) },
	}
	a.choiceFlags(cmd, f)
	return cmd
}

func (a *app) show(args []string, f *renderFlags) error {
	p, err := a.open(args)
	if err != nil {
		return err
	}
	if envs := p.Source.Environments(); len(envs) > 1 && f.sel.Environment == "" && a.format != "json" {
		return usageError{fmt.Errorf("%s has the environments %s, and HCL has the values of one: add --env %s, or print all of them with --format json", p.Source.Name, strings.Join(envs, ", "), envs[0])}
	}
	if a.format == "json" {
		roots, diags := p.Resolve(f.sel)
		if diags.HasErrors() {
			return a.report(p, diags)
		}
		a.printJSON(showDocument(p, roots))
		return nil
	}
	text, diags := p.Show(f.sel)
	if diags.HasErrors() {
		return a.report(p, diags)
	}
	_, err = a.out.Write(text)
	return err
}

type showJSON struct {
	Blueprint string         `json:"blueprint"`
	Roots     []showRootJSON `json:"roots"`
}

type showRootJSON struct {
	Folder      string                    `json:"folder"`
	Environment *string                   `json:"environment"`
	Target      map[string]map[string]any `json:"target"`
	Name        string                    `json:"name"`
	Profile     *string                   `json:"profile"`
	Labels      any                       `json:"labels"`
	// Components by kind and name.
	Components map[string]map[string]map[string]any `json:"components"`
	// Origins by the path of a value, as explain takes it.
	Origins map[string]originJSON `json:"origins"`
}

// originJSON says where a value comes from.
type originJSON struct {
	Source     string `json:"source"`
	File       string `json:"file,omitempty"`
	Line       int    `json:"line,omitempty"`
	Expression string `json:"expression,omitempty"` // what it is computed by
	Text       string `json:"text,omitempty"`       // an amount in its unit
}

func showDocument(p *project.Project, roots []*project.Root) showJSON {
	doc := showJSON{Blueprint: p.Source.Name, Roots: []showRootJSON{}}
	files := p.Sources()
	for _, root := range roots {
		m := root.Model
		d := &showRootJSON{
			Folder: root.Folder, Environment: unlessEmpty(m.Environment), Name: m.Blueprint.Name, Labels: m.Blueprint.Attr("labels").JSON(),
			Target: map[string]map[string]any{}, Components: map[string]map[string]map[string]any{}, Origins: map[string]originJSON{},
		}
		if m.Profile != nil {
			d.Profile = &m.Profile.ID
		}
		w := showWriter{d, func(attr *blueprints.Attr) string {
			return project.SourceLine(files, attr.Origin.Range)
		}}
		w.origin("blueprint.labels", m.Blueprint.Attr("labels"))
		d.Target[m.Target] = w.values(m.TargetInstance, m.TargetInstance.Path)
		for _, c := range m.Components {
			if d.Components[c.Kind] == nil {
				d.Components[c.Kind] = map[string]map[string]any{}
			}
			d.Components[c.Kind][c.Name] = w.values(c, c.Path)
		}
		doc.Roots = append(doc.Roots, *d)
	}
	return doc
}

func unlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type showWriter struct {
	root   *showRootJSON
	source func(*blueprints.Attr) string
}

// values are those of a block and of what stands in it.
func (w showWriter) values(inst *blueprints.Instance, path string) map[string]any {
	out := map[string]any{}
	for _, attr := range inst.Attrs() {
		if attr.IsInput() || attr.Origin.Source == "derived" {
			out[attr.Name] = attr.JSON()
			w.origin(path+"."+attr.Name, attr)
		}
	}
	for _, nested := range inst.Nested() {
		below := path + "." + nested.Kind
		switch {
		case nested.Listed():
			list, _ := out[nested.Kind].([]any)
			out[nested.Kind] = append(list, w.values(nested, fmt.Sprintf("%s[%d]", below, len(list))))
		case nested.Name != "":
			named, ok := out[nested.Kind].(map[string]any)
			if !ok {
				named = map[string]any{}
				out[nested.Kind] = named
			}
			named[nested.Name] = w.values(nested, below+"."+nested.Name)
		default:
			out[nested.Kind] = w.values(nested, below)
		}
	}
	return out
}

func (w showWriter) origin(path string, attr *blueprints.Attr) {
	o := originJSON{Source: attr.Origin.Source, File: attr.Origin.Range.Filename, Line: attr.Origin.Range.Start.Line}
	if len(attr.Origin.Inputs) > 0 {
		o.Expression = w.source(attr)
	}
	if text := attr.Show(); attr.HasUnit() && !attr.Value().IsNull() {
		o.Text = text
	}
	w.root.Origins[path] = o
}
