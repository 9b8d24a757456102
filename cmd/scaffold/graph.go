package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"scaffold/cmd/project"
)

const graphHelp = `Print the components of the blueprint and what they refer to, as a diagram: Mermaid,
which code hosts draw in Markdown, or DOT for Graphviz. What only some environments or
targets have says which.

  scaffold graph                             Mermaid
  scaffold graph --format dot | dot -Tsvg > graph.svg
  scaffold graph --format json --env staging`

func (a *app) graphCommand() *cobra.Command {
	f := &renderFlags{}
	cmd := &cobra.Command{
		Use: "graph [BLUEPRINT]", Short: "Draw the components and what they need", Long: graphHelp, Args: args(0, 1),
		Annotations: map[string]string{shapes: "mermaid dot"},
		RunE:        func(_ *cobra.Command, args []string) error { return a.graph(args, f) },
	}
	a.choiceFlags(cmd, f)
	return cmd
}

func (a *app) graph(args []string, f *renderFlags) error {
	p, err := a.open(args)
	if err != nil {
		return err
	}
	roots, diags := p.Resolve(f.sel)
	if diags.HasErrors() {
		return a.report(p, diags)
	}
	g := project.NewGraph(roots)
	switch {
	case a.format == "json":
		a.printJSON(graphDocument(g))
		return nil
	case a.shape == "dot":
		_, err = fmt.Fprint(a.out, dot(roots[0].Model.Blueprint.Name, g))
		return err
	}
	_, err = fmt.Fprint(a.out, mermaid(g))
	return err
}

type graphJSON struct {
	Nodes []nodeJSON `json:"nodes"`
	Edges []edgeJSON `json:"edges"`
}

type nodeJSON struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Name     string     `json:"name"`
	Patterns []string   `json:"patterns"`
	In       []string   `json:"in,omitempty"` // the folders that have it, where not all do
	Range    *jsonRange `json:"range,omitempty"`
}

type edgeJSON struct {
	From  string   `json:"from"`
	To    string   `json:"to"`
	Input string   `json:"input"`
	In    []string `json:"in,omitempty"`
}

func graphDocument(g *project.Graph) graphJSON {
	doc := graphJSON{Nodes: []nodeJSON{}, Edges: []edgeJSON{}}
	for _, n := range g.Nodes {
		doc.Nodes = append(doc.Nodes, nodeJSON{n.ID, n.Kind, n.Name, notNil(n.Patterns), n.In, rangeJSON(&n.Range)})
	}
	for _, e := range g.Edges {
		doc.Edges = append(doc.Edges, edgeJSON{e.From, e.To, e.Input, e.In})
	}
	return doc
}

func mermaid(g *project.Graph) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for _, n := range g.Nodes {
		lines := append([]string{only(n.Kind+" "+n.Name, n.In)}, n.Patterns...)
		for i, line := range lines {
			lines[i] = mermaidText(line)
		}
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", mermaidID(n.ID), strings.Join(lines, "<br>"))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -->|\"%s\"| %s\n", mermaidID(e.From), mermaidText(only(e.Input, e.In)), mermaidID(e.To))
	}
	return b.String()
}

// mermaidID is a word of Mermaid's, and no keyword, for the kind stands in front. Two
// components never get the same one: their names differ, and have no underscores.
func mermaidID(id string) string {
	return strings.NewReplacer(".", "__", "-", "_").Replace(id)
}

// mermaidText writes what would end a quoted text, or be read as HTML, Markdown
// or a directive in it, by its number.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range printable(s) {
		if strings.ContainsRune("\"#<>&`\\*%\t", r) || r == '\u2028' || r == '\u2029' {
			fmt.Fprintf(&b, "#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func dot(name string, g *project.Graph) string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir = LR\n  node [shape = box]\n", dotText(name))
	for _, n := range g.Nodes {
		lines := append([]string{only(n.Kind+" "+n.Name, n.In)}, n.Patterns...)
		fmt.Fprintf(&b, "  %s [label = %s]\n", dotText(n.ID), dotText(strings.Join(lines, "\n")))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -> %s [label = %s]\n", dotText(e.From), dotText(e.To), dotText(only(e.Input, e.In)))
	}
	b.WriteString("}\n")
	return b.String()
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "&", "&amp;")

func dotText(s string) string { return `"` + dotEscapes.Replace(s) + `"` }

// only adds the folders that have something, where not all do.
func only(s string, in []string) string {
	if len(in) == 0 {
		return s
	}
	return fmt.Sprintf("%s (%s)", s, strings.Join(in, ", "))
}
