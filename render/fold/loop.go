package fold

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// loop folds a for expression that is not static as a whole.
func (w *walker) loop(e *hclsyntax.ForExpr) {
	w.warnHidden(e)
	if w.unrollable(e) {
		w.unroll(e)
		return
	}
	w.expr(e.CollExpr, inside)
	c := w.child(w.scope.shadowing(e.KeyVar, e.ValVar))
	for _, part := range []hclsyntax.Expression{e.KeyExpr, e.ValExpr, e.CondExpr} {
		if part != nil {
			c.expr(part, inside)
		}
	}
	w.edits = append(w.edits, c.edits...)
}

func (w *walker) warnHidden(e *hclsyntax.ForExpr) {
	for _, name := range []string{e.KeyVar, e.ValVar} {
		if name != "" && w.scope.knows(name) {
			w.add(hidesKnown(e.OpenRange, name))
		}
	}
}

// unrollable reports whether the elements of a for expression, and their keys,
// are known though the values are not.
func (w *walker) unrollable(e *hclsyntax.ForExpr) bool {
	if e.Group || !w.survey(e).known || !w.static(e.CollExpr) {
		return false
	}
	c := w.child(w.scope.with(map[string]cty.Value{e.KeyVar: cty.True, e.ValVar: cty.True}))
	return (e.CondExpr == nil || c.static(e.CondExpr)) && (e.KeyExpr == nil || c.static(e.KeyExpr))
}

// entry is one element of an unrolled for expression.
type entry struct {
	key   string
	keyed bool
	from  hcl.Range
	expr  hclsyntax.Expression
	scope Scope
	value []Segment
}

func (w *walker) unroll(e *hclsyntax.ForExpr) {
	elements, ok := w.elements(e.CollExpr, "A collection to go through")
	if !ok {
		return
	}
	seen := map[string]bool{}
	var entries []entry
	for _, el := range elements {
		scope := w.scope.with(map[string]cty.Value{e.KeyVar: el.key, e.ValVar: el.value})
		one, taken, ok := w.child(scope).entry(e)
		if !ok {
			return
		}
		if !taken {
			continue
		}
		if one.keyed && seen[one.key] {
			w.add(duplicateKey(e.KeyExpr.Range(), one.key))
			return
		}
		seen[one.key] = true
		entries = append(entries, one)
	}
	w.replaceCode(e.Range(), w.construct(e, entries)...)
}

// entry folds one element in the walker's scope. taken is false where the
// condition leaves the element out.
func (w *walker) entry(e *hclsyntax.ForExpr) (one entry, taken, ok bool) {
	if e.CondExpr != nil {
		if taken, ok = w.truth(e.CondExpr); !ok || !taken {
			return one, false, ok
		}
	}
	if e.KeyExpr != nil {
		if one.key, ok = w.keyText(e.KeyExpr); !ok {
			return one, false, false
		}
		one.keyed, one.from = true, e.KeyExpr.Range()
	}
	w.expr(e.ValExpr, onLine)
	one.expr, one.scope = e.KeyExpr, w.scope
	one.value = w.fenced(e.ValExpr, onLine)
	return one, true, true
}

// construct writes the entries of an unrolled for expression as the constructor
// that they make.
func (w *walker) construct(e *hclsyntax.ForExpr, entries []entry) []Segment {
	glue := func(text string) Segment { return Segment{Text: text, Source: e.Range()} }
	opening, closing := "[", "]"
	if e.KeyExpr != nil {
		opening, closing = "{", "}"
	}
	if len(entries) == 0 {
		return []Segment{glue(opening + closing)}
	}
	before, between, end := w.separators(e, entries)
	out := []Segment{glue(opening + before)}
	for i, one := range entries {
		if i > 0 {
			out = append(out, glue(between))
		}
		if one.keyed {
			key, err := keyText(one.key)
			if err != nil {
				w.add(badKey(one.from, err.Error()))
			}
			out = append(out, Segment{Text: key, Source: one.from, Expr: one.expr, Locals: one.scope.Locals}, glue(" = "))
		}
		out = append(out, one.value...)
	}
	return append(out, glue(end+closing))
}

// separators are what stands before, between and after the entries: an object
// has one line for each, a list too unless it is short.
func (w *walker) separators(e *hclsyntax.ForExpr, entries []entry) (before, between, end string) {
	length, lines := 0, false
	for _, one := range entries {
		text := Output{one.value}.String()
		length += len(text) + 2
		lines = lines || bytes.ContainsRune([]byte(text), '\n')
	}
	list := e.KeyExpr == nil
	switch {
	case w.oneLine && list:
		return "", ", ", ""
	case w.oneLine:
		return " ", ", ", " "
	case list && !lines && length <= w.layout(e.Range()).width:
		return "", ", ", ""
	case list:
		return "\n", ",\n", ",\n"
	default:
		return "\n", "\n", "\n"
	}
}

// element is one element of a known collection.
type element struct{ key, value cty.Value }

// elements evaluates a collection. It reports false after it has said why there
// are none.
func (w *walker) elements(e hclsyntax.Expression, what string) ([]element, bool) {
	v, ok := w.value(e)
	if !ok {
		return nil, false
	}
	if v.IsNull() || !v.CanIterateElements() {
		w.failed++
		w.add(notCollection(e.Range(), what, describe(v)))
		return nil, false
	}
	var all []element
	for it := v.ElementIterator(); it.Next(); {
		key, value := it.Element()
		all = append(all, element{key, value})
	}
	return all, true
}
