package render

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"sort"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/render/manifest"
)

// Pack is a folder of templates for one provider.
type Pack struct {
	Name    string
	Summary string
	Schema  string // the embedded provider schema that its output is held against; empty for none
	// SchemaFile is a schema of the pack's own, in the form of `terraform
	// providers schema -json`; nil for none.
	SchemaFile []byte
	// Single reports whether the provider lets a block of this type stand in
	// another once only; path leads to it from the block with these labels. It
	// may be nil, and is set by whoever knows the provider.
	Single    func(block *hclsyntax.Block, path []string) bool
	Uses      []Use
	Order     []string
	Forbids   []Forbid
	Tables    map[string]cty.Value
	Templates []*Template
	Index     *hclsyntax.Block // a file that lists the others; nil for none

	fsys      fs.FS
	isPattern func(string) bool
	mu        sync.Mutex // over files, and over parsing templates
	files     map[string]*hcl.File
}

// Sources are the files of the pack that were parsed so far, by name.
func (p *Pack) Sources() map[string]*hcl.File {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.files)
}

// Use is another pack that is rendered into a folder of this one's output.
type Use struct {
	Pack   string
	Folder string
	When   hclsyntax.Expression // nil: always
}

// Forbid names patterns that the pack cannot put on one component.
type Forbid struct {
	ID       string
	Patterns []string
	Why      string
	Decl     hcl.Range
}

// LoadPack reads a pack from its folder. isPattern says which names are
// patterns, so that a template can be tied to one by its label.
func LoadPack(fsys fs.FS, name string, isPattern func(string) bool) (*Pack, hcl.Diagnostics) {
	p := &Pack{Name: path.Base(name), Tables: map[string]cty.Value{}, files: map[string]*hcl.File{}, fsys: fsys, isPattern: isPattern}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable pack", Detail: err.Error()}}
	}
	var diags hcl.Diagnostics
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".hcl") {
			continue
		}
		diags = append(diags, p.readFile(name, e.Name())...)
	}
	p.sortTemplates()
	return p, diags
}

func (p *Pack) readFile(folder, name string) hcl.Diagnostics {
	data, err := fs.ReadFile(p.fsys, name)
	if err != nil {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable pack", Detail: err.Error()}}
	}
	full := path.Join(folder, name)
	if name == "pack.hcl" {
		file, diags := blueprints.ParseHCL(data, full)
		p.files[full] = file
		if diags.HasErrors() {
			return diags
		}
		return append(diags, p.readHeader(file.Body.(*hclsyntax.Body))...)
	}
	t := &Template{src: data, text: manifest.NewSource(data), filename: full, isPattern: p.isPattern}
	p.Templates = append(p.Templates, t)
	if t.glance() {
		return nil
	}
	return p.Load([]*Template{t})
}

// Load parses the templates that were not yet, side by side: a pack has some
// eighty, and a blueprint needs a few of them. A pack may be rendered by several
// goroutines, each of which loads what it needs. Their Blocks are still missing.
func (p *Pack) Load(templates []*Template) hcl.Diagnostics {
	return p.each(templates, func(t *Template) bool { return t.file == nil }, (*Template).parse)
}

// Open parses the Blocks of templates that were loaded.
func (p *Pack) Open(templates []*Template) hcl.Diagnostics {
	return p.each(templates, func(t *Template) bool { return len(t.closed) > 0 }, (*Template).open)
}

func (p *Pack) each(templates []*Template, which func(*Template) bool, do func(*Template)) hcl.Diagnostics {
	p.mu.Lock()
	defer p.mu.Unlock()
	sideBySide(len(templates), func(i int) {
		if which(templates[i]) {
			do(templates[i])
		}
	})
	var diags hcl.Diagnostics
	for _, t := range templates {
		p.files[t.filename] = t.file
		diags = append(diags, t.diags...)
	}
	return diags
}

func (p *Pack) sortTemplates() {
	position := map[string]int{}
	for i, name := range p.Order {
		position[name] = i + 1
	}
	for _, t := range p.Templates {
		t.order = position[t.Name]
		if t.order == 0 {
			t.order = len(p.Order) + 1
		}
	}
	sort.SliceStable(p.Templates, func(i, j int) bool {
		a, b := p.Templates[i], p.Templates[j]
		if a.order != b.order {
			return a.order < b.order
		}
		return a.Name < b.Name
	})
}

func (p *Pack) readHeader(body *hclsyntax.Body) hcl.Diagnostics {
	if len(body.Blocks) != 1 || body.Blocks[0].Type != "pack" {
		return invalid(body.SrcRange, `pack.hcl must hold one block: pack "NAME" { … }.`)
	}
	block := body.Blocks[0]
	var diags hcl.Diagnostics
	for name, attr := range block.Body.Attributes {
		switch name {
		case "summary":
			p.Summary = constantText(attr, &diags)
		case "schema":
			p.Schema = constantText(attr, &diags)
		case "order":
			p.Order = constantTexts(attr.Expr, &diags)
		case "uses":
			diags = append(diags, p.readUses(attr.Expr)...)
		case "target":
		default:
			diags = append(diags, invalid(attr.NameRange, "A pack has no argument "+name+".")...)
		}
	}
	for _, b := range block.Body.Blocks {
		diags = append(diags, p.readPackBlock(b)...)
	}
	if data, err := fs.ReadFile(p.fsys, "schema.json"); err == nil {
		p.SchemaFile = data
	}
	return diags
}

