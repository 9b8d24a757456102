package blueprints

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints/parse"
)

// DefaultFile is the blueprint that is looked for in a folder.
const DefaultFile = "scaffold.hcl"

// Source is a parsed blueprint, not yet decoded.
type Source struct {
	// Name is the blueprint's file, as messages show it.
	Name string
	// Dir is the folder that relative paths in the blueprint start from.
	Dir   string
	Files map[string]*hcl.File

	body       *hclsyntax.Body
	blueprint  *hclsyntax.Block
	extensions []string

	// What every environment asks for, found once: base is the body without environments.
	base                  *hclsyntax.Body
	environments, targets []string
	byEnvironment         map[string][]*hclsyntax.Block
	problems              hcl.Diagnostics

	suppressions []*suppression
	answers      map[answer][]*suppression
}

// Find resolves what a user named, a file, a folder or nothing, to a blueprint
// file. Without a name the working folder and those above it are searched.
func Find(name string) (string, error) {
	if name == "" {
		return findUpward()
	}
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("no blueprint at %s: %w", name, err)
	}
	if !info.IsDir() {
		return name, nil
	}
	file := filepath.Join(name, DefaultFile)
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("no %s in %s; name a blueprint file, or make one with 'scaffold init'", DefaultFile, name)
	}
	return file, nil
}

func findUpward() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	start := dir
	for {
		file := filepath.Join(dir, DefaultFile)
		if _, err := os.Stat(file); err == nil {
			if rel, err := filepath.Rel(start, file); err == nil {
				return rel, nil
			}
			return file, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no %s here or in a folder above; name a blueprint file, or make one with 'scaffold init'", DefaultFile)
		}
		dir = parent
	}
}

// Load reads and parses a blueprint file.
func Load(file string) (*Source, hcl.Diagnostics) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Unreadable blueprint", Detail: err.Error() + "."}}
	}
	return Parse(data, filepath.ToSlash(file))
}

// Parse reads a blueprint from memory.
func Parse(data []byte, name string) (*Source, hcl.Diagnostics) {
	file, diags := ParseHCL(data, name)
	src := &Source{Name: name, Dir: filepath.Dir(name), Files: map[string]*hcl.File{name: file}}
	if diags.HasErrors() {
		return src, diags
	}
	src.body = file.Body.(*hclsyntax.Body)
	suppressions, moreDiags := readSuppressions(file.Bytes, name)
	src.suppressions, src.answers = suppressions, byAnswer(suppressions)
	diags = append(diags, moreDiags...)
	diags = append(diags, src.header()...)
	src.sort()
	return src, diags
}

// sort parts the environments from what they are merged over.
func (s *Source) sort() {
	s.byEnvironment = map[string][]*hclsyntax.Block{}
	seen := map[string]bool{}
	base := *s.body
	base.Blocks = nil
	for _, block := range s.body.Blocks {
		switch {
		case block.Type != "environment":
			base.Blocks = append(base.Blocks, block)
			if block.Type == "target" && len(block.Labels) == 1 && !seen[block.Labels[0]] {
				seen[block.Labels[0]] = true
				s.targets = append(s.targets, block.Labels[0])
			}
		case len(block.Labels) == 1:
			name := block.Labels[0]
			if s.byEnvironment[name] == nil {
				s.environments = append(s.environments, name)
			}
			s.byEnvironment[name] = append(s.byEnvironment[name], block)
		}
	}
	s.base = &base
	s.problems = s.checkTwice()
}

// Check complains about what is wrong in whatever environment is looked at.
func (s *Source) Check() hcl.Diagnostics { return slices.Clone(s.problems) }

// ParseHCL parses data, which must be UTF-8, with LF line ends whatever the
// file has.
func ParseHCL(data []byte, name string) (*hcl.File, hcl.Diagnostics) {
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if at := invalidUTF8(data); at >= 0 {
		pos := position(data, at)
		rng := hcl.Range{Filename: name, Start: pos, End: pos}
		return &hcl.File{Bytes: data, Body: &hclsyntax.Body{}}, fail(rng, "Not UTF-8", "The file holds a byte that is no UTF-8 text. Save the file as UTF-8.")
	}
	file, diags := parse.Config(data, name, hcl.InitialPos)
	return file, tidy(diags, data)
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

func position(data []byte, at int) hcl.Pos {
	line := bytes.Count(data[:at], []byte("\n"))
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return hcl.Pos{Line: line + 1, Column: utf8.RuneCount(data[start:at]) + 1, Byte: at}
}

func (s *Source) header() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, attr := range sortedAttributes(s.body) {
		diags = append(diags, problem(attr.NameRange, "Unexpected argument", fmt.Sprintf("A blueprint holds blocks only; %s belongs into one of them.", attr.Name)))
	}
	for _, block := range s.body.Blocks {
		if block.Type != "blueprint" {
			continue
		}
		if s.blueprint != nil {
			diags = append(diags, problem(block.DefRange(), "Blueprint given twice", "A file describes one blueprint; the other one starts at line "+fmt.Sprint(s.blueprint.DefRange().Start.Line)+"."))
			continue
		}
		if len(block.Labels) != 1 {
			diags = append(diags, problem(block.DefRange(), "Missing name", `The blueprint needs a name: blueprint "shop" { … }.`))
			continue
		}
		s.blueprint = block
	}
	if s.blueprint == nil && !diags.HasErrors() {
		return append(diags, fail(hcl.Range{Filename: s.Name, Start: hcl.InitialPos, End: hcl.InitialPos}, "Missing blueprint", `The file has no block blueprint "NAME" { … }.`)...)
	}
	if s.blueprint != nil {
		diags = append(diags, s.readExtensions()...)
	}
	return diags
}

