package manifest

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/render/fold"
	"scaffold/render/yaml"
)

// joinOf returns how a function that puts together what the author wrote out
// is walked, so that its arguments keep order and comments, or nil for any
// other function. The meaning is that of the function.
func joinOf(function string) func(*walker, *hclsyntax.FunctionCallExpr, fold.Scope) *yaml.Node {
	switch function {
	case "merge":
		return (*walker).merge
	case "concat":
		return (*walker).concat
	case "flatten":
		return (*walker).flatten
	}
	return nil
}

// merge keeps the place of a key's first appearance and the value of its last.
func (w *walker) merge(e *hclsyntax.FunctionCallExpr, s fold.Scope) *yaml.Node {
	n := yaml.NewMapping()
	n.Source.Range = e.Range()
	args := w.arguments(e, s)
	nulls := 0
	for _, arg := range args {
		switch arg.node.Kind {
		case yaml.Null: // as in the function, null adds nothing
			nulls++
			continue
		case yaml.Mapping:
		default:
			w.fail(arg.rng, "Not an object", "merge joins objects and maps; this is a "+arg.node.Kind.String()+".")
			continue
		}
		w.handDown(arg.node, n)
		for _, entry := range arg.node.Entries {
			n.Set(entry.Key, entry.Value)
		}
	}
	if nulls > 0 && nulls == len(args) {
		return yaml.NewNull()
	}
	return n
}

func (w *walker) concat(e *hclsyntax.FunctionCallExpr, s fold.Scope) *yaml.Node {
	n := yaml.NewSequence()
	n.Flow = onOneLine(e.Range())
	n.Source.Range = e.Range()
	for _, arg := range w.arguments(e, s) {
		if arg.node.Kind != yaml.Sequence {
			w.fail(arg.rng, "Not a list", "concat joins lists; this is a "+arg.node.Kind.String()+".")
			continue
		}
		w.handDown(arg.node, n)
		n.Items = append(n.Items, arg.node.Items...)
	}
	return n
}

func (w *walker) flatten(e *hclsyntax.FunctionCallExpr, s fold.Scope) *yaml.Node {
	n := yaml.NewSequence()
	n.Flow = onOneLine(e.Range())
	n.Source.Range = e.Range()
	args := w.arguments(e, s)
	if len(args) != 1 || args[0].node.Kind != yaml.Sequence {
		w.fail(e.Range(), "Not a list", "flatten takes one list.")
		return n
	}
	w.spread(args[0].node, n)
	return n
}

// spread moves the items of from, and of the lists in it at any depth, to n.
func (w *walker) spread(from, n *yaml.Node) {
	w.handDown(from, n)
	for _, it := range from.Items {
		if it.Kind == yaml.Sequence {
			w.spread(it, n)
			continue
		}
		n.Items = append(n.Items, it)
	}
}

// arguments walks the arguments of a call. A last argument followed by "..."
// stands for its items.
func (w *walker) arguments(e *hclsyntax.FunctionCallExpr, s fold.Scope) []item {
	var args []item
	for i, expr := range e.Args {
		n := w.walk(expr, s)
		if !e.ExpandFinal || i < len(e.Args)-1 {
			args = append(args, item{n, expr.Range()})
			continue
		}
		if n.Kind != yaml.Sequence {
			w.fail(expr.Range(), "Not a list", "Only a list can be spread over the arguments of a function with \"...\".")
		}
		for _, it := range n.Items {
			args = append(args, item{it, expr.Range()})
		}
	}
	w.attach(nil, e.OpenParenRange.End, args, e.CloseParenRange.Start)
	return args
}

// handDown moves the comments of a collection that is taken apart: what stood
// above it goes to its first element, what stood below it to the end of the
// collection that its elements join.
func (w *walker) handDown(from, to *yaml.Node) {
	was := w.notebook[from]
	if was == nil {
		return
	}
	delete(w.notebook, from)
	w.notes(to).foot = append(w.notes(to).foot, was.foot...)
	above := append(was.head, was.line...)
	switch {
	case from.Kind == yaml.Mapping && len(from.Entries) > 0:
		w.prepend(from.Entries[0].Value, above)
	case from.Kind == yaml.Sequence && len(from.Items) > 0:
		w.prepend(from.Items[0], above)
	}
}
