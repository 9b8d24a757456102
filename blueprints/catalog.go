package blueprints

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

//go:embed components patterns targets profiles starters
var builtin embed.FS

// Builtin is the folder of definitions that scaffold brings along.
func Builtin() fs.FS { return builtin }

// Catalog finds definitions in one or more folders. A definition is parsed when
// it is first asked for, so a blueprint pays for what it names. A catalogue may
// be shared between goroutines.
type Catalog struct {
	folders []Folder
	files   map[string]*source  // "patterns/read_replicas" -> where it is
	names   map[string][]string // "patterns" -> the ids in it, in alphabetical order

	mu      sync.Mutex // over what follows
	parsed  map[string]*Definition
	sources map[string]*hcl.File
}

// Folder is one place with definitions. Name is put before file names in
// diagnostics.
type Folder struct {
	Name string
	FS   fs.FS
}

type source struct {
	folder Folder
	path   string
	parse  func() (*hcl.File, hcl.Diagnostics) // once, for whoever is first
}

func (s *source) name() string { return path.Join(s.folder.Name, s.path) }

func (s *source) parseFile() (*hcl.File, hcl.Diagnostics) {
	data, err := fs.ReadFile(s.folder.FS, s.path)
	if err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable definition", Detail: err.Error()}}
	}
	return ParseHCL(data, s.name())
}

var definitionFolders = []string{"components", "patterns", "targets", "profiles"}

// NewCatalog lists the definitions of the folders. A definition in a later
// folder that has the name of an earlier one is an error: a pattern should not
// change its meaning unseen.
func NewCatalog(folders ...Folder) (*Catalog, hcl.Diagnostics) {
	c := &Catalog{folders: folders, files: map[string]*source{}, names: map[string][]string{}, parsed: map[string]*Definition{}, sources: map[string]*hcl.File{}}
	var diags hcl.Diagnostics
	for _, folder := range folders {
		for _, kind := range definitionFolders {
			entries, err := fs.ReadDir(folder.FS, kind)
			if err != nil {
				continue // a folder need not have all four
			}
			for _, e := range entries {
				diags = append(diags, c.add(folder, kind, e.Name())...)
			}
		}
	}
	for _, names := range c.names {
		sort.Strings(names)
	}
	return c, diags
}

func (c *Catalog) add(folder Folder, kind, file string) hcl.Diagnostics {
	id, ok := strings.CutSuffix(file, ".hcl")
	if !ok || strings.Contains(id, ".") {
		return nil
	}
	key := kind + "/" + id
	if earlier, ok := c.files[key]; ok {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Definition given twice",
			Detail: fmt.Sprintf("%s defines %q, which %s defines already. Give it another name.", path.Join(folder.Name, kind, file), id, earlier.name())}}
	}
	src := &source{folder: folder, path: path.Join(kind, file)}
	src.parse = sync.OnceValues(src.parseFile)
	c.files[key] = src
	c.names[kind] = append(c.names[kind], id)
	return nil
}

// Names lists the ids of one folder, "patterns" for example, in alphabetical order.
func (c *Catalog) Names(kind string) []string { return slices.Clone(c.names[kind]) }

// Has reports whether a definition exists.
func (c *Catalog) Has(kind, id string) bool { _, ok := c.files[kind+"/"+id]; return ok }

// Sources are the definition files read so far, for printing diagnostics.
func (c *Catalog) Sources() map[string]*hcl.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.sources)
}

