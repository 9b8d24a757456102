package check

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// reference is what the fixed part of an expression such as
// aws_vpc.main.id names: here a resource, with ".id" as the rest.
type reference struct {
	kind      kind
	name      string // of the variable, attribute of each, …
	mode      mode   // of a resource
	typ       string // of a resource
	key       bool   // an instance key follows the resource or module
	rest      hcl.Traversal
	traversal hcl.Traversal
}

type kind string

const (
	toResource  kind = "resource"
	toVariable  kind = "var"
	toLocal     kind = "local"
	toModule    kind = "module"
	toEach      kind = "each"
	toCount     kind = "count"
	toPath      kind = "path"
	toTerraform kind = "terraform"
	toSelf      kind = "self"
)

func (r reference) at() hcl.Range { return r.traversal.SourceRange() }

func (r reference) address() address {
	if r.kind == toResource {
		return resourceAddress(r.mode, r.typ, r.name)
	}
	return address(string(r.kind) + "." + r.name)
}

// reserved are words that Terraform keeps for later at the start of references.
var reserved = map[string]bool{"template": true, "lazy": true, "arg": true}

func parseReference(traversal hcl.Traversal) (reference, *hcl.Diagnostic) {
	root := traversal.RootName()
	ref := reference{kind: kind(root), traversal: traversal}
	switch {
	case reserved[root]:
		return ref, problem("Reserved symbol name", fmt.Sprintf("The symbol name %q is reserved for use in a future Terraform version.", root), traversal.SourceRange())
	case ref.kind == toSelf:
		ref.rest = traversal[1:]
		return ref, nil
	case ref.kind == toModule:
		return ref.withName(1, "module call")
	case ref.kind == toVariable, ref.kind == toLocal, ref.kind == toEach, ref.kind == toCount, ref.kind == toPath, ref.kind == toTerraform:
		return ref.withName(1, "object")
	case root == "data" || root == "ephemeral":
		return ref.withType(mode(root), 1)
	case root == "resource":
		return ref.withType(managed, 1)
	default:
		return ref.withType(managed, 0)
	}
}

// withName reads the name that follows a fixed word.
func (r reference) withName(at int, what string) (reference, *hcl.Diagnostic) {
	if len(r.traversal) <= at {
		return r, problem("Invalid reference",
			fmt.Sprintf("The %q object cannot be accessed directly. Instead, access one of its attributes.", r.kind), r.at())
	}
	step, ok := r.traversal[at].(hcl.TraverseAttr)
	if !ok {
		return r, problem("Invalid reference",
			fmt.Sprintf("The %q %s does not support this operation.", r.kind, what), r.traversal[at].SourceRange())
	}
	r.name = step.Name
	r.rest = r.traversal[at+1:]
	return r.withKey(), nil
}

// withType reads type and name of a resource.
func (r reference) withType(m mode, at int) (reference, *hcl.Diagnostic) {
	r.kind, r.mode = toResource, m
	if len(r.traversal) < at+2 {
		return r, problem("Invalid reference",
			"A reference to a resource type must be followed by at least one attribute access, specifying the resource name.", r.at())
	}
	r.typ = stepName(r.traversal[at])
	step, ok := r.traversal[at+1].(hcl.TraverseAttr)
	if r.typ == "" || !ok {
		return r, problem("Invalid reference",
			"A reference to a resource type must be followed by at least one attribute access, specifying the resource name.", r.at())
	}
	r.name = step.Name
	r.rest = r.traversal[at+2:]
	return r.withKey(), nil
}

// withKey takes an instance key off the rest.
func (r reference) withKey() reference {
	if r.kind != toResource && r.kind != toModule || len(r.rest) == 0 {
		return r
	}
	if _, ok := r.rest[0].(hcl.TraverseIndex); ok {
		r.key, r.rest = true, r.rest[1:]
	}
	return r
}

// stepName is the name of a root or attribute step; "" for another step.
func stepName(step hcl.Traverser) string {
	switch step := step.(type) {
	case hcl.TraverseRoot:
		return step.Name
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		name, _ := asString(step.Key)
		return name
	default:
		return ""
	}
}

