package yaml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

func mapping(pairs ...any) *Node {
	n := NewMapping()
	for i := 0; i < len(pairs); i += 2 {
		n.Set(pairs[i].(string), node(pairs[i+1]))
	}
	return n
}

func list(items ...any) *Node {
	n := NewSequence()
	for _, item := range items {
		n.Items = append(n.Items, node(item))
	}
	return n
}

func flow(items ...any) *Node {
	n := list(items...)
	n.Flow = true
	return n
}

func node(v any) *Node {
	switch v := v.(type) {
	case *Node:
		return v
	case string:
		return NewString(v)
	case bool:
		return NewBool(v)
	case int:
		return NewNumber(fmt.Sprint(v))
	case nil:
		return NewNull()
	}
	panic(fmt.Sprintf("no node for %T", v))
}

// about adds comments to a value.
func about(v any, head, line string, foot ...string) *Node {
	n := node(v)
	if head != "" {
		n.Head = strings.Split(head, "\n")
	}
	n.Line, n.Foot = line, foot
	return n
}

func TestWrite(t *testing.T) {
	long := strings.Repeat("word ", 30)
	tests := []struct {
		name string
		doc  *Node
		want string
	}{
		{"nothing", nil, "null\n"},
		{"scalar", about("a", "above", "beside", "below"), "# above\n# below\na # beside\n"},
		{"empty mapping", mapping(), "{}\n"},
		{"empty in mapping", mapping("a", mapping(), "b", list(), "c", flow()), "a: {}\nb: []\nc: []\n"},
		{"order and kinds", mapping("z", 1, "a", true, "m", nil, "s", "x"), "z: 1\na: true\nm: null\ns: x\n"},
		{"nesting", mapping("a", mapping("b", list(mapping("c", 1, "d", list(1, 2)), list(1, list(2))))), `a:
  b:
    - c: 1
      d:
        - 1
        - 2
    - - 1
      - - 2
`},
		{"flow", mapping("a", flow("x", 1, "y", "b, c", "k:v", "a:b", "-F", true)),
			`a: [x, 1, "y", "b, c", "k:v", "a:b", -F, true]` + "\n"},
		{"flow in a list", list(flow(1, 2), flow()), "- [1, 2]\n- []\n"},
		{"flow too long", mapping("a", about(flow(long, "b"), "", "why")), "a: # why\n  - \"" + long + "\"\n  - b\n"},
		{"flow too long in a list", list(about(flow(long, "b"), "", "why")), "- - \"" + long + "\" # why\n  - b\n"},
		{"nothing to break", mapping(strings.Repeat("k", 100), flow()), strings.Repeat("k", 100) + ": []\n"},
		{"flow with a mapping", mapping("a", flow(mapping("b", 1))), "a:\n  - b: 1\n"},
		{"flow with a comment", mapping("a", flow(about(1, "one", ""), 2)), "a:\n  # one\n  - 1\n  - 2\n"},
		{"flow with lines", mapping("a", flow("b\nc\n")), "a:\n  - |\n    b\n    c\n"},
		{"comments", mapping(
			"a", about(mapping("b", about(1, "on b", "b")), "on a\n\n  indented", "a", "end of a"),
			"c", about(list(about(mapping("d", about(1, "on d", "d")), "on item", "item"), about(2, "two", "2")), "", "c", "end of c"),
			"e", about(mapping(), "on e", "e", "inside e"),
		), `# on a
#
#   indented
a: # a
  # on b
  b: 1 # b
  # end of a
c: # c
  # on item
  # item
  # on d
  - d: 1 # d
  # two
  - 2 # 2
  # end of c
# on e
# inside e
e: {} # e
`},
		{"comment cannot escape", mapping("a", about(1, "x\u2028y: 1\rz", "b\nc: 2")), "# x y: 1 z\na: 1 # b c: 2\n"},
		{"literals", mapping(
			"one", "a\nb", "two", "a\nb\n", "more", about("a\n\n\n", "", "kept"), "blank", "a\n\nb\n",
			"led", " a\nb\n", "tab", "\n\ta\n", "list", list("a\nb\n", " c\n")), `one: |-
  a
  b
two: |
  a
  b
more: |+ # kept
  a


blank: |
  a

  b
led: |2
   a
  b
tab: |2

  	a
list:
  - |
    a
    b
  - |2
     c
`},
		{"no literal", mapping("a", "\n", "b", "a\r\nb", "c", "a\n  ", "d", "a\n\u200e", "e\nf", 1),
			"a: \"\\n\"\nb: \"a\\r\\nb\"\nc: \"a\\n  \"\nd: \"a\\n\\u200E\"\n\"e\\nf\": 1\n"},
		{"literal document", NewString("a\nb\n"), "|\n  a\n  b\n"},
		{"long key", mapping(strings.Repeat("k", 1001), mapping("a", 1)), "? " + strings.Repeat("k", 1001) + "\n:\n  a: 1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, marks := Write(tt.doc)
			if diff := cmp.Diff(tt.want, string(out)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if len(marks) != strings.Count(tt.want, "\n") {
				t.Errorf("%d marks for %d lines", len(marks), strings.Count(tt.want, "\n"))
			}
			readsBack(t, tt.doc, out)
		})
	}
}