func (p *Pack) readPackBlock(b *hclsyntax.Block) hcl.Diagnostics {
	var diags hcl.Diagnostics
	switch b.Type {
	case "table":
		table, moreDiags := p.readTable(b)
		diags = append(diags, moreDiags...)
		if len(b.Labels) == 1 {
			p.Tables[b.Labels[0]] = table
		}
	case "forbids":
		p.Forbids = append(p.Forbids, p.readForbid(b, &diags))
	case "index":
		p.Index = b
	default:
		diags = append(diags, invalid(b.TypeRange, "A pack has no block "+b.Type+".")...)
	}
	return diags
}

// readForbid refuses a pattern that there is not: nothing would ever be forbidden.
func (p *Pack) readForbid(b *hclsyntax.Block, diags *hcl.Diagnostics) Forbid {
	f := Forbid{Decl: b.DefRange()}
	if len(b.Labels) == 1 {
		f.ID = b.Labels[0]
	}
	if attr := b.Body.Attributes["patterns"]; attr != nil {
		f.Patterns = constantTexts(attr.Expr, diags)
		for _, id := range f.Patterns {
			if !p.isPattern(id) {
				*diags = append(*diags, unknownPattern(attr.Expr.Range(), id)...)
			}
		}
	}
	if attr := b.Body.Attributes["why"]; attr != nil {
		f.Why = constantText(attr, diags)
	}
	return f
}

func unknownPattern(rng hcl.Range, id string) hcl.Diagnostics {
	return invalid(rng, fmt.Sprintf("There is no pattern %q; 'scaffold patterns' lists those that there are.", id))
}

func (p *Pack) readUses(expr hclsyntax.Expression) hcl.Diagnostics {
	var diags hcl.Diagnostics
	list, ok := expr.(*hclsyntax.TupleConsExpr)
	if !ok {
		return invalid(expr.Range(), "uses takes a list of objects { pack, when, folder }.")
	}
	for _, item := range list.Exprs {
		object, ok := item.(*hclsyntax.ObjectConsExpr)
		if !ok {
			diags = append(diags, invalid(item.Range(), "uses takes a list of objects { pack, when, folder }.")...)
			continue
		}
		var use Use
		for _, field := range object.Items {
			switch hcl.ExprAsKeyword(field.KeyExpr) {
			case "pack":
				use.Pack = textOf(field.ValueExpr, &diags)
			case "folder":
				use.Folder = textOf(field.ValueExpr, &diags)
			case "when":
				use.When = field.ValueExpr
			}
		}
		p.Uses = append(p.Uses, use)
	}
	return diags
}

func invalid(rng hcl.Range, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid pack", Detail: detail, Subject: rng.Ptr()}}
}

func constantText(attr *hclsyntax.Attribute, diags *hcl.Diagnostics) string {
	return textOf(attr.Expr, diags)
}

func textOf(expr hcl.Expression, diags *hcl.Diagnostics) string {
	v, moreDiags := expr.Value(nil)
	*diags = append(*diags, moreDiags...)
	if moreDiags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		if !moreDiags.HasErrors() {
			*diags = append(*diags, invalid(expr.Range(), "A text is needed.")...)
		}
		return ""
	}
	return v.AsString()
}

func constantTexts(expr hcl.Expression, diags *hcl.Diagnostics) []string {
	exprs, moreDiags := hcl.ExprList(expr)
	*diags = append(*diags, moreDiags...)
	var out []string
	for _, e := range exprs {
		out = append(out, textOf(e, diags))
	}
	return out
}

// readTable reads rows of tab separated values. The first line that is not a
// comment names the columns; what looks like a number is one; an empty cell or
// "-" is null.
func (p *Pack) readTable(b *hclsyntax.Block) (cty.Value, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	attr := b.Body.Attributes["file"]
	if attr == nil {
		return cty.EmptyTupleVal, invalid(b.DefRange(), "A table needs an argument file.")
	}
	data, err := fs.ReadFile(p.fsys, constantText(attr, &diags))
	if err != nil {
		return cty.EmptyTupleVal, append(diags, invalid(attr.Expr.Range(), err.Error()+".")...)
	}
	var columns []string
	var rows []cty.Value
	for n, line := range strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n") {
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if columns == nil {
			columns = cells
			continue
		}
		if len(cells) != len(columns) {
			diags = append(diags, invalid(attr.Expr.Range(), fmt.Sprintf("Line %d of the table has %d cells for %d columns.", n+1, len(cells), len(columns)))...)
			continue
		}
		rows = append(rows, tableRow(columns, cells))
	}
	return cty.TupleVal(rows), diags
}

func tableRow(columns, cells []string) cty.Value {
	row := map[string]cty.Value{}
	for i, cell := range cells {
		row[columns[i]] = tableCell(strings.TrimSpace(cell))
	}
	return cty.ObjectVal(row)
}

func tableCell(cell string) cty.Value {
	if cell == "" || cell == "-" {
		return cty.NullVal(cty.DynamicPseudoType)
	}
	if strings.Trim(cell, "0123456789.") == "" && cell[0] != '.' {
		if n, err := cty.ParseNumberVal(cell); err == nil {
			return n
		}
	}
	if cell == "true" || cell == "false" {
		return cty.BoolVal(cell == "true")
	}
	return cty.StringVal(cell)
}