// references parses what expressions name and drops what can't be parsed;
// the second result says what that was.
func references(traversals []hcl.Traversal) ([]reference, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	refs := make([]reference, 0, len(traversals))
	for _, traversal := range traversals {
		ref, wrong := parseReference(traversal)
		if wrong != nil {
			diags = append(diags, wrong)
			continue
		}
		refs = append(refs, ref)
	}
	return refs, diags
}

// traversalsOf lists what a body names, nested and dynamic blocks included;
// skip has the names at this level that Terraform itself reads.
func traversalsOf(body *hclsyntax.Body, skip map[string]bool) []hcl.Traversal {
	list := []hcl.Traversal{}
	if body == nil {
		return nil
	}
	for name, attribute := range body.Attributes {
		if !skip[name] {
			list = namesIn(list, attribute.Expr)
		}
	}
	for _, block := range body.Blocks {
		switch {
		case skip[block.Type]:
		case block.Type == "dynamic" && len(block.Labels) == 1:
			list = append(list, dynamicTraversals(block)...)
		default:
			list = append(list, traversalsOf(block.Body, nil)...)
		}
	}
	return list
}

// namesIn adds what an expression names to a list. Only what binds names of its
// own needs the general way to go about it.
func namesIn(list []hcl.Traversal, expr hclsyntax.Expression) []hcl.Traversal {
	switch expr := expr.(type) {
	case *hclsyntax.LiteralValueExpr:
		return list
	case *hclsyntax.ScopeTraversalExpr:
		return append(list, expr.Traversal)
	case *hclsyntax.TemplateExpr:
		return namesInAll(list, expr.Parts)
	case *hclsyntax.TemplateWrapExpr:
		return namesIn(list, expr.Wrapped)
	case *hclsyntax.ParenthesesExpr:
		return namesIn(list, expr.Expression)
	case *hclsyntax.TupleConsExpr:
		return namesInAll(list, expr.Exprs)
	case *hclsyntax.FunctionCallExpr:
		return namesInAll(list, expr.Args)
	case *hclsyntax.ObjectConsExpr:
		for _, item := range expr.Items {
			list = namesIn(namesIn(list, item.KeyExpr), item.ValueExpr)
		}
		return list
	case *hclsyntax.ObjectConsKeyExpr:
		if expr.ForceNonLiteral || hcl.ExprAsKeyword(expr.Wrapped) == "" {
			return namesIn(list, expr.Wrapped)
		}
		return list
	}
	return append(list, expr.Variables()...)
}

func namesInAll(list []hcl.Traversal, exprs []hclsyntax.Expression) []hcl.Traversal {
	for _, expr := range exprs {
		list = namesIn(list, expr)
	}
	return list
}

// dynamicTraversals leaves out the iterator, which only the content knows.
func dynamicTraversals(block *hclsyntax.Block) []hcl.Traversal {
	iterator := block.Labels[0]
	list := []hcl.Traversal{}
	bound := []hcl.Traversal{}
	for name, attribute := range block.Body.Attributes {
		switch name {
		case "iterator":
			if word := hcl.ExprAsKeyword(attribute.Expr); word != "" {
				iterator = word
			}
		case "for_each":
			list = append(list, attribute.Expr.Variables()...)
		default:
			bound = append(bound, attribute.Expr.Variables()...)
		}
	}
	for _, content := range block.Body.Blocks {
		bound = append(bound, traversalsOf(content.Body, nil)...)
	}
	for _, traversal := range bound {
		if traversal.RootName() != iterator {
			list = append(list, traversal)
		}
	}
	return list
}

// pathValues are the attributes of path; only the working directory isn't
// known before Terraform runs.
var pathValues = map[string]cty.Value{
	"module": cty.StringVal("."), "root": cty.StringVal("."), "cwd": cty.UnknownVal(cty.String),
}

// terraformValues are the attributes of terraform.
var terraformValues = map[string]cty.Value{
	"workspace": cty.UnknownVal(cty.String), "applying": cty.UnknownVal(cty.Bool).Mark(ephemeralMark{}),
}
