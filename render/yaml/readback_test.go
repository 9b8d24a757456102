package yaml

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	reader "go.yaml.in/yaml/v3"
)

// hostile are strings that some reader or writer gets wrong. None of them may
// be written plain.
func hostile() []string {
	all := []string{
		"", " ", " a", "a ", "\t", "a\tb", "\n", "a\n", "\na", "a\nb", "a\n\n", " a\nb\n", "a\n b\n", "\ta\n", "a\n\tb\n", "a \nb\n",
		"\n\n  a\nb", "  \na\n", "a\n  \n", "a\n ", "a\r\nb\r\n", "\r", "a: b", "a:", ": a", "a #b", "#a", "- a", "-", "? a", "?", "---", "--- a",
		"...", "... a", "---\na: 1\n...\n", "&a", "*a", "!a", "!!int 1", "|", "|\n a", ">", "%a", "@a", "`a`", "'", "'a'", `"`, `"a"`, "[", "[a]", "]",
		"{", "{a: b}", "{{ .Values.x }}", "}", ",", "~", "=", "<<", "\x00", "a\x00b", "\x01\x1b[31m", "\x7f", "\u0085", "a\u0085b\n", "\u00a0", "\u2028",
		"\u2029", "\u200b", "\u202e", "\ufeff", "\ufeffa\nb", "\ufffe", "\uffff", "\U000e0001", "<<EOT\n${x}\nEOT\n", "$(x)\n`y`\n",
		strings.Repeat("x", 10000) + "\n", strings.Repeat("a: 'b' \"c\"\n", 1000), strings.Repeat("\x00", 2000),
	}
	all = append(all, strings.Fields(`y n yes no on off true false null Y N Yes NO On OFF True FALSE Null NULL
		0 00 012 0o17 0O17 0x1F 0X1f 0b11 0B1 1e3 1E3 1e+3 1.5e-3 1. .5 -.5 +1 -1 -0 1_000 0_x1F 0x_1 1,000 1.10 1.42.0 10.0.0.1
		12:30:45 190:20:30.15 1:2 .inf -.Inf +.INF .nan .NaN 2001-01-01 2001-1-1 2001-12-14t21:59:43.10-05:00 1e 1-42`)...)
	return append(all, "2001-12-14 21:59:43.10 -5")
}

// readsBack fails unless a reader of another author understands out as doc.
func readsBack(t *testing.T, doc *Node, out []byte) {
	t.Helper()
	var read reader.Node
	if err := reader.Unmarshal(out, &read); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if len(read.Content) != 1 {
		t.Fatalf("%d documents in\n%s", len(read.Content), out)
	}
	if err := same(doc, read.Content[0]); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
}

var tags = map[Kind]string{
	Null: "!!null", Bool: "!!bool", Number: "!!int", String: "!!str", Sequence: "!!seq", Mapping: "!!map",
}

func same(n *Node, read *reader.Node) error {
	if n == nil {
		n = NewNull()
	}
	tag := read.ShortTag()
	if tag == "!!float" {
		tag = "!!int"
	}
	if tag != tags[n.Kind] {
		return fmt.Errorf("%q is read as %s %q", n.Text, tag, read.Value)
	}
	switch n.Kind {
	case Mapping:
		if len(read.Content) != 2*len(n.Entries) {
			return fmt.Errorf("%d entries are read as %d nodes", len(n.Entries), len(read.Content))
		}
		for i, e := range n.Entries {
			if err := same(NewString(e.Key), read.Content[2*i]); err != nil {
				return fmt.Errorf("key: %w", err)
			}
			if err := same(e.Value, read.Content[2*i+1]); err != nil {
				return fmt.Errorf("%s: %w", e.Key, err)
			}
		}
	case Sequence:
		if len(read.Content) != len(n.Items) {
			return fmt.Errorf("%d items are read as %d", len(n.Items), len(read.Content))
		}
		for i, item := range n.Items {
			if err := same(item, read.Content[i]); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
	case String, Bool, Number:
		if read.Value != n.Text {
			return fmt.Errorf("%q is read as %q", n.Text, read.Value)
		}
	}
	return nil
}

// everywhere puts a string into each kind of place.
func everywhere(s string) *Node {
	return mapping(
		"value", s, "flow", flow(s, "x", s), "list", list(s, list(s, s), mapping("a", s, "b", 1)),
		s+"key", about(s, "above", "beside"), "last", about(list(about(s, "", "beside")), "", "", "below"), s, mapping(s, list(s)),
	)
}

func TestHostileStrings(t *testing.T) {
	for _, s := range hostile() {
		doc := everywhere(s)
		out, _ := Write(doc)
		readsBack(t, doc, out)
		readsBack(t, NewString(s), must(Write(NewString(s))))
	}
}

func must(out []byte, _ []Mark) []byte { return out }

// TestYAML11 asks a reader of YAML 1.1 for what it understands.
func TestYAML11(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import yaml").Run() != nil {
		t.Skip("no python3 with PyYAML")
	}
	var docs []string
	var want []any
	docs = append(docs, string(must(Write(random(300)))))
	want = append(want, plainValue(random(300)))
	for _, s := range append(hostile(), "plain", "👩‍💻", "日本", "$(x)", "${x}", "25%") {
		for _, doc := range []*Node{everywhere(s), NewString(s)} {
			docs = append(docs, string(must(Write(doc))))
			want = append(want, plainValue(doc))
		}
	}
	input, err := json.Marshal(docs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", "import sys, json, yaml\njson.dump([yaml.safe_load(d) for d in json.load(sys.stdin)], sys.stdout)")
	cmd.Stdin = strings.NewReader(string(input))
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
	}
	var got []any
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		a, _ := json.Marshal(want[i])
		b, _ := json.Marshal(got[i])
		if string(a) != string(b) {
			t.Errorf("want %.300s\ngot  %.300s\nfor\n%.300s", a, b, docs[i])
		}
	}
}

