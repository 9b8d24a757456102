package parse

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// same reports how the parser takes a text: whether it parsed it by itself. It
// fails if that differs from what hclsyntax makes of it.
func same(t testing.TB, src string, start hcl.Pos) bool {
	t.Helper()
	body := quick(src, "f.hcl", start)
	if body == nil {
		return false
	}
	file, diags := hclsyntax.ParseConfig([]byte(src), "f.hcl", start)
	if diags.HasErrors() {
		t.Fatalf("parsed, but HCL says %s\n%s", diags, src)
	}
	if at := difference("body", reflect.ValueOf(file.Body.(*hclsyntax.Body)), reflect.ValueOf(body)); at != "" {
		t.Fatalf("%s\nin:\n%s", at, src)
	}
	return true
}

// difference finds the first place where two trees differ.
func difference(path string, want, got reflect.Value) string {
	if want.IsValid() != got.IsValid() || want.IsValid() && want.Type() != got.Type() {
		return path + " is of another kind"
	}
	switch want.Kind() {
	case reflect.Pointer, reflect.Interface:
		if want.IsNil() || got.IsNil() {
			if want.IsNil() != got.IsNil() {
				return path + ": one is nil"
			}
			return ""
		}
		return difference(path, want.Elem(), got.Elem())
	case reflect.Struct:
		if rng, ok := exported(want).(hcl.Range); ok {
			if other := exported(got).(hcl.Range); rng != other {
				return path + " is at " + other.String() + ", not at " + rng.String()
			}
			return ""
		}
		for i := range want.NumField() {
			if at := difference(path+"."+want.Type().Field(i).Name, want.Field(i), got.Field(i)); at != "" {
				return at
			}
		}
	case reflect.Slice, reflect.Array:
		if want.Len() != got.Len() {
			return path + " is of another length"
		}
		for i := range want.Len() {
			if at := difference(path+"[]", want.Index(i), got.Index(i)); at != "" {
				return at
			}
		}
	case reflect.Map:
		if want.Len() != got.Len() {
			return path + " has more or less"
		}
		for _, key := range want.MapKeys() {
			if at := difference(path+"."+key.String(), want.MapIndex(key), got.MapIndex(key)); at != "" {
				return at
			}
		}
	case reflect.Func, reflect.UnsafePointer:
		if want.Pointer() != got.Pointer() {
			return path + " differs"
		}
	default:
		if !want.Equal(got) {
			return path + " differs"
		}
	}
	return ""
}

func exported(v reflect.Value) any {
	if v.CanInterface() {
		return v.Interface()
	}
	return nil
}

// TestParse holds each construct against hclsyntax, and that it is not left to it.
func TestParse(t *testing.T) {
	for _, src := range []string{
		"",
		"\n\n",
		"# only a comment",
		"# é is a comment",
		"a = 1\n",
		"a = 1",
		"a = 1 # why\nb = 2 // why not\n",
		"a = -1.5e3\nb = !true\nc = null\nd = false\n",
		`a = ""`,
		`a = "plain"`,
		`a = "é – ü"` + "\nb = 1",
		`a = ["é", x]`,
		`a = "100%" + "5 $" + "$x %y"`,
		`a = "\n\"\\\t\u00e9"`,
		`a = "$${x} %%{y}"`,
		`a = "${b}"`,
		`a = "x${b}y${c.d}"`,
		`a = "${"${b}"}"`,
		`a = b.c.d[0]["e"].f[g].h`,
		`a = b[*].c[0]`,
		`a = (b).c`,
		`a = f()`,
		`a = f(1, g(2), [3]...)`,
		"a = f(\n  1, # one\n  2,\n)\n",
		"a = [\n  1,\n  # two\n  2\n]\n",
		"a = {\n  b = 1\n  \"c\" : 2, (d) = 3\n\n  # e\n  \"e${f}\" = {}\n}\n",
		"a = {}\nb = []\n",
		"a = {\n  # nothing\n}\n",
		"a = [for x in b : x if x != 1]\n",
		"a = {\n  for k, v in b : k => v...\n}\n",
		"a = b ? c : d ? e : f\n",
		"a = 1 + 2 * 3 - 4 / 5 % 6\nb = a == b && c != d || e < f && g >= h && i <= j && k > l\n",
		"a = -b.c - -d\nb = !c.d && !(e)\n",
		"a = (\n  b\n)\n",
		"block {\n}\n",
		"block {}\n",
		"block { a = 1 }\n",
		"block \"a\" b \"c d\" {\n  e = 1\n  nested {\n    f = 2\n  }\n}\n",
		"a = <<EOT\nEOT\n",
		"a = <<EOT\ntext\n  more ${x} and $y\nEOT\nb = 1\n",
		"a = <<-EOT\n    text\n\n      more\n    ${x}\n   EOT\n",
		"a = <<-EOT\n  ${x}\n    é\n  EOT\n",
		"a = <<-EOT\n\tx\n\t\ty $${z}\n\tEOT\n",
		"a = f(<<-EOT\n  x\n  EOT\n)\n",
		"a = [<<A\n${<<B\nb\nB\n}\nA\n]\n",
		"a\t= 1\n",
	} {
		if !same(t, src, hcl.InitialPos) {
			t.Errorf("left to hclsyntax: %q", src)
		}
		same(t, src, hcl.Pos{Line: 7, Column: 1, Byte: 120})
	}
}

