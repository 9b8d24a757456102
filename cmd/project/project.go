// Package project puts the parts together for the commands: it opens a
// blueprint with its definitions and packs, renders every environment and
// target, and holds the result against the providers' schemas.
//
// It may import everything but cmd/scaffold.
package project

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/render"
	"scaffold/render/output"
	"scaffold/templates"
)

// Project is an opened blueprint.
type Project struct {
	Source  *blueprints.Source
	Catalog *blueprints.Catalog

	mu        sync.Mutex // over packs
	packs     map[string]*loadedPack
	folders   []blueprints.Folder // with packs under templates/
	Variables map[string]string
}

// loadedPack is a pack, nil if there is none of its name, with what is still to
// be said about it.
type loadedPack struct {
	pack  *render.Pack
	diags hcl.Diagnostics
}

// Selection says what of a project is meant. Empty means all.
type Selection struct {
	Environment string
	Target      string
}

// Root is one rendered target of one environment.
type Root struct {
	Environment string // empty where the blueprint has none
	Target      string
	Folder      string // slash-separated, in the output folder
	Model       *blueprints.Model
	Pack        *render.Pack
	Result      *render.Result
}

// Catalog gives the built-in definitions, without a blueprint.
func Catalog(extensions ...string) (*blueprints.Catalog, hcl.Diagnostics) {
	return blueprints.NewCatalog(folders(extensions)...)
}

func folders(extensions []string) []blueprints.Folder {
	out := []blueprints.Folder{{Name: "blueprints", FS: blueprints.Builtin()}}
	for _, dir := range extensions {
		out = append(out, blueprints.Folder{Name: dir, FS: os.DirFS(dir)})
	}
	return out
}

// Open reads a blueprint file and lists the definitions that it can use.
func Open(file string) (*Project, hcl.Diagnostics) {
	src, diags := blueprints.Load(file)
	if src == nil || diags.HasErrors() {
		return &Project{Source: src, packs: map[string]*loadedPack{}}, diags
	}
	p, moreDiags := New(src)
	return p, append(diags, moreDiags...)
}

// New makes a project of a blueprint that was read already.
func New(src *blueprints.Source) (*Project, hcl.Diagnostics) {
	p := &Project{Source: src, packs: map[string]*loadedPack{}, folders: folders(src.Extensions())}
	var diags hcl.Diagnostics
	for _, dir := range src.Extensions() {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Missing extension", Subject: src.ExtensionsRange(),
				Detail: fmt.Sprintf("The blueprint names the folder %s for definitions and packs of its own, and there is no such folder. Paths start from the blueprint's folder.", dir),
			})
		}
	}
	catalog, moreDiags := blueprints.NewCatalog(p.folders...)
	p.Catalog = catalog
	return p, append(diags, moreDiags...)
}

// Empty is a project without a blueprint, for commands that only read the
// catalogue and the packs.
func Empty() (*Project, hcl.Diagnostics) { return Extended() }

// Pack loads a pack by name: from the user's extensions, or scaffold's own. What
// there is to say about it is said to the first who asks.
func (p *Project) Pack(name string) (*render.Pack, hcl.Diagnostics) {
	p.mu.Lock()
	defer p.mu.Unlock()
	loaded := p.load(name)
	diags := loaded.diags
	loaded.diags = nil
	return loaded.pack, diags
}

// prepare begins to read what rendering will ask for.
func (p *Project) prepare(sel Selection) {
	p.Catalog.Prepare(p.Source)
	targets := p.targets(sel)
	go func() {
		for _, target := range targets {
			p.mu.Lock()
			p.load(target)
			p.mu.Unlock()
		}
	}()
}

func (p *Project) load(name string) *loadedPack {
	if p.packs[name] == nil {
		p.packs[name] = &loadedPack{}
		if fsys, folder := p.findPack(name); fsys != nil {
			pack, diags := render.LoadPack(fsys, folder, func(id string) bool { return p.Catalog.Has("patterns", id) })
			if pack != nil {
				pack.Single = func(block *hclsyntax.Block, path []string) bool { return single(pack, block, path) }
			}
			p.packs[name] = &loadedPack{pack, diags}
		}
	}
	return p.packs[name]
}

func (p *Project) findPack(name string) (fs.FS, string) {
	for _, f := range p.folders[1:] {
		if sub, ok := subFolder(f.FS, path.Join("templates", name)); ok {
			return sub, path.Join(f.Name, "templates", name)
		}
	}
	if sub, ok := subFolder(templates.FS, name); ok {
		return sub, path.Join("templates", name)
	}
	return nil, ""
}

func subFolder(fsys fs.FS, name string) (fs.FS, bool) {
	if info, err := fs.Stat(fsys, name); err != nil || !info.IsDir() {
		return nil, false
	}
	sub, err := fs.Sub(fsys, name)
	return sub, err == nil
}

// Packs lists the names of all packs in alphabetical order.
func (p *Project) Packs() []string {
	seen := map[string]bool{}
	for i, f := range p.folders {
		fsys, dir := f.FS, "templates"
		if i == 0 {
			fsys, dir = templates.FS, "."
		}
		entries, _ := fs.ReadDir(fsys, dir)
		for _, e := range entries {
			if e.IsDir() {
				seen[e.Name()] = true
			}
		}
	}
	var names []string
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Sources are all files that diagnostics may point into.
func (p *Project) Sources() map[string]*hcl.File {
	files := map[string]*hcl.File{}
	if p.Source != nil {
		for name, f := range p.Source.Files {
			files[name] = f
		}
	}
	if p.Catalog != nil {
		for name, f := range p.Catalog.Sources() {
			files[name] = f
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, loaded := range p.packs {
		if loaded.pack == nil {
			continue
		}
		for name, f := range loaded.pack.Sources() {
			files[name] = f
		}
	}
	return files
}

// Tree is the files of all roots as they are written.
func Tree(roots []*Root) output.Tree {
	tree := output.Tree{}
	for _, r := range roots {
		for name, f := range r.Result.Files {
			tree[path.Join(r.Folder, name)] = f.Data
		}
	}
	return tree
}

// SourceText is the text of a range of a blueprint, definition or pack.
func (p *Project) SourceText(r hcl.Range) string {
	f := p.Sources()[r.Filename]
	if f == nil || !r.CanSliceBytes(f.Bytes) {
		return ""
	}
	return string(r.SliceBytes(f.Bytes))
}
