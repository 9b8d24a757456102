package project

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/render/fold"
)

// starterName stands for the blueprint's name in a starter's labels.
const starterName = `"NAME"`

// Starter renders the first blueprint of a profile: a template in which
// init.targets and init.name are known.
func (p *Project) Starter(profile, name string, targets []string) ([]byte, hcl.Diagnostics) {
	file := "profiles/" + profile + ".starter.hcl"
	data, err := p.Catalog.ReadFile(file)
	if err != nil {
		return nil, failure("Missing starter", fmt.Sprintf("The profile %s brings no starter blueprint: %s.", profile, err))
	}
	parsed, diags := blueprints.ParseHCL(data, file)
	if diags.HasErrors() {
		return nil, diags
	}
	var names []cty.Value
	for _, t := range targets {
		names = append(names, cty.StringVal(t))
	}
	list := cty.ListValEmpty(cty.String)
	if len(names) > 0 {
		list = cty.ListVal(names)
	}
	scope := fold.Scope{Evaluator: blueprints.NewScope(map[string]cty.Value{
		"init": cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(name), "targets": list}),
	})}
	out, moreDiags := fold.Body(parsed.Bytes, parsed.Body.(*hclsyntax.Body), scope)
	diags = append(diags, moreDiags...)
	var b strings.Builder
	for _, line := range fold.Lines(out) {
		b.WriteString(line.Text + "\n")
	}
	text := strings.ReplaceAll(b.String(), starterName, fmt.Sprintf("%q", name))
	return hclwrite.Format([]byte(text)), diags
}
