package fold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

var commented = []string{
	"a = 1 # one\n",
	"# above\na = 1 // one\n/* two\n lines */ b = 2\n",
	"a = \"# no ${ /* yes */ b } \\\" # no\" # yes\n",
	"a = \"$${ # no\"\nb = \"%%{ # no\" # yes\n",
	"a = <<EOT\n# no ${ b /* yes */ }\nEOT\n# yes\n",
	"a = <<-EOT\n  # no\n  EOT\nb = 1 << 2 # yes\n",
	"a = <<A\n${<<B\n# no\nB\n}\nA\n# yes\n",
	"a = { # yes\n b = { c = \"${ { d = 1 }.d }\" } # yes\n}\n",
	"a = \"%{ if b # no?\n}x%{ endif }\"\n",
	"a = 1 /* open",
	"a = 1 # no line break",
	"a = 1 # windows\r\nb = 2\r\n",
	"a = \"\\\\\" # yes\n",
	"a = \"${ \"#\" }#\" # yes\n",
}

// lexed are the comments as the lexer of HCL finds them.
func lexed(src []byte) []Comment {
	var want []Comment
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	for _, tok := range tokens {
		if tok.Type == hclsyntax.TokenComment {
			text := strings.TrimRight(string(tok.Bytes), "\r\n")
			want = append(want, Comment{tok.Range.Start.Byte, tok.Range.Start.Byte + len(text)})
		}
	}
	return want
}

func TestComments(t *testing.T) {
	for _, src := range commented {
		if _, diags := hclsyntax.ParseConfig([]byte(src), "", hcl.InitialPos); diags.HasErrors() {
			continue // only what parses is scanned
		}
		if diff := cmp.Diff(lexed([]byte(src)), Comments([]byte(src))); diff != "" {
			t.Errorf("%q:\n%s", src, diff)
		}
	}
}

// TestCommentsOfTemplates compares with the lexer on every file of the packs.
func TestCommentsOfTemplates(t *testing.T) {
	files, _ := filepath.Glob("../../templates/*/*.hcl")
	if len(files) == 0 {
		t.Fatal("no templates found")
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lexed(src), Comments(src)); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

func FuzzComments(f *testing.F) {
	for _, src := range commented {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if _, diags := hclsyntax.ParseConfig([]byte(src), "", hcl.InitialPos); diags.HasErrors() {
			t.Skip()
		}
		if diff := cmp.Diff(lexed([]byte(src)), Comments([]byte(src))); diff != "" {
			t.Error(diff)
		}
	})
}
