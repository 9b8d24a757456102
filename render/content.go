package render

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"scaffold/render/manifest"
	"scaffold/render/yaml"
)

// content renders a file block: a text in which values are escaped for the
// file's format, or a value that is written as JSON or YAML.
func (j *job) content(block *hclsyntax.Block) ([]*unit, hcl.Diagnostics) {
	on, diags := j.enabled(block)
	if !on {
		return nil, diags
	}
	format, expr := block.Body.Attributes["format"], block.Body.Attributes["content"]
	if len(block.Labels) != 1 || format == nil || expr == nil {
		return nil, append(diags, invalid(block.DefRange(), `A file needs a label, its name, and the arguments format and content.`)...)
	}
	name, moreDiags := j.fileName(block)
	diags = append(diags, moreDiags...)
	data, tree, moreDiags := j.encode(textOf(format.Expr, &diags), expr.Expr)
	diags = append(diags, moreDiags...)
	u := &unit{form: Content, job: j, block: block, file: name, data: data, tree: tree, address: "file." + name, shared: true}
	return []*unit{u}, diags
}

// fileName is the label, in which "this" stands for the component, or the
// argument path where a name has to be computed.
func (j *job) fileName(block *hclsyntax.Block) (string, hcl.Diagnostics) {
	attr := block.Body.Attributes["path"]
	if attr == nil {
		return strings.ReplaceAll(block.Labels[0], "this", j.subject.this), nil
	}
	v, diags := j.scope.Value(attr.Expr, nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", append(diags, invalid(attr.Expr.Range(), "The path of a file must be a text.")...)
	}
	return v.AsString(), diags
}

// encode writes the content of a file; what is written as YAML is given as a tree
// as well.
func (j *job) encode(format string, expr hclsyntax.Expression) ([]byte, *yaml.Node, hcl.Diagnostics) {
	if format == "yaml" {
		tree, diags := manifest.Tree(j.template.text, expr, j.foldScope())
		if diags.HasErrors() {
			return nil, nil, diags
		}
		data, _ := yaml.Write(tree)
		return data, tree, diags
	}
	v, diags := j.scope.Value(expr, nil)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	if format == "json" {
		data, err := indentJSON(v)
		if err != nil {
			return nil, nil, append(diags, invalid(expr.Range(), "The content cannot be written as JSON: "+err.Error()+".")...)
		}
		return data, nil, diags
	}
	data, moreDiags := j.text(format, expr)
	return data, nil, moreDiags
}

func indentJSON(v cty.Value) ([]byte, error) {
	raw, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(json.RawMessage(raw)); err != nil {
		return nil, err
	}
	return []byte(out.String()), nil
}

// text writes a template part by part: what the pack's author wrote is copied,
// what was computed is escaped, so that no value of a blueprint becomes code.
func (j *job) text(format string, expr hclsyntax.Expression) ([]byte, hcl.Diagnostics) {
	escape, ok := escapes[format]
	if !ok {
		return nil, invalid(expr.Range(), fmt.Sprintf("There is no format %q.", format))
	}
	parts := []hclsyntax.Expression{expr}
	if t, ok := expr.(*hclsyntax.TemplateExpr); ok {
		parts = t.Parts
	}
	var out strings.Builder
	var diags hcl.Diagnostics
	for _, part := range parts {
		v, moreDiags := j.scope.Value(part, nil)
		diags = append(diags, moreDiags...)
		if moreDiags.HasErrors() {
			continue
		}
		s, err := plainText(v)
		if err != nil {
			diags = append(diags, invalid(part.Range(), err.Error())...)
			continue
		}
		if !authored(part) {
			if s, err = escape(s); err != nil {
				diags = append(diags, invalid(part.Range(), err.Error()+".")...)
			}
		}
		out.WriteString(s)
	}
	text := out.String()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return []byte(text), diags
}

// authored reports whether the text of a part comes from the pack: a literal,
// or a call of the function that makes it safe by itself.
func authored(part hclsyntax.Expression) bool {
	switch e := part.(type) {
	case *hclsyntax.LiteralValueExpr:
		return true
	case *hclsyntax.TemplateExpr:
		return e.IsStringLiteral()
	case *hclsyntax.FunctionCallExpr:
		return e.Name == "shell" || e.Name == "jsonencode"
	}
	return false
}
