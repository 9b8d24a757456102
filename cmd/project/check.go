package project

import (
	"fmt"
	"path"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/providers/check"
	"scaffold/providers/kubernetes"
	"scaffold/providers/schema"
	"scaffold/render"
)

// manifestSchemas are read once: several targets may have manifests.
var manifestSchemas = sync.OnceValues(kubernetes.Open)

// checkOutput holds what was rendered against the provider's schema and the
// schemas of manifests, and translates what they find to the lines of the pack
// and the blueprint that it came from.
func (p *Project) checkOutput(root *Root) hcl.Diagnostics {
	configs, manifests := map[string][]byte{}, map[string][]byte{}
	parsed := map[string]*hclsyntax.Body{}
	for name, f := range root.Result.Files {
		switch f.Form {
		case render.Config:
			configs[name] = f.Data
			parsed[name] = f.Body
		case render.Object:
			manifests[name] = f.Data
		}
	}
	var diags hcl.Diagnostics
	if len(configs) > 0 {
		providers, moreDiags := providerSchemas(root.Pack)
		diags = append(diags, moreDiags...)
		if !moreDiags.HasErrors() {
			for name, f := range root.Result.Files {
				configs[name] = f.Data // file() may name any of them
			}
			diags = append(diags, translate(root, check.ParsedRoot(configs, parsed, providers))...)
		}
	}
	if len(manifests) > 0 {
		schemas, err := manifestSchemas()
		if err != nil {
			return append(diags, failure("Unreadable schemas", err.Error())...)
		}
		diags = append(diags, translate(root, schemas.CheckTree(manifests))...)
	}
	return diags
}

func providerSchemas(pack *render.Pack) (map[string]*schema.Provider, hcl.Diagnostics) {
	var provider *schema.Provider
	var err error
	switch {
	case pack.SchemaFile != nil:
		provider, err = schema.Load(pack.SchemaFile)
	case pack.Schema != "":
		provider, err = schema.Open(pack.Schema)
	default:
		return map[string]*schema.Provider{}, nil
	}
	if err != nil {
		return nil, failure("Unreadable provider schema", fmt.Sprintf("Pack %s: %s.", pack.Name, err))
	}
	return map[string]*schema.Provider{provider.Name(): provider}, nil
}

// single reports whether the pack's provider takes one block at most at a path
// in a resource or data source.
func single(pack *render.Pack, block *hclsyntax.Block, path []string) bool {
	if len(block.Labels) != 2 {
		return false
	}
	providers, diags := providerSchemas(pack)
	if diags.HasErrors() {
		return false
	}
	for _, provider := range providers {
		find := provider.Resource
		if block.Type == "data" {
			find = provider.DataSource
		}
		about, ok := find(block.Labels[0])
		if nested := nestedBlock(about, path); ok && nested != nil {
			return nested.Nesting == schema.Single || nested.Nesting == schema.Group || nested.MaxItems == 1
		}
	}
	return false
}

func nestedBlock(about *schema.Block, path []string) *schema.NestedBlock {
	var nested *schema.NestedBlock
	for _, step := range path {
		if about == nil || about.Blocks[step] == nil {
			return nil
		}
		nested = about.Blocks[step]
		about = nested.Block
	}
	return nested
}

// translate points diagnostics about rendered files at the pack.
func translate(root *Root, diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.Subject == nil {
			continue
		}
		f := root.Result.Files[d.Subject.Filename]
		rendered := *d.Subject
		rendered.Filename = path.Join(root.Folder, rendered.Filename)
		extra := &blueprints.Extra{Related: []blueprints.Related{{Range: rendered, Text: "rendered as: " + lineText(f, d.Subject.Start.Line)}}}
		if part := bestPart(f, d.Subject.Start.Line); part != nil {
			d.Subject = part.Source.Ptr()
			if part.Subject != nil {
				extra.Related = append(extra.Related, blueprints.Related{Range: part.Subject.Range, Text: "rendered for " + part.Subject.Path})
			}
		} else {
			d.Subject = &rendered
		}
		d.Context, d.Expression, d.EvalContext = nil, nil, nil
		d.Extra = extra
	}
	return diags
}

func lineText(f *render.File, line int) string {
	if f == nil || line < 1 || line > len(f.Lines()) {
		return ""
	}
	return f.Lines()[line-1].Text
}

// bestPart is the part of a line that says most about it: a computed value
// before text that was copied.
func bestPart(f *render.File, line int) *render.Part {
	if f == nil || line < 1 || line > len(f.Lines()) {
		return nil
	}
	var best *render.Part
	for i := range f.Lines()[line-1].Parts {
		p := &f.Lines()[line-1].Parts[i]
		if p.Source.Filename == "" {
			continue
		}
		if best == nil || (best.Expr == nil && p.Expr != nil) {
			best = p
		}
	}
	return best
}
