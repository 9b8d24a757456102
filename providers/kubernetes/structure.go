package kubernetes

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/archive"
)

// checker holds the state of one document.
type checker struct {
	schemas  *Schemas
	doc      Document
	schema   *archive.Schema
	problems []Problem
	// loose is set below anyOf, oneOf, allOf and not, which add conditions on
	// fields but do not list them all.
	loose bool
}

func (s *Schemas) checker(doc Document) *checker {
	return &checker{schemas: s, doc: doc}
}

// document checks everything and returns the plain value of the document with
// the defaults of its schema filled in.
func (c *checker) document() any {
	if c.doc.root.Kind != yaml.MappingNode {
		c.report(c.doc.root, nil, summaryType, fmt.Sprintf("a manifest is an object, and this is %s", typeOf(c.doc.root)), "")
		return nil
	}
	schema, err := c.schemas.archive.Schema(c.doc.Kind)
	if err != nil {
		panic(err) // the archive is part of the program
	}
	if schema == nil {
		c.unknownKind()
		return c.free(c.doc.root, nil)
	}
	c.schema = schema
	value := c.value(c.doc.root, nil, schema.Node(schema.Root))
	if key, node := field(mappingField(c.doc.root, "metadata"), "namespace"); key != nil && schema.Cluster {
		c.report(node, (&path{name: "metadata"}).field("namespace"), summaryField,
			fmt.Sprintf("a %s belongs to no namespace", c.doc.Kind.Kind), "remove the line")
	}
	return value
}

func mappingField(node *yaml.Node, name string) *yaml.Node {
	_, value := field(node, name)
	return value
}

func (c *checker) unknownKind() {
	k := c.doc.Kind
	for _, name := range []string{"apiVersion", "kind"} {
		if scalarField(c.doc.root, name) == "" {
			c.report(c.doc.root, nil, summaryMissing, fmt.Sprintf("the document has no %s", name), "")
			return
		}
	}
	key, node := field(c.doc.root, "kind")
	var versions, names []string
	for _, known := range c.schemas.archive.Kinds() {
		if known.Kind == k.Kind {
			versions = append(versions, known.APIVersion())
		}
		if known.APIVersion() == k.APIVersion() {
			names = append(names, known.Kind)
		}
	}
	fix := ""
	switch near := nearest(k.Kind, names); {
	case len(versions) > 0:
		key, node = field(c.doc.root, "apiVersion")
		fix = fmt.Sprintf("%s is in %s", k.Kind, strings.Join(versions, ", "))
	case near != "":
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	c.report(node, (*path)(nil).field(key.Value), summaryKind,
		fmt.Sprintf("no schema for kind %s in %s", k.Kind, k.APIVersion()), fix)
}

// report adds a problem at a node.
func (c *checker) report(node *yaml.Node, at *path, summary, message, fix string) {
	width := 1
	if node.Kind == yaml.ScalarNode && node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && !strings.Contains(node.Value, "\n") {
		width = len([]rune(node.Value))
		if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			width += 2
		}
	}
	c.problems = append(c.problems, Problem{
		File: c.doc.File, Line: node.Line, Column: node.Column, EndColumn: node.Column + width,
		Path: at.String(), Summary: summary, Message: message, Fix: fix,
	})
}

// value checks a node against a schema and returns its plain value: nil, bool,
// int64, float64, string, []any or map[string]any.
func (c *checker) value(node *yaml.Node, at *path, n *archive.Node) any {
	node = behind(node)
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" {
		if !n.Nullable {
			c.report(node, at, summaryType, "the value is empty", "give "+wanted(n)+" or remove the line")
		}
		return nil
	}
	before := len(c.problems)
	var plain any
	switch {
	case n.Type == "object":
		plain = c.object(node, at, n)
	case n.Type == "array":
		plain = c.list(node, at, n)
	case n.Type != "" || n.IntOrString:
		plain = c.scalar(node, at, n)
	default:
		plain = c.untyped(node, at, n)
	}
	c.enum(node, at, n, plain)
	c.combinations(node, at, n)
	// Rules may rely on what the schema promises, so they wait until it holds.
	if len(c.problems) == before {
		c.rules(node, at, n, plain)
	}
	return plain
}

// untyped checks a node whose schema names no type: either free-form, or a
// part of a combination.
func (c *checker) untyped(node *yaml.Node, at *path, n *archive.Node) any {
	switch {
	case node.Kind == yaml.MappingNode && (n.Properties != nil || n.Values != nil || n.Required != nil || n.MinProperties != nil || n.MaxProperties != nil):
		return c.object(node, at, n)
	case node.Kind == yaml.SequenceNode && (n.Items != nil || n.MinItems != nil || n.MaxItems != nil):
		return c.list(node, at, n)
	case node.Kind == yaml.ScalarNode:
		plain := c.plainScalar(node, at)
		c.limits(node, at, n, plain)
		return plain
	}
	return c.free(node, at)
}

// free reads a value that no schema describes; YAML itself can still be wrong.
func (c *checker) free(node *yaml.Node, at *path) any {
	switch node = behind(node); node.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		c.fields(node, at, func(key, value *yaml.Node, inside *path) {
			m[key.Value] = c.free(value, inside)
		})
		return m
	case yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, item := range node.Content {
			list[i] = c.free(item, at.item(i))
		}
		return list
	}
	return c.plainScalar(node, at)
}

