package kubernetes

import (
	"fmt"
	"slices"
)

// Selectors are looked up by one of the labels that they want, so that asking
// who is selected costs what the answer is long, and not what the tree is.

// labelled finds things by a namespace and one label of theirs; the namespace is
// empty for all namespaces.
type labelled[T any] map[[3]string][]T

func (l labelled[T]) add(thing T, namespace, key, value string) {
	for _, within := range []string{namespace, ""} {
		at := [3]string{within, key, value}
		l[at] = append(l[at], thing)
	}
}

// selection is the index of pods by their labels, and of network policies by a
// label that they want.
type selection struct {
	pods     labelled[int]
	policies labelled[treeObject]
	others   map[[2]string]labelled[selecting] // by kind and place of the selector
	texts    map[[2]string]map[[2]string][]any // by kind and place, then by namespace and text
}

// anyLabel stands for the label of what has none, or wants none in particular.
const anyLabel = ""

func (t *tree) indexSelectors() {
	t.selection = selection{
		pods: labelled[int]{}, policies: labelled[treeObject]{},
		others: map[[2]string]labelled[selecting]{}, texts: map[[2]string]map[[2]string][]any{},
	}
	for i, p := range t.pods {
		namespace := p.object.meta("namespace")
		t.selection.pods.add(i, namespace, anyLabel, "")
		for key, value := range p.labels {
			if text, ok := value.(string); ok {
				t.selection.pods.add(i, namespace, key, text)
			}
		}
	}
	for _, o := range t.byKind[t.rules.Policies] {
		spec, _ := o.plain["spec"].(map[string]any)
		selector, _ := spec["podSelector"].(map[string]any)
		key, value := wantedLabel(selector)
		t.selection.policies.add(o, o.meta("namespace"), key, value)
	}
}

// wantedLabel is one label that everything a selector selects has: the first by
// its name, so that the result is always the same.
func wantedLabel(selector map[string]any) (key, value string) {
	wanted, _ := selector["matchLabels"].(map[string]any)
	for name, v := range wanted {
		if text, ok := v.(string); ok && (key == anyLabel || name < key) {
			key, value = name, text
		}
	}
	return key, value
}

// find are the pods of a namespace that a selector selects; of all namespaces,
// if it is empty.
func (t *tree) find(namespace string, selector map[string]any) []any {
	key, value := wantedLabel(selector)
	found := []any{}
	for _, i := range t.selection.pods[[3]string{namespace, key, value}] {
		if ok, _ := selectsFunction(selector, t.pods[i].labels); ok == true {
			found = append(found, t.podValues[i])
		}
	}
	return found
}

// selectedFunction returns pods: selected(namespace, selector).
func (t *tree) selectedFunction(args ...any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("selected takes a namespace and a selector")
	}
	namespace, _ := args[0].(string)
	selector, _ := args[1].(map[string]any)
	return t.find(namespace, selector), nil
}

// peersFunction returns the pods that a peer of a network policy stands for:
// peers(peer, the namespace of the policy).
func (t *tree) peersFunction(args ...any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("peers takes a peer and a namespace")
	}
	peer, _ := args[0].(map[string]any)
	namespace, _ := args[1].(string)
	if peer["ipBlock"] != nil {
		return []any{}, nil
	}
	selector, _ := peer["podSelector"].(map[string]any)
	others, elsewhere := peer["namespaceSelector"].(map[string]any)
	if !elsewhere {
		return t.find(namespace, selector), nil
	}
	return slices.DeleteFunc(t.find("", selector), func(p any) bool {
		ok, _ := selectsFunction(others, p.(map[string]any)["namespaceLabels"])
		return ok != true
	}), nil
}

