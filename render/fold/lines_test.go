package fold

import (
	"strings"
	"testing"
)

const linesSource = `resource "x" "this" {
  # how large
  size=database.size

  name = "${database.name}-${local.x}"
  rules = [for c in database.clients : local.rule[c.name]]
  text = <<-EOT
    a


    ${database.name}
  EOT
}
`

func TestLinesRememberTheirSource(t *testing.T) {
	t.Parallel()
	body := parseBody(t, linesSource)
	out, _, diags := Block([]byte(linesSource), body.Blocks[0], testScope())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	lines := Lines(out)
	size := findLine(t, lines, "size = 200")
	if got := sources(size); !strings.Contains(got, "3:size= | 3:200") || !strings.Contains(got, "3:200=database.size") {
		t.Errorf("size comes from %s", got)
	}
	name := findLine(t, lines, `"orders-db-${local.x}"`)
	if got := sources(name); !strings.Contains(got, "5:orders-db=database.name") {
		t.Errorf("name comes from %s", got)
	}
	rules := findLine(t, lines, `local.rule["batch-job"]`)
	found := false
	for _, s := range rules.Segments {
		if s.Text == `"batch-job"` {
			found = s.Locals["c"].GetAttr("name").AsString() == "batch-job"
		}
	}
	if !found {
		t.Errorf("rules has lost its loop variable: %s", sources(rules))
	}
	if findLine(t, lines, "orders-db\n"); lines[len(lines)-1].Text != "}" {
		t.Errorf("the last line is %q", lines[len(lines)-1].Text)
	}
}

func sources(l Line) string {
	var parts []string
	for _, s := range l.Segments {
		part := string(rune('0'+s.Source.Start.Line)) + ":" + strings.TrimSpace(s.Text)
		if s.Expr != nil {
			part += "=" + linesSource[s.Source.Start.Byte:s.Source.End.Byte]
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " | ")
}

func findLine(t *testing.T, lines []Line, text string) Line {
	t.Helper()
	for _, l := range lines {
		if strings.Contains(l.Text+"\n", text) {
			return l
		}
	}
	t.Fatalf("no line has %q in\n%v", text, lines)
	return Line{}
}

// TestSegmentsPointAtTheirText holds the ranges of copied text against the
// source.
func TestSegmentsPointAtTheirText(t *testing.T) {
	t.Parallel()
	for _, r := range bodyRows {
		out, diags := Body([]byte(r.in), parseBody(t, r.in), testScope())
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, s := range out.Segments {
			src := r.in[s.Source.Start.Byte:s.Source.End.Byte]
			line := 1 + strings.Count(r.in[:s.Source.Start.Byte], "\n")
			if s.Source.Start.Line != line {
				t.Errorf("%s: %q is on line %d, not %d", r.name, src, line, s.Source.Start.Line)
			}
			column := s.Source.Start.Byte - strings.LastIndexByte(r.in[:s.Source.Start.Byte], '\n')
			if s.Source.Start.Column != column {
				t.Errorf("%s: %q is in column %d, not %d", r.name, src, column, s.Source.Start.Column)
			}
		}
	}
}

func TestSameTextEveryTime(t *testing.T) {
	t.Parallel()
	for _, r := range bodyRows {
		first := foldBody(t, r.in)
		for range 20 {
			if again := foldBody(t, r.in); again != first {
				t.Fatalf("%s: once\n%s\nthen\n%s", r.name, first, again)
			}
		}
	}
}

func BenchmarkExpression(b *testing.B) {
	src := `"${blueprint.name}-${database.multi ? upper(database.name) : local.x}-${each.key}"`
	e, s := parseExpr(b, src), testScope()
	b.ReportAllocs()
	for b.Loop() {
		Expression([]byte(src), e, s)
	}
}

func BenchmarkBody(b *testing.B) {
	var text strings.Builder
	for _, r := range bodyRows {
		text.WriteString("b {\n" + r.in + "}\n")
	}
	src := text.String()
	body, s := parseBody(b, src), testScope()
	b.ReportAllocs()
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Body([]byte(src), body, s)
	}
}

func BenchmarkLines(b *testing.B) {
	out, _ := Body([]byte(linesSource), parseBody(b, linesSource), testScope())
	b.ReportAllocs()
	for b.Loop() {
		Lines(out)
	}
}
