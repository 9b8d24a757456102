package fold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

var unformatted = []string{
	"a=1\nbb =  2 # x\nccc= -3 #y\n\nd=4\n",
	"a {\nb=1\n  c {\nd = [\n1,\n2]\n}\n}\n",
	"a = f( x,y... )\nb = g ([for k , v in [1]:k=>v if !v])\n",
	"a = \"x ${ b } ${ { c = 1 } } ${c}${d} $${ e }\"\n",
	"a = b [0] . c [ * ]\nd = b ? - 1:-c - -2\n",
	"a = {}\nb = { }\nc = {x=1}\nd = [ ]\n",
	"a = [[\n1\n], [\n2\n]]\nb = 1\n",
	"a = x::y ( 1 )\nb = 1.5e3+2E-1\n",
	"a = {\n  b = 1 # one\n  # two\n  cc = 2 # three\n}\n",
	"a \"b\" \"c\" {\n}\n",
	"a = b&&c||!d\ne = \"%{ if a ~}x%{~ endif }\"\n",
	"a = (\nb\n+ c)\n",
	"a = 5 # no line break at the end",
	"a = \"\\\"${x}\\\\\"\n",
	"a.b = 1\n",
	"for_each = {for k,v in m:k=>v...}\n",
}

func checkFormat(t *testing.T, text string) {
	t.Helper()
	if got, want := string(format([]byte(text))), string(hclwrite.Format([]byte(text))); got != want {
		t.Errorf("%q becomes\n%s\nbut should be\n%s", text, got, want)
	}
}

func TestFormat(t *testing.T) {
	for _, text := range unformatted {
		checkFormat(t, text)
	}
}

// TestFormatRendered formats every file that the examples have.
func TestFormatRendered(t *testing.T) {
	files, _ := filepath.Glob("../../examples/*/out/*/*.tf")
	if len(files) == 0 {
		t.Fatal("no rendered files found")
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		checkFormat(t, string(src))
		checkFormat(t, strings.ReplaceAll(string(src), "  ", " "))
	}
}

func FuzzFormat(f *testing.F) {
	for _, text := range unformatted {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, diags := hclsyntax.ParseConfig([]byte(text), "", hcl.InitialPos); diags.HasErrors() {
			t.Skip() // only what parses is rendered
		}
		checkFormat(t, text)
	})
}