// ReadFile gives a file of the catalog's folders that is no definition, such
// as a profile's starter blueprint. A later folder's takes the place of an
// earlier one's.
func (c *Catalog) ReadFile(name string) ([]byte, error) {
	for _, folder := range slices.Backward(c.folders) {
		if data, err := fs.ReadFile(folder.FS, name); err == nil {
			return data, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// Component gives the definition of a component kind, nil if there is none.
func (c *Catalog) Component(id string) (*Definition, hcl.Diagnostics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.definition("components", "component", id)
}

// Target gives the definition of a target, nil if there is none.
func (c *Catalog) Target(id string) (*Definition, hcl.Diagnostics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.definition("targets", "target", id)
}

// Pattern gives the definition of a pattern, nil if there is none. What it
// inherits from the pattern that it extends is filled in.
func (c *Catalog) Pattern(id string) (*Definition, hcl.Diagnostics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pattern(id)
}

func (c *Catalog) pattern(id string) (*Definition, hcl.Diagnostics) {
	def, diags := c.definition("patterns", "pattern", id)
	if def == nil || def.Extends == "" || diags.HasErrors() {
		return def, diags
	}
	if c.parsed["inherited/"+id] != nil {
		return def, diags
	}
	c.parsed["inherited/"+id] = def
	base, moreDiags := c.pattern(def.Extends)
	diags = append(diags, moreDiags...)
	if base == nil {
		return def, append(diags, problem(def.Range, "Unknown pattern", fmt.Sprintf("There is no pattern %q to extend.%s", def.Extends, suggest(def.Extends, c.Names("patterns")))))
	}
	def.inherit(base)
	return def, diags
}

// inherit adds what base has and d does not say otherwise.
func (d *Definition) inherit(base *Definition) {
	own := map[string]bool{}
	for _, in := range d.Inputs {
		own[in.Name] = true
	}
	for _, v := range d.Derived {
		own[v.Name] = true
	}
	for _, b := range d.Blocks {
		own[b.ID] = true
	}
	for _, ch := range d.Checks {
		own["check "+ch.ID] = true
	}
	for _, in := range base.Inputs {
		if !own[in.Name] {
			d.Inputs = append(d.Inputs, in)
		}
	}
	for _, v := range base.Derived {
		if !own[v.Name] {
			d.Derived = append(d.Derived, v)
		}
	}
	for _, b := range base.Blocks {
		if !own[b.ID] {
			d.Blocks = append(d.Blocks, b)
		}
	}
	for _, ch := range base.Checks {
		if !own["check "+ch.ID] {
			d.Checks = append(d.Checks, ch)
		}
	}
	if len(d.Attaches) == 0 {
		d.Attaches = base.Attaches
	}
}

// Profile gives a profile, nil if there is none.
func (c *Catalog) Profile(id string) (*Profile, hcl.Diagnostics) {
	c.mu.Lock()
	defer c.mu.Unlock()
	src, ok := c.files["profiles/"+id]
	if !ok {
		return nil, nil
	}
	block, diags := c.read(src, "profile", id)
	if block == nil {
		return nil, diags
	}
	p, moreDiags := decodeProfile(id, block)
	return p, append(diags, moreDiags...)
}

func (c *Catalog) definition(kind, role, id string) (*Definition, hcl.Diagnostics) {
	key := kind + "/" + id
	if def, ok := c.parsed[key]; ok {
		return def, nil
	}
	src, ok := c.files[key]
	if !ok {
		return nil, nil
	}
	block, diags := c.read(src, role, id)
	if block == nil {
		return nil, diags
	}
	def, moreDiags := decodeDefinition(role, id, block)
	c.parsed[key] = def
	return def, append(diags, moreDiags...)
}

// read parses a definition file, which holds one block whose label is the
// file's name.
func (c *Catalog) read(src *source, role, id string) (*hclsyntax.Block, hcl.Diagnostics) {
	name := src.name()
	file, diags := src.parse()
	if file == nil {
		return nil, diags
	}
	c.sources[name] = file
	if diags.HasErrors() {
		return nil, diags
	}
	body := file.Body.(*hclsyntax.Body)
	if len(body.Blocks) != 1 || body.Blocks[0].Type != role || !slices.Equal(body.Blocks[0].Labels, []string{id}) {
		rng := hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
		return nil, fail(rng, "Invalid definition", fmt.Sprintf("The file must hold one block: %s %q { … }.", role, id))
	}
	return body.Blocks[0], diags
}

// Prepare begins to parse, side by side, the definitions that a blueprint names.
// It is never needed: whoever asks for a definition parses it.
func (c *Catalog) Prepare(src *Source) {
	words := append(src.Targets(), blockTypes(src.body)...)
	if src.blueprint != nil && src.blueprint.Body.Attributes["profile"] != nil {
		if v, diags := src.blueprint.Body.Attributes["profile"].Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
			words = append(words, v.AsString())
		}
	}
	c.prepare(words)
}

func (c *Catalog) prepare(words []string) {
	slices.Sort(words)
	for _, word := range slices.Compact(words) {
		for _, kind := range definitionFolders {
			if src := c.files[kind+"/"+word]; src != nil {
				go func() {
					file, _ := src.parse()
					if kind == "profiles" && file != nil {
						c.prepare(blockTypes(file.Body.(*hclsyntax.Body)))
					}
				}()
			}
		}
	}
}

// blockTypes are the types of all blocks, also of those in others.
func blockTypes(body *hclsyntax.Body) []string {
	var types []string
	for _, block := range body.Blocks {
		types = append(append(types, block.Type), blockTypes(block.Body)...)
	}
	return types
}

func mapKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func sortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	attrs := slices.Collect(maps.Values(body.Attributes))
	sort.Slice(attrs, func(i, j int) bool { return attrs[i].SrcRange.Start.Byte < attrs[j].SrcRange.Start.Byte })
	return attrs
}