// fields visits the fields of an object, each name once.
func (c *checker) fields(node *yaml.Node, at *path, visit func(key, value *yaml.Node, inside *path)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := behind(node.Content[i]), node.Content[i+1]
		inside := at.field(key.Value)
		if line, twice := seen[key.Value]; twice {
			c.report(key, inside, summaryDuplicate, fmt.Sprintf("the key is already on line %d, and only one of the two would count", line), "remove one of them")
			continue
		}
		seen[key.Value] = key.Line
		if key.Kind == yaml.ScalarNode {
			c.trap(key, inside)
		}
		visit(key, value, inside)
	}
}

func (c *checker) object(node *yaml.Node, at *path, n *archive.Node) any {
	if node.Kind != yaml.MappingNode {
		c.wrongType(node, at, n)
		return nil
	}
	plain := map[string]any{}
	c.fields(node, at, func(key, value *yaml.Node, inside *path) {
		plain[key.Value] = c.property(key, value, inside, n)
	})
	for _, name := range n.Required {
		if _, ok := plain[name]; !ok && !c.hasDefault(n, name) {
			c.report(c.keyOf(node), at, summaryMissing, fmt.Sprintf("%s is required", name), "")
		}
	}
	c.defaults(plain, n)
	c.amount(node, at, "field", len(plain), n.MinProperties, n.MaxProperties)
	return plain
}

// keyOf is where a missing field of an object is shown: its first line.
func (c *checker) keyOf(node *yaml.Node) *yaml.Node {
	if len(node.Content) > 0 && node.Style&yaml.FlowStyle == 0 {
		return node.Content[0]
	}
	return node
}

func (c *checker) property(key, value *yaml.Node, at *path, n *archive.Node) any {
	if ref, ok := n.Properties[key.Value]; ok {
		return c.value(value, at, c.schema.Node(ref))
	}
	if n.Values != nil {
		c.format(key, at, n.KeyFormat, key.Value)
		return c.value(value, at, c.schema.Node(*n.Values))
	}
	if !n.Open && !c.loose {
		c.unknownField(key, at, n)
	}
	if c.loose {
		// The field is checked where it is declared.
		return nil
	}
	return c.free(value, at)
}

func (c *checker) unknownField(key *yaml.Node, at *path, n *archive.Node) {
	names := make([]string, 0, len(n.Properties))
	for name := range n.Properties {
		names = append(names, name)
	}
	sort.Strings(names)
	fix := ""
	switch near := nearest(key.Value, names); {
	case near != "":
		fix = fmt.Sprintf("did you mean %s?", near)
	case len(names) == 0:
		fix = "nothing may be written here"
	case len(names) <= 8:
		fix = "possible are " + strings.Join(names, ", ")
	}
	if at.parent == nil && key.Value == "status" {
		fix = "controllers write the status; remove it"
	}
	c.report(key, at, summaryField, fmt.Sprintf("a %s has no field %s here", c.doc.Kind.Kind, key.Value), fix)
}

func (c *checker) list(node *yaml.Node, at *path, n *archive.Node) any {
	if node.Kind != yaml.SequenceNode {
		c.wrongType(node, at, n)
		return nil
	}
	plain := make([]any, len(node.Content))
	for i, item := range node.Content {
		switch {
		case n.Items != nil:
			plain[i] = c.value(item, at.item(i), c.schema.Node(*n.Items))
		case c.loose:
		default:
			plain[i] = c.free(item, at.item(i))
		}
	}
	c.amount(node, at, "item", len(plain), n.MinItems, n.MaxItems)
	c.unique(node, at, n, plain)
	return plain
}

// unique checks that no two items of a set are equal, and that no two items of
// a list that is a map have the same keys.
func (c *checker) unique(node *yaml.Node, at *path, n *archive.Node, items []any) {
	if !n.Set && n.Keys == nil {
		return
	}
	for i, item := range items {
		for j := range i {
			if !sameItem(item, items[j], n.Keys) {
				continue
			}
			what := fmt.Sprintf("the same item as line %d", node.Content[j].Line)
			if n.Keys != nil {
				what = fmt.Sprintf("%s as on line %d, and an item is known by that", keyText(item, n.Keys), node.Content[j].Line)
			}
			c.report(behind(node.Content[i]), at.item(i), summaryDuplicate, what, "")
			break
		}
	}
}

func sameItem(a, b any, keys []string) bool {
	if keys == nil {
		return reflect.DeepEqual(a, b)
	}
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	if x == nil || y == nil {
		return false
	}
	for _, key := range keys {
		if !reflect.DeepEqual(x[key], y[key]) {
			return false
		}
	}
	return true
}

func keyText(item any, keys []string) string {
	m, _ := item.(map[string]any)
	var parts []string
	for _, key := range keys {
		if value, ok := m[key]; ok {
			parts = append(parts, fmt.Sprintf("%s %v", key, value))
		}
	}
	return strings.Join(parts, ", ")
}

func (c *checker) amount(node *yaml.Node, at *path, what string, have int, least, most *int) {
	if least != nil && have < *least {
		c.report(node, at, summaryValue, fmt.Sprintf("%s, and at least %d must be there", plural(have, what), *least), "")
	}
	if most != nil && have > *most {
		c.report(node, at, summaryValue, fmt.Sprintf("%s, and at most %d may be there", plural(have, what), *most), "")
	}
}

func plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
