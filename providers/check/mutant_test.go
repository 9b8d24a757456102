package check_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/providers/schema"
)

// mutant is a root with one edit.
type mutant struct {
	edit, typ string // the kind of edit; the type of the block that it is in
	files     map[string][]byte
	file      string
	what      string // the edited text, for messages
}

// root is a parsed root that mutants are made from.
type root struct {
	files     map[string][]byte
	providers map[string]*schema.Provider
	blocks    []*place // all blocks at all depths
	random    *rand.Rand
}

// place is a block, with its schema if it is (in) a resource.
type place struct {
	file  string
	block *hclsyntax.Block
	top   *hclsyntax.Block
	about *schema.Block // nil for what isn't a provider's
}

func (p *place) typ() string {
	if len(p.top.Labels) > 0 {
		return p.top.Labels[0]
	}
	return p.top.Type
}

func newRoot(files map[string][]byte, providers map[string]*schema.Provider, random *rand.Rand) *root {
	r := &root{files: files, providers: providers, random: random}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".tf") {
			continue
		}
		parsed, _ := hclsyntax.ParseConfig(files[name], name, hcl.InitialPos)
		for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
			r.collect(name, block, block, r.about(block))
		}
	}
	return r
}

func (r *root) about(block *hclsyntax.Block) *schema.Block {
	if len(block.Labels) != 2 {
		return nil
	}
	prefix, _, _ := strings.Cut(block.Labels[0], "_")
	provider := r.providers[prefix]
	if provider == nil {
		return nil
	}
	find := map[string]func(string) (*schema.Block, bool){
		"resource": provider.Resource, "data": provider.DataSource, "ephemeral": provider.Ephemeral,
	}[block.Type]
	if find == nil {
		return nil
	}
	about, _ := find(block.Labels[0])
	return about
}

func (r *root) collect(file string, block, top *hclsyntax.Block, about *schema.Block) {
	r.blocks = append(r.blocks, &place{file, block, top, about})
	for _, inner := range block.Body.Blocks {
		var nested *schema.Block
		if about != nil && about.Blocks[inner.Type] != nil {
			nested = about.Blocks[inner.Type].Block
		}
		r.collect(file, inner, top, nested)
	}
}

// site is something that an edit may change.
type site struct {
	*place
	attribute *hclsyntax.Attribute
	traversal hcl.Traversal
}

// pick finds one site that fits, or nil.
func pick[T any](random *rand.Rand, all []T, fits func(T) bool) (T, bool) {
	fitting := []T{}
	for _, one := range all {
		if fits(one) {
			fitting = append(fitting, one)
		}
	}
	if len(fitting) == 0 {
		var none T
		return none, false
	}
	return fitting[random.IntN(len(fitting))], true
}

func (r *root) attributes() []site {
	all := []site{}
	for _, p := range r.blocks {
		for _, name := range slices.Sorted(maps.Keys(p.block.Body.Attributes)) {
			all = append(all, site{place: p, attribute: p.block.Body.Attributes[name]})
		}
	}
	return all
}

func (r *root) traversals() []site {
	all := []site{}
	for _, s := range r.attributes() {
		list := s.attribute.Expr.Variables()
		sort.Slice(list, func(i, j int) bool { return list[i].SourceRange().Start.Byte < list[j].SourceRange().Start.Byte })
		for _, traversal := range list {
			all = append(all, site{s.place, s.attribute, traversal})
		}
	}
	return all
}

// isResource tells whether the site is directly in a provider's block.
func (s site) isResource() bool { return s.about != nil }

func (s site) described() *schema.Attribute {
	if s.about == nil || s.attribute == nil {
		return nil
	}
	return s.about.Attributes[s.attribute.Name]
}

// change replaces a range of a file.
func (r *root) change(edit string, p *place, at hcl.Range, with string) *mutant {
	text := r.files[p.file]
	changed := slices.Concat(text[:at.Start.Byte], []byte(with), text[at.End.Byte:])
	files := maps.Clone(r.files)
	files[p.file] = changed
	what := fmt.Sprintf("%s:%d: %.60q → %.60q", p.file, at.Start.Line, text[at.Start.Byte:at.End.Byte], with)
	return &mutant{edit: edit, typ: p.typ(), files: files, file: p.file, what: what}
}

// insert puts a line at the start of a block's body.
func (r *root) insert(edit string, p *place, line string) *mutant {
	at := p.block.OpenBraceRange
	at.Start = at.End
	return r.change(edit, p, at, "\n"+line+"\n")
}

// append puts text at the end of a file.
func (r *root) append(edit string, p *place, text string) *mutant {
	end := len(r.files[p.file])
	at := hcl.Range{Filename: p.file, Start: hcl.Pos{Byte: end}, End: hcl.Pos{Byte: end}}
	return r.change(edit, p, at, "\n"+text+"\n")
}

func (r *root) text(p *place, at hcl.Range) string {
	return string(r.files[p.file][at.Start.Byte:at.End.Byte])
}
