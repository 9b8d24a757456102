package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/archive"
)

// Document is one parsed document of a YAML file.
type Document struct {
	File string
	Kind archive.Kind

	root *yaml.Node
}

// Parse splits a file into its documents. Empty documents are left out; a file
// that is not YAML is one problem.
func Parse(file string, text []byte) ([]Document, []Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var docs []Document
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, []Problem{notYAML(file, err)}
		}
		if node.Kind == 0 || len(node.Content) == 0 {
			continue
		}
		root := node.Content[0]
		if root.ShortTag() == "!!null" {
			continue
		}
		if budget := maxNodes; !affordable(root, &budget, map[*yaml.Node]bool{}) {
			return docs, []Problem{{File: file, Line: root.Line, Column: root.Column, Summary: summaryYAML,
				Message: "the aliases of this document lead in a circle or to too many values"}}
		}
		docs = append(docs, Document{File: file, Kind: kindOf(root), root: root})
	}
}

// maxNodes is far above any manifest; only aliases of aliases get there.
const maxNodes = 200_000

// affordable walks a document as the checks will, through its aliases.
func affordable(node *yaml.Node, budget *int, open map[*yaml.Node]bool) bool {
	if *budget--; *budget < 0 || open[node] {
		return false
	}
	if node.Kind == yaml.AliasNode {
		open[node] = true
		defer delete(open, node)
		return affordable(node.Alias, budget, open)
	}
	for _, child := range node.Content {
		if !affordable(child, budget, open) {
			return false
		}
	}
	return true
}

// parseAll parses files in the order of their names.
func parseAll(files map[string][]byte) ([]Document, []Problem) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	docs, problems := make([][]Document, len(names)), make([][]Problem, len(names))
	sideBySide(len(names), func(i int) { docs[i], problems[i] = Parse(names[i], files[names[i]]) })
	return slices.Concat(docs...), slices.Concat(problems...)
}

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

func notYAML(file string, err error) Problem {
	p := Problem{File: file, Line: 1, Column: 1, Summary: summaryYAML}
	text := err.Error()
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	p.Message = strings.TrimPrefix(text, "yaml: ")
	return p
}

func kindOf(root *yaml.Node) archive.Kind {
	k := archive.Kind{Kind: scalarField(root, "kind")}
	version := scalarField(root, "apiVersion")
	if group, rest, ok := strings.Cut(version, "/"); ok {
		k.Group, k.Version = group, rest
	} else {
		k.Version = version
	}
	return k
}

// field returns the key and the value of a field, or nils.
func field(node *yaml.Node, name string) (key, value *yaml.Node) {
	node = behind(node)
	if node == nil || node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

func scalarField(node *yaml.Node, name string) string {
	_, value := field(node, name)
	if value = behind(value); value == nil || value.Kind != yaml.ScalarNode {
		return ""
	}
	return value.Value
}

// behind follows an alias to its anchor.
func behind(node *yaml.Node) *yaml.Node {
	for node != nil && node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	return node
}

// path is a position in a document, shared between siblings.
type path struct {
	parent *path
	name   string
	index  int // of a list item; name is empty then
}

func (p *path) field(name string) *path { return &path{parent: p, name: name} }
func (p *path) item(i int) *path        { return &path{parent: p, index: i} }

var plainName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$-]*$`)

func (p *path) String() string {
	if p == nil {
		return ""
	}
	before := p.parent.String()
	switch {
	case p.name == "":
		return fmt.Sprintf("%s[%d]", before, p.index)
	case !plainName.MatchString(p.name):
		return fmt.Sprintf("%s[%q]", before, p.name)
	case before == "":
		return p.name
	}
	return before + "." + p.name
}
