package kubernetes

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/cel"
)

// tree holds the documents of one CheckTree.
type tree struct {
	rules      *treeRules
	objects    []treeObject
	byKind     map[string][]treeObject // those with a value
	names      map[string]bool         // "kind namespace/name", also of what is made
	namespaces map[string]map[string]any
	pods       []pod
	podValues  []any
	selection  selection
	functions  map[string]cel.Function
	programs   map[string]*cel.Program
	// trusted: every document fits its schema, so a rule that fails to
	// evaluate is itself at fault and is reported.
	trusted  bool
	problems []Problem
}

// treeObject is one document with its plain value.
type treeObject struct {
	doc   Document
	kind  string
	plain map[string]any
}

// pod is one place that describes pods.
type pod struct {
	object treeObject
	place  located // zero when an operator makes the pods
	labels map[string]any
}

// located is a node together with its plain value and its path.
type located struct {
	node  *yaml.Node
	plain any
	path  *path
}

func (s *Schemas) checkTree(docs []Document, values []any, trusted bool) []Problem {
	t := &tree{
		rules: s.tree, byKind: map[string][]treeObject{}, names: map[string]bool{}, namespaces: map[string]map[string]any{},
		programs: map[string]*cel.Program{}, trusted: trusted,
	}
	for i, doc := range docs {
		plain, _ := values[i].(map[string]any)
		o := treeObject{doc: doc, kind: doc.Kind.String(), plain: plain}
		t.objects = append(t.objects, o)
		if plain != nil {
			t.byKind[o.kind] = append(t.byKind[o.kind], o)
		}
	}
	functions, err := t.library()
	if err != nil {
		panic(err) // the data file is part of the program; a test compiles it
	}
	t.functions = functions
	t.index()
	t.findPods()
	t.indexSelectors()
	for _, r := range t.rules.References {
		t.checkReference(r)
	}
	for _, r := range t.rules.Rules {
		t.checkRule(r)
	}
	return t.problems
}

func (o treeObject) meta(name string) string {
	meta, _ := o.plain["metadata"].(map[string]any)
	text, _ := meta[name].(string)
	return text
}

func (o treeObject) String() string { return o.doc.Kind.Kind + " " + o.meta("name") }

func (t *tree) index() {
	for _, o := range t.objects {
		t.add(o.kind, o.meta("namespace"), o.meta("name"))
		for _, m := range t.rules.Makes {
			if m.Kind != o.kind || o.plain == nil {
				continue
			}
			names, err := t.program(m.Names).Eval(map[string]any{"self": o.plain})
			if err != nil {
				t.fault(o, "what "+m.Kind+" makes", err)
			}
			list, _ := names.([]any)
			for _, name := range list {
				text, _ := name.(string)
				t.add(m.Makes, o.meta("namespace"), text)
			}
		}
	}
}

func (t *tree) add(kind, namespace, name string) {
	t.names[kind+" "+namespace+"/"+name] = true
}

// has looks in the namespace and among the objects without one.
func (t *tree) has(kind, namespace, name string) bool {
	return t.names[kind+" "+namespace+"/"+name] || t.names[kind+" /"+name]
}

func (t *tree) program(text string) *cel.Program {
	if p := t.programs[text]; p != nil {
		return p
	}
	p, err := cel.Compile(text, t.functions)
	if err != nil {
		panic(err) // the data file is part of the program; a test compiles it
	}
	t.programs[text] = p
	return p
}

// fault reports a rule that could not be evaluated.
func (t *tree) fault(o treeObject, what string, err error) {
	if t.trusted {
		t.report(o, located{node: o.doc.root}, summaryRule, fmt.Sprintf("%s could not be checked: %s", what, err), "")
	}
}

func (t *tree) report(o treeObject, at located, summary, message, fix string) {
	c := &checker{doc: o.doc}
	c.report(c.keyOf(behind(at.node)), at.path, summary, message, fix)
	t.problems = append(t.problems, c.problems...)
}