func TestQuoted(t *testing.T) {
	plain := []string{
		"a", "a b", "25%", "500m", "1Gi", "10.0.0.0/8", "45 7 * * 1-5", "0 20 * * *", "a:b", "a#b", "--flag=x", "-F",
		"https://x.example.com:8080/a?b=c#d", "sum(rate(x{a=\"b\"}[1m]))", "$(POD_NAME)", "${x}", "nonsense", "yesterday",
		"EOT", "1a", "v1.2", "==", "a'b", `a"b`, `a\b`, "ä", "日本", "👩‍💻", "e3", "x1e3", "i.nf", "2001-01-01x", "/", "(a)", "^a$",
	}
	for _, s := range plain {
		if got := quoted(s, false); got != s {
			t.Errorf("%s is quoted: %s", s, got)
		}
	}
	for _, s := range hostile() {
		if got := quoted(s, false); got == s {
			t.Errorf("%q is not quoted", s)
		}
	}
	escapes := map[string]string{
		"": `""`, "a\"\\\n\t\r\x00": `"a\"\\\n\t\r\0"`, "\x1b\x7f\u0085": `"\x1B\x7F\x85"`,
		"\u00a0\ufeff\u202e": `"\xA0\uFEFF\u202E"`, "\U000e0001": `"\U000E0001"`, "\xff": `"�"`,
	}
	for s, want := range escapes {
		if got := quoted(s, false); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}

func TestMarks(t *testing.T) {
	at := func(n *Node, line int) *Node {
		n.Source.Range = hcl.Range{Filename: "pack.hcl", Start: hcl.Pos{Line: line}}
		return n
	}
	doc := at(mapping(
		"a", at(about("x\ny\n", "comment", ""), 2),
		"b", at(list(mapping("c", at(node(1), 4), "d", 5)), 3),
		"e", 6,
	), 1)
	out, marks := Write(doc)
	// comment, "a: |", x, y, "b:", "- c: 1", "  d: 5" of the list, "e: 6" of the document
	want := []int{2, 2, 2, 2, 3, 4, 3, 1}
	for i, m := range marks {
		if m.Line != i+1 || m.Source.Range.Start.Line != want[i] {
			t.Errorf("line %d: %+v, want pack line %d\n%s", i+1, m, want[i], out)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, doc := range []*Node{NewString("\xff"), mapping("\xff", 1), mapping("a", list("b", "\xc3"))} {
		if doc.Check() == nil {
			t.Errorf("%+v passes", doc)
		}
	}
	if err := mapping("ä", list("b\x00", nil)).Check(); err != nil {
		t.Error(err)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	doc := mapping("a", about(list("b", mapping("c", 1)), "head", "line", "foot"))
	before, _ := Write(doc)
	c := doc.Clone()
	c.Get("a").Items[1].Set("c", NewNull())
	c.Get("a").Head[0] = "changed"
	c.Set("new", NewNull())
	if after, _ := Write(doc); string(after) != string(before) {
		t.Errorf("changed to\n%s", after)
	}
}

func BenchmarkWrite(b *testing.B) {
	doc := NewSequence()
	for i := range 1000 {
		doc.Items = append(doc.Items, mapping("apiVersion", "v1", "kind", "Thing", "metadata",
			mapping("name", fmt.Sprint("thing-", i), "labels", mapping("example.com/name", "thing")),
			"spec", mapping("replicas", 3, "args", flow("a", "b"), "config", "a = 1\nb = 2\n",
				"items", list(mapping("name", "x", "value", "1"), mapping("name", "y", "value", "on")))))
	}
	b.ReportAllocs()
	for b.Loop() {
		out, _ := Write(doc)
		b.SetBytes(int64(len(out)))
	}
}
