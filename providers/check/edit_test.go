package check_test

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// edits are all ways to make a mutant; nil means that the root has no place for it.
var edits = []struct {
	name string
	make func(*root, string) *mutant
}{
	{"drop a required argument", dropAttribute(func(s site) bool { return s.described() != nil && s.described().Required })},
	{"drop an optional argument", dropAttribute(func(s site) bool { return s.described() != nil && !s.described().Required })},
	{"drop a meta-argument", dropAttribute(func(s site) bool {
		return slices.Contains([]string{"for_each", "count", "provider", "source", "value", "type"}, s.attribute.Name) && s.described() == nil
	})},
	{"drop a local value", dropAttribute(func(s site) bool { return s.top.Type == "locals" })},
	{"misspell an argument", onAttribute(site.isResource, func(r *root, edit string, s site) *mutant {
		return r.change(edit, s.place, s.attribute.NameRange, s.attribute.Name+"x")
	})},
	{"misspell a block", onBlock(nested, func(r *root, edit string, p *place) *mutant {
		return r.change(edit, p, p.block.TypeRange, p.block.Type+"x")
	})},
	{"misspell a top-level block", onBlock(top, func(r *root, edit string, p *place) *mutant {
		return r.change(edit, p, p.block.TypeRange, p.block.Type+"x")
	})},
	{"misspell a type", onBlock(resource, func(r *root, edit string, p *place) *mutant {
		return r.change(edit, p, p.block.LabelRanges[0], `"`+p.block.Labels[0]+`x"`)
	})},
	{"misspell a reference", onTraversal(2, func(r *root, edit string, s site) *mutant {
		return r.change(edit, s.place, s.traversal[1].SourceRange(), r.text(s.place, s.traversal[1].SourceRange())+"x")
	})},
	{"misspell the end of a reference", onTraversal(3, func(r *root, edit string, s site) *mutant {
		last := s.traversal[len(s.traversal)-1].SourceRange()
		return r.change(edit, s.place, last, r.text(s.place, last)+"_x")
	})},
	{"index a reference", onTraversal(3, func(r *root, edit string, s site) *mutant {
		name := s.traversal[1].SourceRange()
		return r.change(edit, s.place, name, r.text(s.place, name)+`["a"]`)
	})},
	{"remove a step of a reference", onTraversal(3, func(r *root, edit string, s site) *mutant {
		return r.change(edit, s.place, s.traversal[2].SourceRange(), "")
	})},
	{"string where none fits", replaceWith(`"text"`, "number", "bool", "list of string", "map of string")},
	{"number where none fits", replaceWith("5", "bool", "list of string", "map of string", "set of string")},
	{"list where none fits", replaceWith(`["a"]`, "string", "number", "bool", "map of string")},
	{"object where none fits", replaceWith(`{ a = { b = 1 } }`, "string", "number", "bool", "map of string", "list of string", "set of string")},
	{"null", replaceWith("null", "string", "number", "bool", "list of string", "set of string")},
	{"each without for_each", replaceWith("each.key", "string", "number")},
	{"count without count", replaceWith("count.index", "string", "number")},
	{"undeclared variable", replaceWith("var.nope", "string", "number", "bool")},
	{"undeclared local", replaceWith("local.nope", "string", "number", "bool")},
	{"undeclared module", replaceWith("module.nope.id", "string")},
	{"undeclared data source", replaceWith("data.nope_nope.nope.id", "string")},
	{"self", replaceWith("self.id", "string", "number")},
	{"unknown path", replaceWith("path.nope", "string")},
	{"unknown function", wrap("nope(", ")")},
	{"too many arguments", wrap("lower(", ", 1)")},
	{"function of a wrong type", wrap("length([", "], 2)")},
	{"conversion", wrap("tostring(", ")")},
	{"number of anything", wrap("tonumber(", ")")},
	{"unknown argument", onBlock(anywhere, func(r *root, edit string, p *place) *mutant { return r.insert(edit, p, "nope = 1") })},
	{"unknown block", onBlock(anywhere, func(r *root, edit string, p *place) *mutant { return r.insert(edit, p, "nope {\n}") })},
	{"dynamic of an unknown block", onBlock(resource, func(r *root, edit string, p *place) *mutant {
		return r.insert(edit, p, "dynamic \"nope\" {\nfor_each = [1]\ncontent {}\n}")
	})},
	{"undeclared alias", onBlock(resource, insertUnless("provider", "provider = aws.nope"))},
	{"count beside for_each", onBlock(resource, insertUnless("count", "count = 1"))},
	{"for_each over a list", onBlock(resource, insertUnless("for_each", `for_each = ["a"]`))},
	{"for_each over a set", onBlock(resource, insertUnless("for_each", `for_each = toset(["a"])`))},
	{"unknown depends_on", onBlock(resource, insertUnless("depends_on", "depends_on = [nope_nope.nope]"))},
	{"depends_on an attribute", onBlock(resource, insertUnless("depends_on", "depends_on = [data.nope_nope.nope.id]"))},
	{"unknown ignore_changes", onBlock(resource, insertUnless("lifecycle", "lifecycle {\nignore_changes = [nope]\n}"))},
	{"variable in lifecycle", onBlock(resource, insertUnless("lifecycle", "lifecycle {\nprevent_destroy = var.nope\n}"))},
	{"drop a block", onBlock(nested, dropBlock)},
	{"drop a top-level block", onBlock(top, dropBlock)},
	{"repeat a block", onBlock(nested, repeatBlock)},
	{"repeat a top-level block", onBlock(top, repeatBlock)},
	{"repeat an argument", onAttribute(func(site) bool { return true }, func(r *root, edit string, s site) *mutant {
		at := s.attribute.SrcRange
		return r.change(edit, s.place, at, r.text(s.place, at)+"\n"+r.text(s.place, at))
	})},
	{"fewer labels", onBlock(labelled, func(r *root, edit string, p *place) *mutant {
		return r.change(edit, p, p.block.LabelRanges[len(p.block.LabelRanges)-1], "")
	})},
	{"more labels", onBlock(anywhere, func(r *root, edit string, p *place) *mutant {
		at := p.block.OpenBraceRange
		at.End = at.Start
		return r.change(edit, p, at, `"more" `)
	})},
	{"bad name", onBlock(resource, func(r *root, edit string, p *place) *mutant {
		return r.change(edit, p, p.block.LabelRanges[1], `"1 bad"`)
	})},
	{"read-only argument", onBlock(resource, readOnlyArgument)},
	{"missing brace", onBlock(anywhere, func(r *root, edit string, p *place) *mutant {
		return r.change(edit, p, p.block.CloseBraceRange, "")
	})},
	{"reference to itself", onAttribute(func(s site) bool { return s.isResource() && s.block == s.top && s.top.Type == "resource" }, func(r *root, edit string, s site) *mutant {
		return r.change(edit, s.place, s.attribute.Expr.Range(), s.top.Labels[0]+"."+s.top.Labels[1]+"."+s.attribute.Name)
	})},
	{"snippet", func(r *root, edit string) *mutant {
		p, _ := pick(r.random, r.blocks, top)
		return r.append(edit, p, snippets()[r.random.IntN(len(snippets()))])
	}},
	{"snippet again", func(r *root, edit string) *mutant {
		p, _ := pick(r.random, r.blocks, top)
		return r.append(edit, p, snippets()[r.random.IntN(len(snippets()))])
	}},
}

