package cel

import (
	"fmt"
	"sort"
)

// call parses the arguments of a function or, with a receiver, of a method.
func (p *parser) call(name string, receiver expr) (expr, error) {
	if receiver != nil {
		if macro, ok := macros[name]; ok {
			return p.macro(name, receiver, macro)
		}
	}
	args, err := p.arguments(")")
	if err != nil {
		return nil, err
	}
	if receiver != nil {
		args = append([]expr{receiver}, args...)
	}
	function, ok := p.functions[name]
	if !ok {
		function, ok = builtins[name]
	}
	if !ok {
		return nil, p.fail("no function %s", name)
	}
	return func(env *scope) (any, error) {
		values := make([]any, len(args))
		for i, arg := range args {
			value, err := arg(env)
			if err != nil {
				return nil, err
			}
			values[i] = value
		}
		value, err := function(values...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return value, nil
	}, nil
}

// macro folds a list, or the keys of an object, with an expression over one
// variable.
type macro func(items []any, each func(item any) (any, error)) (any, error)

var macros map[string]macro

func init() {
	// Assigned here because the parser refers to the table.
	macros = map[string]macro{
		"all": all, "exists": exists, "exists_one": existsOne, "existsOne": existsOne, "filter": filter, "map": mapItems,
	}
}

func (p *parser) macro(name string, receiver expr, fold macro) (expr, error) {
	variable := p.take()
	if variable.kind != identifier {
		return nil, p.fail("%s needs a variable", name)
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	body, err := p.ternary()
	if err != nil {
		return nil, err
	}
	var keep expr
	if name == "map" && p.accept(",") {
		// map(x, condition, value) is filter and map in one.
		keep = body
		if body, err = p.ternary(); err != nil {
			return nil, err
		}
	}
	return func(env *scope) (any, error) {
		value, err := receiver(env)
		if err != nil {
			return nil, err
		}
		items, err := itemsOf(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		bind := func(item any) *scope { return &scope{name: variable.text, value: item, parent: env} }
		if keep != nil {
			kept, err := filter(items, func(item any) (any, error) { return keep(bind(item)) })
			if err != nil {
				return nil, err
			}
			items = kept.([]any)
		}
		return fold(items, func(item any) (any, error) { return body(bind(item)) })
	}, p.expect(")")
}

func itemsOf(value any) ([]any, error) {
	switch value := value.(type) {
	case []any:
		return value, nil
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		items := make([]any, len(keys))
		for i, key := range keys {
			items[i] = key
		}
		return items, nil
	}
	return nil, fmt.Errorf("%s has no items", typeName(value))
}

func truth(value any, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	b, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("%s is not a boolean", typeName(value))
	}
	return b, nil
}

// settle looks for an item whose condition is wanted; an error counts only
// when no item settles the matter.
func settle(items []any, each func(any) (any, error), wanted bool) (bool, error) {
	var failure error
	for _, item := range items {
		b, err := truth(each(item))
		if err == nil && b == wanted {
			return true, nil
		}
		if err != nil && failure == nil {
			failure = err
		}
	}
	return false, failure
}

func all(items []any, each func(any) (any, error)) (any, error) {
	found, err := settle(items, each, false)
	if err != nil {
		return nil, err
	}
	return !found, nil
}

func exists(items []any, each func(any) (any, error)) (any, error) {
	found, err := settle(items, each, true)
	if err != nil {
		return nil, err
	}
	return found, nil
}

func existsOne(items []any, each func(any) (any, error)) (any, error) {
	kept, err := filter(items, each)
	if err != nil {
		return nil, err
	}
	return len(kept.([]any)) == 1, nil
}

func filter(items []any, each func(any) (any, error)) (any, error) {
	kept := []any{}
	for _, item := range items {
		b, err := truth(each(item))
		if err != nil {
			return nil, err
		}
		if b {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

func mapItems(items []any, each func(any) (any, error)) (any, error) {
	list := make([]any, len(items))
	for i, item := range items {
		var err error
		if list[i], err = each(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}
