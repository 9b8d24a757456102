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
}

// anyLabel stands for the label of what has none, or wants none in particular.
const anyLabel = ""

func (t *tree) indexSelectors() {
	t.selection = selection{pods: labelled[int]{}, policies: labelled[treeObject]{}}
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