// TestLeft is about what the parser leaves to hclsyntax.
func TestLeft(t *testing.T) {
	for _, src := range []string{
		"a", "a = ", "a = 1 2", "a = 1\na = 2\n", "a {", "a = [1", "a = \"x", "a = \"x\n\"", "a = {b}", "a = (b",
		"a = 1\r\n", "é = 1", "a = é", "a = 'b'", "a = a & b", "a = b; c = d", "a = f(1 2)", "a = [for x in b]", "a = {for x in b : x}",
		"a = [for x in b : x => y]", "a = [for x in b : x...]",
		"/* a */", "a = b.0", "a = b.*.c", "a = n::f()", `a = "%{ if b }c%{ endif }"`, `a = "${~ b ~}"`, `a = "$$"`, `a "${b}" {}`,
		"a = <<EOT\nb", "a = <<EOT\nb\nEOT", "\ufeffa = 1", "a {#\xcd\n}", "a { b = 1, c = 2 }", "a { b = 1\n}", "a = \"\\q\"", "a = 1e99999999999999",
		"a = <<-EOT\n\u00a0x\nEOT\n",
	} {
		if same(t, src, hcl.InitialPos) {
			t.Errorf("not left to hclsyntax: %q", src)
		}
		want, wantDiags := hclsyntax.ParseConfig([]byte(src), "f.hcl", hcl.InitialPos)
		got, gotDiags := Config([]byte(src), "f.hcl", hcl.InitialPos)
		if at := difference("body", reflect.ValueOf(want.Body), reflect.ValueOf(got.Body)); at != "" {
			t.Errorf("%s\nin: %s", at, src)
		}
		if gotDiags.Error() != wantDiags.Error() {
			t.Errorf("says %s, not %s, of %q", gotDiags, wantDiags, src)
		}
	}
}

// TestOutline asks of each byte which block it stands in.
func TestOutline(t *testing.T) {
	src := []byte("a = 1\nx {\n}\n\ny \"l\\n\" m {\n  z {}\n}\n")
	want, _ := hclsyntax.ParseConfig(src, "f.hcl", hcl.InitialPos)
	got, _ := Config(src, "f.hcl", hcl.InitialPos)
	for at := range len(src) + 1 {
		if w, g := hcled.ContextString(want, at), hcled.ContextString(got, at); w != g {
			t.Errorf("byte %d stands in %q, not in %q", at, w, g)
		}
		if w, g := hcled.ContextDefRange(want, at), hcled.ContextDefRange(got, at); w != g {
			t.Errorf("byte %d: the block is at %s, not at %s", at, w, g)
		}
	}
}

// everything gives all text in HCL that the project has.
func everything(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if ext := filepath.Ext(path); !d.IsDir() && (ext == ".hcl" || ext == ".tf") {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all[strings.TrimPrefix(path, root)] = string(data)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEverything parses the definitions, the packs and the rendered examples,
// nearly all without hclsyntax: else they cost several times as much.
func TestEverything(t *testing.T) {
	files, left := everything(t), 0
	for name, src := range files {
		if !same(t, src, hcl.InitialPos) {
			t.Logf("left to hclsyntax: %s", name)
			left++
		}
	}
	if left*50 > len(files) {
		t.Errorf("%d of %d files are left to hclsyntax", left, len(files))
	}
}

// TestExpression parses expressions that stand alone, in which ends of lines do
// not count.
func TestExpression(t *testing.T) {
	for src, left := range map[string]bool{
		"a": false, "\n[\n1,\n# x\n2]\n": false, "{\na = 1\n}": false, "a +\nb # c": false, "<<E\nx\nE\n": false,
		"": true, "a b": true, "a = 1": true, "[": true, "a }": true,
	} {
		got := quickExpression(src, "f.hcl", hcl.InitialPos)
		if (got == nil) != left {
			t.Errorf("%q is left to hclsyntax: %t", src, got == nil)
		}
		want, wantDiags := hclsyntax.ParseExpression([]byte(src), "f.hcl", hcl.InitialPos)
		all, diags := Expression([]byte(src), "f.hcl", hcl.InitialPos)
		if at := difference("expression", reflect.ValueOf(want), reflect.ValueOf(all)); at != "" || diags.Error() != wantDiags.Error() {
			t.Errorf("%q: %s %s", src, at, diags)
		}
	}
}

func FuzzConfig(f *testing.F) {
	for _, src := range everything(f) {
		for _, block := range strings.SplitAfter(src, "\n}\n") {
			if len(block) < 1500 {
				f.Add(block)
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		same(t, src, hcl.InitialPos)
	})
}

func BenchmarkConfig(b *testing.B) {
	files := everything(b)
	size := 0
	for _, src := range files {
		size += len(src)
	}
	for name, parse := range map[string]func([]byte, string, hcl.Pos) (*hcl.File, hcl.Diagnostics){"parse": Config, "hclsyntax": hclsyntax.ParseConfig} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for name, src := range files {
					parse([]byte(src), name, hcl.InitialPos)
				}
			}
		})
	}
}