// random is a mapping with n strings of what confuses readers, the same each
// time.
func random(n int) *Node {
	r := rand.New(rand.NewPCG(1, 2))
	parts := strings.Split("a|b c|1|0|:|: | #|#|-|- |\n|\n\n| |  |\t|'|\"|\\|{|}|[|]|,|&|*|!|%|@|?|? |~|.|e|x|_|=|<<|ä|👩‍💻|\x00|\r|\u2028|...|---|no", "|")
	doc := NewMapping()
	for range n {
		var text strings.Builder
		for range r.IntN(8) {
			text.WriteString(parts[r.IntN(len(parts))])
		}
		s := text.String()
		doc.Set(s, list(s, flow(s, s), mapping("a", about(s, "", "beside"))))
	}
	return doc
}

// plainValue is what a reader should make of a tree, in Go's terms.
func plainValue(n *Node) any {
	switch n.Kind {
	case Mapping:
		m := map[string]any{}
		for _, e := range n.Entries {
			m[e.Key] = plainValue(e.Value)
		}
		return m
	case Sequence:
		l := []any{}
		for _, item := range n.Items {
			l = append(l, plainValue(item))
		}
		return l
	case Number:
		f, _ := strconv.ParseFloat(n.Text, 64)
		return f
	case Bool:
		return n.Text == "true"
	case Null:
		return nil
	}
	return n.Text
}

// FuzzWrite builds a tree from shape with the given texts in it, and reads it
// back.
func FuzzWrite(f *testing.F) {
	for i, s := range hostile() {
		f.Add([]byte{byte(i), 3, 1, 4, 1, 5, 9, 2, 6, 5}, s, "key", "comment")
		f.Add([]byte{2, 7, 1, 8, byte(i), 8, 1, 8}, "value", s, s)
	}
	f.Fuzz(func(t *testing.T, shape []byte, a, b, comment string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) || len(shape) > 100 {
			t.Skip()
		}
		g := &grower{shape: shape, texts: []string{a, b, a + b, "x"}, comment: comment}
		doc := g.grow(0)
		out, marks := Write(doc)
		readsBack(t, doc, out)
		if again, _ := Write(doc.Clone()); string(again) != string(out) {
			t.Fatalf("not the same twice:\n%s\n%s", out, again)
		}
		if len(marks) != strings.Count(string(out), "\n") {
			t.Fatalf("%d marks in\n%s", len(marks), out)
		}
		if i := strings.IndexFunc(string(out), hidden); i >= 0 {
			t.Fatalf("%q in\n%s", out[i], out)
		}
	})
}

// hidden reports whether a person could not see a character of output.
func hidden(r rune) bool { return r != '\n' && r != '\t' && !printable(r) }

// grower makes trees whose form depends on some bytes.
type grower struct {
	shape   []byte
	texts   []string
	comment string
}

func (g *grower) next(n int) int {
	if len(g.shape) == 0 {
		return 0
	}
	v := int(g.shape[0])
	g.shape = g.shape[1:]
	return v % n
}

func (g *grower) grow(depth int) *Node {
	var n *Node
	switch kind := g.next(8); {
	case kind >= 6 && depth < 6:
		n = NewMapping()
		for i := range g.next(4) {
			key := g.texts[g.next(len(g.texts))]
			if n.Get(key) != nil {
				key += fmt.Sprint(i)
			}
			n.Set(key, g.grow(depth+1))
		}
	case kind >= 4 && depth < 6:
		n = NewSequence()
		n.Flow = kind == 5
		for range g.next(4) {
			n.Items = append(n.Items, g.grow(depth+1))
		}
	case kind == 3:
		n = node([]any{nil, true, false, 12}[g.next(4)])
	default:
		n = NewString(g.texts[g.next(len(g.texts))])
	}
	if where := g.next(16); where < 4 {
		n.Head = [][]string{{g.comment}, nil, nil, {g.comment}}[where]
		n.Line = []string{"", g.comment, "", g.comment}[where]
		n.Foot = [][]string{nil, nil, {g.comment, ""}, {g.comment}}[where]
	}
	return n
}
