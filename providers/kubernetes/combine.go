package kubernetes

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/archive"
)

func (c *checker) enum(node *yaml.Node, at *path, n *archive.Node, plain any) {
	if n.Enum == nil || plain == nil {
		return
	}
	var names []string
	for _, allowed := range n.Enum {
		if number, ok := allowed.(float64); ok && number == float64(int64(number)) {
			allowed = int64(number)
		}
		if allowed == plain {
			return
		}
		if text, ok := allowed.(string); !ok || text != "" {
			names = append(names, fmt.Sprint(allowed))
		}
	}
	fix := ""
	if near := nearest(fmt.Sprint(plain), names); near != "" {
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	c.report(node, at, summaryValue, fmt.Sprintf("%q is not one of %s", fmt.Sprint(plain), strings.Join(names, ", ")), fix)
}

// combinations checks allOf, anyOf, oneOf and not.
func (c *checker) combinations(node *yaml.Node, at *path, n *archive.Node) {
	for _, ref := range n.AllOf {
		c.problems = append(c.problems, c.quiet(node, at, ref)...)
	}
	if n.AnyOf != nil {
		c.choice(node, at, n.AnyOf, "at least one", func(met int) bool { return met > 0 })
	}
	if n.OneOf != nil {
		c.choice(node, at, n.OneOf, "exactly one", func(met int) bool { return met == 1 })
	}
	if n.Not != nil && len(c.quiet(node, at, *n.Not)) == 0 {
		c.report(node, at, summaryValue, "the schema excludes "+c.describe(*n.Not), "")
	}
}

func (c *checker) quiet(node *yaml.Node, at *path, ref archive.Ref) []Problem {
	inner := &checker{schemas: c.schemas, doc: c.doc, schema: c.schema, loose: true}
	inner.value(node, at, c.schema.Node(ref))
	return inner.problems
}

func (c *checker) choice(node *yaml.Node, at *path, refs []archive.Ref, word string, enough func(int) bool) {
	met := 0
	var wants []string
	for _, ref := range refs {
		if len(c.quiet(node, at, ref)) == 0 {
			met++
		}
		if want := c.describe(ref); !slices.Contains(wants, want) {
			wants = append(wants, want)
		}
	}
	if enough(met) {
		return
	}
	c.report(c.keyOf(node), at, summaryValue,
		fmt.Sprintf("%s of these must hold, and %d do: %s", word, met, strings.Join(wants, "; ")), "")
}

// describe says in words what a part of a combination asks for.
func (c *checker) describe(ref archive.Ref) string {
	n := c.schema.Node(ref)
	var parts []string
	if n.Required != nil {
		parts = append(parts, strings.Join(n.Required, " and ")+" set")
	}
	if n.Enum != nil {
		parts = append(parts, fmt.Sprintf("one of %v", n.Enum))
	}
	if n.Pattern != "" {
		parts = append(parts, "matching "+n.Pattern)
	}
	if n.Type != "" || n.IntOrString {
		parts = append(parts, wanted(n))
	}
	if n.Format != "" {
		parts = append(parts, "in the form "+n.Format)
	}
	if n.Not != nil {
		parts = append(parts, "not ("+c.describe(*n.Not)+")")
	}
	for _, more := range n.AnyOf {
		parts = append(parts, c.describe(more))
	}
	for name, child := range n.Properties {
		parts = append(parts, name+" "+c.describe(child))
	}
	sort.Strings(parts)
	if len(parts) == 0 {
		return "anything"
	}
	return strings.Join(parts, ", ")
}
