package kubernetes

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mutant is a manifest with one edit.
type mutant struct {
	kind string
	path string // of the edited node, list positions as [*]
	edit string // what was done
	text []byte
}

func (m mutant) String() string { return m.kind + " " + m.path + " " + m.edit }

// edit changes one node of a tree and says how, or does not apply to it. It
// returns what undoes the change.
type edit struct {
	name  string
	apply func(s site) (undo func(), ok bool)
}

// site is a node together with where it hangs.
type site struct {
	node   *yaml.Node
	parent *yaml.Node
	index  int // of node in parent.Content
	path   string
}

// edits are the ways to spoil a manifest.
var edits = []edit{
	{"deleted", func(s site) (func(), bool) {
		return s.splice(func(content []*yaml.Node, from, to int) []*yaml.Node {
			return append(append([]*yaml.Node{}, content[:from]...), content[to:]...)
		})
	}},
	{"written twice", func(s site) (func(), bool) {
		return s.splice(func(content []*yaml.Node, from, to int) []*yaml.Node {
			return append(append(append([]*yaml.Node{}, content[:to]...), content[from:to]...), content[to:]...)
		})
	}},
	{"key with a letter more", renamed(func(key string) string { return key + "s" })},
	{"key with a letter less", renamed(func(key string) string { return key[:len(key)-1] })},
	{"key with another capital", renamed(func(key string) string {
		return strings.ToUpper(key[:1]) + key[1:]
	})},
	{"unknown field inside", func(s site) (func(), bool) {
		if s.node.Kind != yaml.MappingNode {
			return nil, false
		}
		old := s.node.Content
		s.node.Content = append(append([]*yaml.Node{}, old...), plain("nonesuch"), plain("1"))
		return func() { s.node.Content = old }, true
	}},
	{"empty list", replaced(func(n *yaml.Node) *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle} })},
	{"empty object", replaced(func(n *yaml.Node) *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle} })},
	{"= text", replaced(constantText("surprise"))},
	{"= empty text", replaced(constantText(""))},
	{"= bad name", replaced(constantText("Not_a Name!"))},
	{"= long text", replaced(constantText(strings.Repeat("a", 300)))},
	{"= number as text", replaced(constantText("15"))},
	{"= 7", replaced(constantPlain("7"))},
	{"= 0", replaced(constantPlain("0"))},
	{"= -1", replaced(constantPlain("-1"))},
	{"= 99999", replaced(constantPlain("99999"))},
	{"= 3000000000", replaced(constantPlain("3000000000"))},
	{"= 1.5", replaced(constantPlain("1.5"))},
	{"= true", replaced(constantPlain("true"))},
	{"= y", replaced(constantPlain("y"))},
	{"= on", replaced(constantPlain("on"))},
	{"= 0123", replaced(constantPlain("0123"))},
	{"= 1e3", replaced(constantPlain("1e3"))},
	{"= 250%", replaced(constantText("250%"))},
	{"= -5s", replaced(constantText("-5s"))},
	{"= 10Gi", replaced(constantText("10Gi"))},
	{"with a changed letter", func(s site) (func(), bool) {
		if s.node.Kind != yaml.ScalarNode || s.node.ShortTag() != "!!str" || len(s.node.Value) < 2 || strings.Contains(s.node.Value, "\n") {
			return nil, false
		}
		old := s.node.Value
		s.node.Value = old[:1] + "q" + old[2:]
		return func() { s.node.Value = old }, true
	}},
}

// splice edits the list that holds the node, or its key and its value.
func (s site) splice(change func(content []*yaml.Node, from, to int) []*yaml.Node) (func(), bool) {
	if s.parent == nil {
		return nil, false
	}
	from := s.index
	if s.parent.Kind == yaml.MappingNode {
		from--
	}
	old := s.parent.Content
	s.parent.Content = change(old, from, s.index+1)
	return func() { s.parent.Content = old }, true
}

func renamed(change func(string) string) func(site) (func(), bool) {
	return func(s site) (func(), bool) {
		if s.parent == nil || s.parent.Kind != yaml.MappingNode {
			return nil, false
		}
		key := s.parent.Content[s.index-1]
		old := key.Value
		if len(old) < 2 || change(old) == old {
			return nil, false
		}
		key.Value = change(old)
		return func() { key.Value = old }, true
	}
}

func replaced(by func(*yaml.Node) *yaml.Node) func(site) (func(), bool) {
	return func(s site) (func(), bool) {
		if s.parent == nil {
			return nil, false
		}
		old := s.parent.Content[s.index]
		s.parent.Content[s.index] = by(old)
		return func() { s.parent.Content[s.index] = old }, true
	}
}

func constantText(text string) func(*yaml.Node) *yaml.Node {
	return func(*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text, Style: yaml.DoubleQuotedStyle}
	}
}

func constantPlain(text string) func(*yaml.Node) *yaml.Node {
	return func(*yaml.Node) *yaml.Node { return plain(text) }
}

// The encoder quotes what could be misread, which is what some edits want to
// write. They write a mark, and the text is put in its place afterwards.
const markStart, markEnd = "PLAIN7", "7PLAIN"

func plain(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: markStart + hexed(text) + markEnd}
}

var marks = regexp.MustCompile(markStart + `([0-9a-f]*)` + markEnd)

func hexed(text string) string { return fmt.Sprintf("%x", text) }

func unmark(text []byte) []byte {
	return marks.ReplaceAllFunc(text, func(mark []byte) []byte {
		var plain []byte
		fmt.Sscanf(string(marks.FindSubmatch(mark)[1]), "%x", &plain)
		return plain
	})
}

// mutate makes one mutant of a document at random.
func mutate(doc Document, random *rand.Rand) mutant {
	var sites []site
	collect(site{node: doc.root}, &sites)
	for {
		s, e := sites[random.IntN(len(sites))], edits[random.IntN(len(edits))]
		if skipped[s.path] {
			continue
		}
		undo, ok := e.apply(s)
		if !ok {
			continue
		}
		var text bytes.Buffer
		encoder := yaml.NewEncoder(&text)
		encoder.SetIndent(2)
		err := encoder.Encode(doc.root)
		undo()
		if err == nil {
			return mutant{kind: doc.Kind.String(), path: s.path, edit: e.name, text: unmark(text.Bytes())}
		}
	}
}

// skipped nodes decide where the manifest is sent, which is the test's
// business and not the server's.
var skipped = map[string]bool{"": true, "apiVersion": true, "kind": true, "metadata": true, "metadata.name": true, "metadata.namespace": true}

func collect(s site, to *[]site) {
	*to = append(*to, s)
	for i, child := range s.node.Content {
		switch {
		case s.node.Kind == yaml.SequenceNode:
			collect(site{node: child, parent: s.node, index: i, path: s.path + "[*]"}, to)
		case i%2 == 1:
			name := s.node.Content[i-1].Value
			collect(site{node: child, parent: s.node, index: i, path: strings.TrimPrefix(s.path+"."+name, ".")}, to)
		}
	}
}
