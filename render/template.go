package render

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/render/fold"
	"scaffold/render/manifest"
)

// Template is one file of a pack: what it is for, and the blocks to render.
// Name, For and Pattern are known at once, Blocks after Pack.Open, and the rest
// after Pack.Load.
type Template struct {
	Name    string
	For     string // a component kind, or "blueprint"
	Pattern string // the pattern that a component must name; empty for all components

	When   hclsyntax.Expression
	File   hclsyntax.Expression
	Covers map[string]Evidence
	Checks []*blueprints.Check
	// Ignores are the inputs that the target makes nothing of, and why.
	Ignores []Ignored
	Lets    []*hclsyntax.Attribute
	Blocks  []*hclsyntax.Block
	Range   hcl.Range

	src       []byte
	closed    []piece          // with the blocks that were not parsed yet
	text      *manifest.Source // the same, for manifests
	filename  string
	glanced   bool      // Name, For and Pattern are known, and may be read by others
	file      *hcl.File // nil: not parsed yet
	diags     hcl.Diagnostics
	isPattern func(string) bool
	folded    fold.File
	order     int
}

// glance reads what a template is for from its first lines, as a formatted file
// has them. It reports false where they are not to be found without parsing.
func (t *Template) glance() bool {
	name, kind, pattern := firstLines(t.src)
	if name == "" || kind == "" || pattern != "" && !t.isPattern(pattern) {
		return false
	}
	t.Name, t.For, t.Pattern = name, kind, pattern
	if pattern == "" && t.isPattern(t.Name) {
		t.Pattern = t.Name
	}
	t.glanced = true
	return true
}

// firstLines finds the name of a template and two of its arguments, empty for
// what is not written as the formatter and nearly everybody writes it.
func firstLines(src []byte) (name, kind, pattern string) {
	for line := range bytes.Lines(src) {
		text := string(bytes.TrimSuffix(line, []byte("\n")))
		if name == "" {
			if quoted, ok := strings.CutPrefix(text, `template "`); ok {
				name = word(strings.CutSuffix(quoted, `" {`))
			}
			continue
		}
		if text == "}" {
			break
		}
		argument, value, ok := strings.Cut(text, "=")
		value = strings.TrimPrefix(value, " ")
		switch strings.TrimRight(argument, " ") {
		case "  for":
			kind = word(value, ok)
		case "  pattern":
			pattern = word(strings.Trim(value, `"`), ok)
		}
	}
	return name, kind, pattern
}

// word gives a text that is one plain word, and nothing for any other.
func word(text string, ok bool) string {
	if !ok || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return ""
	}
	return text
}

// parse reads the template's head and what it shares. The blocks that it renders
// wait for Template.open.
func (t *Template) parse() {
	if !utf8.Valid(t.src) || bytes.ContainsRune(t.src, '\r') {
		t.parseWhole()
		return
	}
	pieces := split(t.src, t.folded.Ends(t.src))
	open := &hclsyntax.Body{}
	for _, p := range pieces {
		if kind := p.blockType(); kind != "" && kind != "template" && kind != "let" {
			t.closed = append(t.closed, p)
			continue
		}
		body, ok := p.parse(t.filename)
		if !ok || len(body.Attributes) > 0 {
			t.parseWhole()
			return
		}
		open.Blocks = append(open.Blocks, body.Blocks...)
	}
	if len(open.Blocks) == 0 || open.Blocks[0].Type != "template" {
		t.parseWhole()
		return
	}
	t.file = &hcl.File{Bytes: t.src, Body: open, Nav: outline{pieces, t.filename}}
	t.diags = t.read(open)
}

// parseWhole reads a template at once, for one that is not formatted or has
// mistakes.
func (t *Template) parseWhole() {
	t.closed = nil
	t.file, t.diags = blueprints.ParseHCL(t.src, t.filename)
	t.src = t.file.Bytes
	if !t.diags.HasErrors() {
		t.diags = append(t.diags, t.read(t.file.Body.(*hclsyntax.Body))...)
	}
}