func anywhere(*place) bool     { return true }
func top(p *place) bool        { return p.block == p.top }
func nested(p *place) bool     { return p.block != p.top }
func resource(p *place) bool   { return top(p) && p.about != nil }
func labelled(p *place) bool   { return len(p.block.LabelRanges) > 0 }
func anyTraversal(s site) bool { return s.traversal != nil }

func onBlock(fits func(*place) bool, change func(*root, string, *place) *mutant) func(*root, string) *mutant {
	return func(r *root, edit string) *mutant {
		p, ok := pick(r.random, r.blocks, fits)
		if !ok {
			return nil
		}
		return change(r, edit, p)
	}
}

func onAttribute(fits func(site) bool, change func(*root, string, site) *mutant) func(*root, string) *mutant {
	return func(r *root, edit string) *mutant {
		s, ok := pick(r.random, r.attributes(), fits)
		if !ok {
			return nil
		}
		return change(r, edit, s)
	}
}

// onTraversal finds a reference of at least so many steps.
func onTraversal(steps int, change func(*root, string, site) *mutant) func(*root, string) *mutant {
	return func(r *root, edit string) *mutant {
		s, ok := pick(r.random, r.traversals(), func(s site) bool { return anyTraversal(s) && len(s.traversal) >= steps })
		if !ok {
			return nil
		}
		return change(r, edit, s)
	}
}

func dropAttribute(fits func(site) bool) func(*root, string) *mutant {
	return onAttribute(fits, func(r *root, edit string, s site) *mutant {
		return r.change(edit, s.place, s.attribute.SrcRange, "")
	})
}

func dropBlock(r *root, edit string, p *place) *mutant {
	return r.change(edit, p, hcl.RangeBetween(p.block.TypeRange, p.block.CloseBraceRange), "")
}

func repeatBlock(r *root, edit string, p *place) *mutant {
	at := hcl.RangeBetween(p.block.TypeRange, p.block.CloseBraceRange)
	return r.change(edit, p, at, r.text(p, at)+"\n"+r.text(p, at))
}

// replaceWith puts a text where a value of one of some types is described.
func replaceWith(with string, types ...string) func(*root, string) *mutant {
	fits := func(s site) bool {
		return s.described() != nil && slices.Contains(types, s.described().Type.FriendlyName())
	}
	return onAttribute(fits, func(r *root, edit string, s site) *mutant {
		return r.change(edit, s.place, s.attribute.Expr.Range(), with)
	})
}

func wrap(before, after string) func(*root, string) *mutant {
	fits := func(s site) bool {
		// A heredoc can't stand within parentheses.
		_, template := s.attribute.Expr.(*hclsyntax.TemplateExpr)
		return s.isResource() && !template
	}
	return onAttribute(fits, func(r *root, edit string, s site) *mutant {
		at := s.attribute.Expr.Range()
		return r.change(edit, s.place, at, before+r.text(s.place, at)+after)
	})
}

func insertUnless(name, line string) func(*root, string, *place) *mutant {
	return func(r *root, edit string, p *place) *mutant {
		if p.block.Body.Attributes[name] != nil {
			return nil
		}
		return r.insert(edit, p, line)
	}
}

func readOnlyArgument(r *root, edit string, p *place) *mutant {
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(p.about.Attributes)) {
		if p.about.Attributes[name].ReadOnly() && p.block.Body.Attributes[name] == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return r.insert(edit, p, names[r.random.IntN(len(names))]+" = null == null ? \"x\" : null")
}