// checkTwice complains about blocks that say the same thing twice, and about
// environments without a usable name. What an environment says again is not
// twice: it is merged over the blueprint.
func (s *Source) checkTwice() hcl.Diagnostics {
	diags := checkTwiceIn(s.body)
	for _, block := range s.body.Blocks {
		if block.Type != "environment" {
			continue
		}
		switch {
		case len(block.Labels) != 1:
			diags = append(diags, problem(block.DefRange(), "Missing name", `An environment takes one label, its name: environment "staging" { … }.`))
		case !validName(block.Labels[0]):
			diags = append(diags, problem(block.LabelRanges[0], "Invalid name", nameRule("environment", block.Labels[0])))
		}
		diags = append(diags, checkTwiceIn(block.Body)...)
	}
	return diags
}

func checkTwiceIn(body *hclsyntax.Body) hcl.Diagnostics {
	var diags hcl.Diagnostics
	seen := map[string]hcl.Range{}
	once := func(what string, rng hcl.Range) {
		if first, ok := seen[what]; ok {
			d := problem(rng, "Given twice", fmt.Sprintf("%s is given twice. Merge the two, or rename one.", what))
			d.Extra = &Extra{Related: []Related{{Range: first, Text: "the first one"}}}
			diags = append(diags, d)
			return
		}
		seen[what] = rng
	}
	for _, block := range body.Blocks {
		switch {
		case block.Type == "locals":
			for _, attr := range sortedAttributes(block.Body) {
				once("local."+attr.Name, attr.NameRange)
			}
		case contains([]string{"environment", "target", "variable"}, block.Type) && len(block.Labels) == 1:
			once(fmt.Sprintf("%s %q", block.Type, block.Labels[0]), block.DefRange())
		}
	}
	return diags
}

func (s *Source) readExtensions() hcl.Diagnostics {
	d := newDecoder(s.blueprint.Body)
	s.extensions = d.texts("extensions")
	return d.diags
}

// Extensions are the folders with definitions and packs of the user's own, as
// paths that can be opened.
func (s *Source) Extensions() []string {
	var out []string
	for _, e := range s.extensions {
		out = append(out, filepath.Join(s.Dir, filepath.FromSlash(e)))
	}
	return out
}

// ExtensionsRange is where the blueprint lists its extensions, nil where it has none.
func (s *Source) ExtensionsRange() *hcl.Range {
	if attr := s.blueprint.Body.Attributes["extensions"]; attr != nil {
		return attr.Expr.Range().Ptr()
	}
	return nil
}

// Environments lists the environments in the order of the file; it is empty
// where the blueprint has none.
func (s *Source) Environments() []string { return slices.Clone(s.environments) }

// Targets lists the targets in the order of the file.
func (s *Source) Targets() []string { return slices.Clone(s.targets) }

// layer is one block that has a say in an instance's values. Later layers win.
type layer struct {
	source string // "blueprint", "environment NAME", "profile NAME"
	body   *hclsyntax.Body
	block  *hclsyntax.Block // nil for profiles
	within *hclsyntax.Body  // what the block stands in
}

// layersOf collects the blocks of one type from the body of every layer, with
// the label given, or all if it is empty.
func layersOf(layers []layer, blockType, label string) []layer {
	var out []layer
	for _, l := range layers {
		for _, block := range l.body.Blocks {
			if block.Type == blockType && (label == "" || (len(block.Labels) > 0 && block.Labels[0] == label)) {
				out = append(out, layer{source: l.source, body: block.Body, block: block, within: l.body})
			}
		}
	}
	return out
}

// find gives the attribute that counts, and its layer.
func find(layers []layer, name string) (*hclsyntax.Attribute, layer) {
	for i := len(layers) - 1; i >= 0; i-- {
		if attr := layers[i].body.Attributes[name]; attr != nil {
			return attr, layers[i]
		}
	}
	return nil, layer{}
}

// top is the blueprint's own body, and that of the environment over it.
func (s *Source) top(environment string) []layer {
	layers := []layer{{source: "blueprint", body: s.base}}
	for _, block := range s.byEnvironment[environment] {
		layers = append(layers, layer{source: "environment " + environment, body: block.Body, block: block})
	}
	return layers
}

func joinNames(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