// policiesFunction returns the network policies that are for a pod, whichever
// direction they rule: policies(pod).
func (t *tree) policiesFunction(args ...any) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("policies takes a pod")
	}
	pod, _ := args[0].(map[string]any)
	namespace, _ := pod["namespace"].(string)
	labels, _ := pod["labels"].(map[string]any)
	found := []any{}
	consider := func(key, value string) {
		for _, o := range t.selection.policies[[3]string{namespace, key, value}] {
			spec, _ := o.plain["spec"].(map[string]any)
			if ok, _ := selectsFunction(spec["podSelector"], labels); ok == true {
				found = append(found, o.plain)
			}
		}
	}
	consider(anyLabel, "")
	for key, value := range labels {
		if text, ok := value.(string); ok {
			consider(key, text)
		}
	}
	return found, nil
}

// selectingFunction returns the objects of a kind that have, at a place, a
// selector that selects a pod of their namespace: selecting(kind, place, pod).
func (t *tree) selectingFunction(args ...any) (any, error) {
	if len(args) != 3 {
		return nil, fmt.Errorf("selecting takes a kind, a place and a pod")
	}
	kind, _ := args[0].(string)
	place, _ := args[1].(string)
	pod, _ := args[2].(map[string]any)
	namespace, _ := pod["namespace"].(string)
	labels, _ := pod["labels"].(map[string]any)
	index := t.selectors(kind, place)
	found := []any{}
	consider := func(key, value string) {
		for _, s := range index[[3]string{namespace, key, value}] {
			if ok, _ := selectsFunction(s.selector, labels); ok == true {
				found = append(found, s.object)
			}
		}
	}
	consider(anyLabel, "")
	for key, value := range labels {
		if text, ok := value.(string); ok {
			consider(key, text)
		}
	}
	return found, nil
}

// selecting is an object with the selector at a place of it.
type selecting struct{ object, selector map[string]any }

// selectors indexes the selectors of a kind when they are first asked for.
func (t *tree) selectors(kind, place string) labelled[selecting] {
	if index := t.selection.others[[2]string{kind, place}]; index != nil {
		return index
	}
	index := labelled[selecting]{}
	for _, o := range t.byKind[kind] {
		for _, l := range at(o, place) {
			selector, _ := l.plain.(map[string]any)
			if selector["matchLabels"] == nil && selector["matchExpressions"] == nil {
				selector = map[string]any{"matchLabels": selector} // a Service has its labels plainly
			}
			key, value := wantedLabel(selector)
			index.add(selecting{o.plain, selector}, o.meta("namespace"), key, value)
		}
	}
	t.selection.others[[2]string{kind, place}] = index
	return index
}

// getFunction returns a list with the object that has a name, or an empty one:
// get(kind, namespace, name).
func (t *tree) getFunction(args ...any) (any, error) {
	return t.havingFunction(append([]any{args[0], "metadata.name"}, args[1:]...)...)
}

// havingFunction returns the objects of a kind with a text at a place:
// having(kind, place, namespace, text).
func (t *tree) havingFunction(args ...any) (any, error) {
	var texts [4]string
	for i := range texts {
		if i >= len(args) {
			return nil, fmt.Errorf("having takes a kind, a place, a namespace and a text")
		}
		texts[i], _ = args[i].(string)
	}
	at := [2]string{texts[0], texts[1]}
	if t.selection.texts[at] == nil {
		t.selection.texts[at] = t.indexTexts(texts[0], texts[1])
	}
	return t.selection.texts[at][[2]string{texts[2], texts[3]}], nil
}

func (t *tree) indexTexts(kind, place string) map[[2]string][]any {
	index := map[[2]string][]any{}
	for _, o := range t.byKind[kind] {
		for _, l := range at(o, place) {
			if text, ok := l.plain.(string); ok {
				key := [2]string{o.meta("namespace"), text}
				index[key] = append(index[key], o.plain)
			}
		}
	}
	return index
}

// flattenFunction makes one list of lists in lists: flatten(list).
func flattenFunction(args ...any) (any, error) {
	flat := []any{}
	var add func(value any)
	add = func(value any) {
		if list, ok := value.([]any); ok {
			for _, item := range list {
				add(item)
			}
			return
		}
		flat = append(flat, value)
	}
	for _, arg := range args {
		add(arg)
	}
	return flat, nil
}