// open parses the blocks that the template renders.
func (t *Template) open() {
	for _, p := range t.closed {
		body, ok := p.parse(t.filename)
		if !ok {
			_, diags := blueprints.ParseHCL(t.src, t.filename)
			t.diags = append(t.diags, diags...)
			break
		}
		t.Blocks = append(t.Blocks, body.Blocks...)
		t.diags = append(t.diags, stray(body)...)
	}
	t.closed = nil
}

func (t *Template) read(body *hclsyntax.Body) hcl.Diagnostics {
	var diags hcl.Diagnostics
	heads := 0
	for _, b := range body.Blocks {
		switch b.Type {
		case "template":
			if heads++; heads > 1 {
				diags = append(diags, invalid(b.DefRange(), "A file holds one template.")...)
			}
			diags = append(diags, t.readHead(b)...)
		case "let":
			t.Lets = append(t.Lets, inOrder(b.Body.Attributes)...)
		default:
			t.Blocks = append(t.Blocks, b)
		}
	}
	diags = append(diags, stray(body)...)
	if heads == 0 {
		diags = append(diags, invalid(body.SrcRange, `The file has no block template "NAME" { … }.`)...)
	}
	return diags
}

func stray(body *hclsyntax.Body) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, attr := range inOrder(body.Attributes) {
		diags = append(diags, invalid(attr.NameRange, "An argument must stand in a block.")...)
	}
	return diags
}

// inOrder are attributes in the order of the source; the tree has them in a map.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte
	})
}

func (t *Template) readHead(b *hclsyntax.Block) hcl.Diagnostics {
	t.Range = b.DefRange()
	if len(b.Labels) != 1 {
		return invalid(b.DefRange(), "A template needs one label, its name.")
	}
	var diags hcl.Diagnostics
	if !t.glanced {
		t.readName(b, &diags)
	}
	t.Covers = map[string]Evidence{}
	for _, attr := range inOrder(b.Body.Attributes) {
		switch name := attr.Name; name {
		case "for", "pattern": // readName
		case "when":
			t.When = attr.Expr
		case "file":
			t.File = attr.Expr
		case "covers", "approximates", "misses":
			diags = append(diags, t.readCovers(name, attr.Expr)...)
		case "ignores":
			diags = append(diags, t.readIgnores(attr.Expr)...)
		default:
			diags = append(diags, invalid(attr.NameRange, "A template has no argument "+name+".")...)
		}
	}
	if t.For == "" {
		diags = append(diags, invalid(b.DefRange(), "A template needs an argument for: a component kind, or blueprint.")...)
	}
	checks, moreDiags := blueprints.DecodeChecks(b.Body)
	t.Checks = checks
	return append(diags, moreDiags...)
}

// Ignored is an input that a template leaves without effect.
type Ignored struct {
	Path string
	Why  hclsyntax.Expression // null where it has one after all
}

func (t *Template) readIgnores(expr hclsyntax.Expression) hcl.Diagnostics {
	object, ok := expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return invalid(expr.Range(), "ignores takes an object: the input's name = why it has no effect.")
	}
	for _, item := range object.Items {
		path := hcl.ExprAsKeyword(item.KeyExpr)
		if path == "" {
			var diags hcl.Diagnostics
			if path = textOf(item.KeyExpr, &diags); diags.HasErrors() {
				return diags
			}
		}
		t.Ignores = append(t.Ignores, Ignored{path, item.ValueExpr})
	}
	return nil
}

// readName reads what a glance gives for most templates.
func (t *Template) readName(b *hclsyntax.Block, diags *hcl.Diagnostics) {
	t.Name = b.Labels[0]
	if t.isPattern(t.Name) {
		t.Pattern = t.Name
	}
	if attr := b.Body.Attributes["for"]; attr != nil {
		t.For = hcl.ExprAsKeyword(attr.Expr)
	}
	if attr := b.Body.Attributes["pattern"]; attr != nil {
		if t.Pattern = hcl.ExprAsKeyword(attr.Expr); t.Pattern == "" {
			t.Pattern = textOf(attr.Expr, diags)
		}
		if !t.isPattern(t.Pattern) && !diags.HasErrors() {
			*diags = append(*diags, unknownPattern(attr.Expr.Range(), t.Pattern)...)
		}
	}
}
