package render

import (
	"io/fs"
	"path"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/render/fold"
	"scaffold/templates"
)

// FuzzPieces holds a file that is parsed piece by piece against the whole.
func FuzzPieces(f *testing.F) {
	for _, text := range []string{
		"", "# only this", "a {}", "a {\n}\nb {\n}", "# over it\na {\n}\n\n/* { */\nb \"l\" {\n  c {\n  }\n}\n# below\n",
		"a {\n  t = <<EOT\n}\nb {\n  EOT\n}\nc {\n}\n", "a {\n  t = \"${{ x = 1 }.x}\n}\n", "a {\n  t = \"%{ if y }}%{ endif }\"\n}\nb { z = 1 }\n",
		"a {\n} // }\nb {\n}\n", "a {\r\n}\r\nb {\r\n}\r\n", "x = {\n}\na {\n}\n", "a {\n  t = <<-EOT\n    ${{\n    }}\n  EOT\n}\nb {}\n",
	} {
		f.Add(text)
	}
	_ = fs.WalkDir(templates.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".hcl" {
			if data, err := fs.ReadFile(templates.FS, name); err == nil {
				f.Add(string(data))
			}
		}
		return err
	})
	f.Fuzz(func(t *testing.T, text string) {
		whole, diags := hclsyntax.ParseConfig([]byte(text), "x.hcl", hcl.InitialPos)
		if len(diags) > 0 {
			t.Skip()
		}
		want := whole.Body.(*hclsyntax.Body)
		got := &hclsyntax.Body{}
		attributes, size := 0, 0
		pieces := split([]byte(text), new(fold.File).Ends([]byte(text)))
		for _, p := range pieces {
			body, ok := p.parse("x.hcl")
			if !ok {
				t.Fatalf("the piece at %d of\n%s\ndoes not parse", p.start.Byte, text)
			}
			got.Blocks = append(got.Blocks, body.Blocks...)
			attributes += len(body.Attributes)
			size += len(p.text)
		}
		if size != len(text) || len(got.Blocks) != len(want.Blocks) || attributes != len(want.Attributes) {
			t.Fatalf("%s\n%d bytes, %d blocks and %d arguments, want %d, %d and %d", text, size, len(got.Blocks), attributes, len(text), len(want.Blocks), len(want.Attributes))
		}
		for i, b := range got.Blocks {
			other := want.Blocks[i]
			if b.Range() != other.Range() || b.Body.SrcRange != other.Body.SrcRange || len(b.Body.Attributes) != len(other.Body.Attributes) {
				t.Fatalf("%s\nblock %s at %s, want %s at %s", text, b.Type, b.Body.SrcRange, other.Type, other.Body.SrcRange)
			}
			at := b.Body.SrcRange.Start.Byte + 1
			o := outline{pieces, "x.hcl"}
			if got, want := o.ContextString(at), hcled.ContextString(whole, at); got != want {
				t.Fatalf("%s\nbyte %d stands in %q, want %q", text, at, got, want)
			}
		}
	})
}

func TestBlockType(t *testing.T) {
	for text, want := range map[string]string{
		"# resource {\nlet {\n}\n":                    "let",
		"\nresource \"a_b\" \"this\" {\n  x = 1\n}\n": "resource",
		"resource \"a\" \"b\"{\n}\n":                  "", // not formatted
		"x = 1\n":                                     "",
		"  let {\n}\n":                                "",
		"":                                            "",
	} {
		if got := (piece{text: []byte(text)}).blockType(); got != want {
			t.Errorf("%q begins with %q, want %q", text, got, want)
		}
	}
}