// findPods lists the pods that the tree describes.
func (t *tree) findPods() {
	for _, o := range t.objects {
		for _, source := range t.rules.Pods {
			if source.Kind != o.kind || o.plain == nil {
				continue
			}
			if source.Template == "" {
				t.operated(o, source)
				continue
			}
			for _, place := range at(o, source.Template) {
				template, _ := place.plain.(map[string]any)
				meta, _ := template["metadata"].(map[string]any)
				labels, _ := meta["labels"].(map[string]any)
				t.pods = append(t.pods, pod{object: o, place: place, labels: labels})
			}
		}
	}
	for _, p := range t.pods {
		t.podValues = append(t.podValues, t.podValue(p))
	}
}

func (t *tree) operated(o treeObject, source podSource) {
	value, err := t.program(source.Labels).Eval(map[string]any{"self": o.plain})
	if err != nil {
		t.fault(o, "the labels of the pods of "+source.Kind, err)
		return
	}
	labels, _ := value.(map[string]any)
	t.pods = append(t.pods, pod{object: o, labels: labels})
}

// podValue is a pod as the expressions see it. A pod that an operator makes
// has no spec.
func (t *tree) podValue(p pod) map[string]any {
	namespace := p.object.meta("namespace")
	labels := map[string]any{}
	for key, value := range p.labels {
		labels[key] = value
	}
	m := map[string]any{
		"name": p.object.String(), "namespace": namespace, "labels": labels,
		"namespaceLabels": t.namespaceLabels(namespace),
	}
	if template, ok := p.place.plain.(map[string]any); ok {
		m["spec"] = template["spec"]
	}
	return m
}

// namespaceLabels are the labels of a namespace, with the one that every
// namespace has.
func (t *tree) namespaceLabels(name string) map[string]any {
	if labels := t.namespaces[name]; labels != nil {
		return labels
	}
	labels := map[string]any{"kubernetes.io/metadata.name": name}
	for _, o := range t.byKind["v1/Namespace"] {
		if o.meta("name") != name {
			continue
		}
		meta, _ := o.plain["metadata"].(map[string]any)
		own, _ := meta["labels"].(map[string]any)
		for key, value := range own {
			labels[key] = value
		}
	}
	t.namespaces[name] = labels
	return labels
}

// at finds the nodes of a document at a place such as spec.rules.*.name.
func at(o treeObject, place string) []located {
	found := []located{{node: o.doc.root, plain: o.plain}}
	return below(found, place)
}

func below(found []located, place string) []located {
	if place == "" {
		return found
	}
	for _, step := range strings.Split(place, ".") {
		var next []located
		for _, l := range found {
			next = append(next, l.step(step)...)
		}
		found = next
	}
	return found
}

func (l located) step(name string) []located {
	node := behind(l.node)
	if name != "*" {
		m, _ := l.plain.(map[string]any)
		if _, value := field(node, name); value != nil && m != nil {
			return []located{{node: value, plain: m[name], path: l.path.field(name)}}
		}
		return nil
	}
	var all []located
	switch plain := l.plain.(type) {
	case []any:
		for i, item := range plain {
			if i < len(node.Content) {
				all = append(all, located{node: node.Content[i], plain: item, path: l.path.item(i)})
			}
		}
	case map[string]any:
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i].Value
			all = append(all, located{node: node.Content[i+1], plain: plain[key], path: l.path.field(key)})
		}
	}
	return all
}

// subjects are the places where a rule or a reference holds, with the pod when
// it is one.
func (t *tree) subjects(in []string, place string, visit func(o treeObject, l located, podIndex int)) {
	for _, kind := range in {
		for _, o := range t.byKind[kind] {
			for _, l := range at(o, place) {
				visit(o, l, -1)
			}
		}
	}
	if !slices.Contains(in, pods) {
		return
	}
	for i, p := range t.pods {
		if p.place.node == nil {
			continue
		}
		for _, l := range below([]located{p.place}, place) {
			visit(p.object, l, i)
		}
	}
}

