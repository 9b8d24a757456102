package project

import (
	"fmt"
	"regexp"
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

// emptied is a block in which nothing stayed.
var emptied = regexp.MustCompile(`\{\n *\}`)

// Starter renders the first blueprint of a profile: a template in which
// init.targets and init.name are known.
func (p *Project) Starter(profile, name string, targets []string) ([]byte, hcl.Diagnostics) {
	file := "profiles/" + profile + ".starter.hcl"
	data, err := p.Catalog.ReadFile(file)
	if err != nil {
		return nil, failure("Missing starter", fmt.Sprintf("The profile %s brings no starter blueprint: %s.", profile, err))
	}
	return fillStarter(file, data, name, map[string]cty.Value{"targets": texts(targets)})
}

// fillStarter renders a starter: init.name and the values are known in it.
func fillStarter(file string, data []byte, name string, values map[string]cty.Value) ([]byte, hcl.Diagnostics) {
	parsed, diags := blueprints.ParseHCL(data, file)
	if diags.HasErrors() {
		return nil, diags
	}
	values["name"] = cty.StringVal(name)
	scope := fold.Scope{Evaluator: blueprints.NewScope(map[string]cty.Value{"init": cty.ObjectVal(values)})}
	out, moreDiags := fold.Body(parsed.Bytes, parsed.Body.(*hclsyntax.Body), scope)
	diags = append(diags, moreDiags...)
	var b strings.Builder
	for _, line := range fold.Lines(out) {
		b.WriteString(line.Text + "\n")
	}
	text := strings.ReplaceAll(b.String(), starterName, fmt.Sprintf("%q", name))
	return hclwrite.Format([]byte(emptied.ReplaceAllString(text, "{}"))), diags
}

func texts(list []string) cty.Value {
	if len(list) == 0 {
		return cty.ListValEmpty(cty.String)
	}
	var values []cty.Value
	for _, text := range list {
		values = append(values, cty.StringVal(text))
	}
	return cty.ListVal(values)
}
