package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scaffold/cmd/project"
)

// drawn is what a reader finds in a drawing: the lines of each node's label by
// its id, and the edges with theirs.
type drawn struct {
	nodes map[string][]string
	edges [][3]string
}

// want is what a drawing has to say, with the ids that it has.
func want(g *project.Graph, id func(string) string) drawn {
	d := drawn{nodes: map[string][]string{}}
	for _, n := range g.Nodes {
		d.nodes[id(n.ID)] = append([]string{only(n.Kind+" "+n.Name, n.In)}, n.Patterns...)
	}
	for _, e := range g.Edges {
		d.edges = append(d.edges, [3]string{id(e.From), id(e.To), only(e.Input, e.In)})
	}
	return d
}

// TestGraph reads the drawings of all examples, and of words that mean something
// to the two languages, back to what they were made from.
func TestGraph(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "scaffold.hcl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	graphs := map[string]*project.Graph{"hostile words": hostileGraph()}
	for _, file := range files {
		p, diags := project.Open(file)
		if !diags.HasErrors() {
			roots, more := p.Resolve(project.Selection{})
			graphs[filepath.Base(filepath.Dir(file))], diags = project.NewGraph(roots), more
		}
		if diags.HasErrors() {
			t.Fatal(diags)
		}
	}
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := dot(`"shop" \`, g)
			if diff := cmp.Diff(want(g, func(s string) string { return s }), readDot(t, text), cmp.AllowUnexported(drawn{})); diff != "" {
				t.Errorf("DOT (-want +got):\n%s\n%s", diff, text)
			}
			askGraphviz(t, text)
			text = mermaid(g)
			if diff := cmp.Diff(want(g, mermaidID), readMermaid(t, text), cmp.AllowUnexported(drawn{})); diff != "" {
				t.Errorf("Mermaid (-want +got):\n%s\n%s", diff, text)
			}
		})
	}
}

// hostileGraph has words that no definition can bring today.
func hostileGraph() *project.Graph {
	g := &project.Graph{Nodes: []*project.Node{{ID: "service.end", Kind: "service", Name: "end"}}}
	for i, word := range []string{`a"b`, `a\`, `"];x["`, "<b>&lt;</b>", "a#quot;b", "`md` **x**", "a--b|c|{d}", "100% [x](y)", "été 💥", "$HOME %%{init}%%"} {
		id := fmt.Sprintf("service.n-%d", i)
		g.Nodes = append(g.Nodes, &project.Node{ID: id, Kind: "service", Name: word, Patterns: []string{word, word}, In: []string{word}})
		g.Edges = append(g.Edges, &project.Edge{From: "service.end", To: id, Input: word, In: []string{word}})
	}
	return g
}

const dotString = `"((?:[^"\\\n]|\\["\\n])*)"`

var (
	dotHead = regexp.MustCompile(`\A  ` + dotString + ` \[label = ` + dotString + `\]\z`)
	dotEdge = regexp.MustCompile(`\A  ` + dotString + ` -> ` + dotString + ` \[label = ` + dotString + `\]\z`)
	dotOpen = regexp.MustCompile(`\Adigraph ` + dotString + ` \{\n  rankdir = LR\n  node \[shape = box\]\n`)
)

// readDot takes what Graphviz's grammar has for nodes and edges with quoted
// texts, one to a line, and nothing else.
func readDot(t *testing.T, text string) drawn {
	t.Helper()
	body, ok := strings.CutSuffix(text, "}\n")
	head := dotOpen.FindString(text)
	if !ok || head == "" {
		t.Fatalf("no graph:\n%s", text)
	}
	meaning := func(s string) string {
		return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", "&amp;", "&").Replace(s)
	}
	d := drawn{nodes: map[string][]string{}}
	for _, line := range lines(body[len(head):]) {
		if m := dotHead.FindStringSubmatch(line); m != nil {
			d.nodes[meaning(m[1])] = strings.Split(meaning(m[2]), "\n")
		} else if m := dotEdge.FindStringSubmatch(line); m != nil {
			d.edges = append(d.edges, [3]string{meaning(m[1]), meaning(m[2]), meaning(m[3])})
		} else {
			t.Errorf("no node and no edge: %s", line)
		}
	}
	return d
}

const mermaidString = "\"([^\"`]*)\""

var (
	mermaidNode = regexp.MustCompile(`\A  (\w+)\[` + mermaidString + `\]\z`)
	mermaidEdge = regexp.MustCompile(`\A  (\w+) -->\|` + mermaidString + `\| (\w+)\z`)
	entity      = regexp.MustCompile(`#([0-9]+);`)
)

// readMermaid does the same for flowcharts. The only markup in a text is a break.
func readMermaid(t *testing.T, text string) drawn {
	t.Helper()
	body, ok := strings.CutPrefix(text, "flowchart LR\n")
	if !ok {
		t.Fatalf("no flowchart:\n%s", text)
	}
	meaning := func(s string) []string {
		var out []string
		for _, line := range strings.Split(s, "<br>") {
			if strings.ContainsAny(entity.ReplaceAllString(line, ""), `#<>&*%\`) {
				t.Errorf("markup in a text: %s", line)
			}
			out = append(out, entity.ReplaceAllStringFunc(line, func(e string) string {
				n, _ := strconv.Atoi(strings.Trim(e, "#;"))
				return string(rune(n))
			}))
		}
		return out
	}
	d := drawn{nodes: map[string][]string{}}
	for _, line := range lines(body) {
		if m := mermaidNode.FindStringSubmatch(line); m != nil && d.nodes[m[1]] == nil {
			d.nodes[m[1]] = meaning(m[2])
		} else if m := mermaidEdge.FindStringSubmatch(line); m != nil {
			d.edges = append(d.edges, [3]string{m[1], m[3], strings.Join(meaning(m[2]), "<br>")})
		} else {
			t.Errorf("no new node and no edge: %s", line)
		}
	}
	return d
}

func lines(s string) []string {
	all := strings.Split(s, "\n")
	return slices.DeleteFunc(all, func(line string) bool { return line == "" })
}

// askGraphviz lets Graphviz itself read the text, where it is installed.
func askGraphviz(t *testing.T, text string) {
	t.Helper()
	program, err := exec.LookPath("dot")
	if err != nil {
		t.Log("dot is not installed; the text was read by the test only")
		return
	}
	cmd := exec.Command(program, "-Tcanon")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestGraphIsTheSameAlways draws one blueprint many times: targets are resolved
// side by side.
func TestGraphIsTheSameAlways(t *testing.T) {
	t.Parallel()
	var first string
	for i := range 8 {
		var out bytes.Buffer
		file := filepath.Join("..", "..", "examples", "everything")
		if code := run(context.Background(), []string{"graph", file, "--format", "json"}, strings.NewReader(""), &out, &out); code != exitOK {
			t.Fatal(out.String())
		}
		if i > 0 && out.String() != first {
			t.Fatalf("another graph:\n%s", cmp.Diff(first, out.String()))
		}
		first = out.String()
	}
}