func (t *tree) checkReference(r reference) {
	for _, place := range r.At {
		holder, name := cutLast(place)
		t.subjects(r.In, holder, func(o treeObject, l located, _ int) {
			for _, named := range l.step(name) {
				t.checkName(r, o, l, named)
			}
		})
	}
}

// cutLast splits a place before its last name, or before a last asterisk.
func cutLast(place string) (before, last string) {
	i := strings.LastIndex(place, ".")
	if i < 0 {
		return "", place
	}
	return place[:i], place[i+1:]
}

func (t *tree) checkName(r reference, o treeObject, holder, named located) {
	name, ok := named.plain.(string)
	around, _ := holder.plain.(map[string]any)
	if !ok || name == "" || around["optional"] == true || slices.Contains(r.Besides, name) {
		return
	}
	namespace := o.meta("namespace")
	if other, ok := around["namespace"].(string); ok && other != "" {
		namespace = other
	}
	kind := r.To[strings.LastIndex(r.To, "/")+1:]
	if other, ok := around["kind"].(string); ok && other != kind {
		return // it says itself that it refers to something else
	}
	if t.has(r.To, namespace, name) || !t.describes(namespace, r.To) || t.outside(o, kind+"/"+name) {
		return
	}
	var known []string
	for key := range t.names {
		if rest, ok := strings.CutPrefix(key, r.To+" "); ok {
			known = append(known, rest[strings.Index(rest, "/")+1:])
		}
	}
	sort.Strings(known)
	fix := ""
	if near := nearest(name, known); near != "" {
		fix = fmt.Sprintf("did you mean %s?", near)
	}
	t.report(o, named, summaryReference, fmt.Sprintf("no %s is called %s here", kind, name), fix)
}

// describes reports whether the tree holds the contents of a namespace, so
// that what is not there does not exist. What has no namespace belongs to the
// whole cluster; the tree describes it when it has one of the kind.
func (t *tree) describes(namespace, kind string) bool {
	for _, o := range t.objects {
		if o.meta("namespace") == namespace && (namespace != "" || o.kind == kind) {
			return true
		}
	}
	return false
}

// outside reports whether the object says that somebody else provides a name.
func (t *tree) outside(o treeObject, name string) bool {
	meta, _ := o.plain["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	list, _ := annotations[t.rules.Outside].(string)
	for _, item := range strings.Split(list, ",") {
		if strings.TrimSpace(item) == name {
			return true
		}
	}
	return false
}

func (t *tree) checkRule(r crossedRule) {
	t.subjects(r.In, r.At, func(o treeObject, l located, podIndex int) {
		variables := map[string]any{"self": l.plain, "object": o.plain, "namespace": o.meta("namespace"), "pods": t.podValues}
		if podIndex >= 0 {
			variables["pod"] = t.podValues[podIndex]
		}
		if r.When != "" {
			meant, err := t.program(r.When).Holds(variables)
			if err != nil {
				t.fault(o, r.Name, err)
			}
			if !meant {
				return
			}
		}
		if r.Condition != "" {
			holds, err := t.program(r.Condition).Holds(variables)
			if err != nil {
				t.fault(o, r.Name, err)
			} else if !holds {
				t.report(o, l, r.Summary, r.Message, r.Fix)
			}
			return
		}
		value, err := t.program(r.Offenders).Eval(variables)
		if err != nil {
			t.fault(o, r.Name, err)
			return
		}
		if offenders, _ := value.([]any); len(offenders) > 0 {
			t.report(o, l, r.Summary, r.Message+": "+enumerate(offenders), r.Fix)
		}
	})
}

func enumerate(items []any) string {
	var texts []string
	for _, item := range items {
		if text := fmt.Sprint(item); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", ")
}
