package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"scaffold/providers/kubernetes/archive"
)

// kindSchema is the finished tree of one kind.
type kindSchema struct {
	kind    archive.Kind
	cluster bool
	schema  *schema
}

// builtin is the OpenAPI document of Kubernetes with the constraints applied.
type builtin struct {
	definitions map[string]map[string]any
	paths       map[string]map[string]any
	constraints *constraints
	open        map[string]bool // definitions being expanded
}

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

func (list *sources) builtin(rules *constraints) (*builtin, error) {
	files, err := list.OpenAPI.read(list.OpenAPI.File)
	if err != nil {
		return nil, err
	}
	var document struct {
		Definitions map[string]map[string]any
		Paths       map[string]map[string]any
	}
	if err := json.Unmarshal(files[list.OpenAPI.File], &document); err != nil {
		return nil, fmt.Errorf("%s: %w", list.OpenAPI.File, err)
	}
	return &builtin{
		definitions: document.Definitions,
		paths:       document.Paths,
		constraints: rules,
		open:        map[string]bool{},
	}, nil
}

// definition expands a named definition and applies its constraints. A
// definition that contains itself ends as a free-form object.
func (b *builtin) definition(name string) (*schema, error) {
	name = strings.TrimPrefix(name, "#/definitions/")
	body, ok := b.definitions[name]
	if !ok {
		return nil, fmt.Errorf("no definition %s", name)
	}
	if b.open[name] {
		return &schema{Node: archive.Node{Open: true}}, nil
	}
	b.open[name] = true
	defer delete(b.open, name)
	s, err := dialect{resolve: b.definition}.convert(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, b.constraints.apply(name, s)
}

var created = regexp.MustCompile(`^/apis?/[^{]*(namespaces/\{namespace\}/)?[^{/]+$`)

// kinds lists what a client can create: the definitions that a POST on a
// collection takes.
func (b *builtin) kinds() ([]kindSchema, error) {
	namespaced := map[archive.Kind]bool{}
	for path, operations := range b.paths {
		post, _ := operations["post"].(map[string]any)
		k, ok := kindOf(post["x-kubernetes-group-version-kind"])
		if !ok || !created.MatchString(path) && path != "/api/v1/namespaces" {
			continue
		}
		namespaced[k] = namespaced[k] || strings.Contains(path, "/namespaces/{namespace}/")
	}
	names := map[archive.Kind]string{}
	for name, body := range b.definitions {
		list, _ := body["x-kubernetes-group-version-kind"].([]any)
		if len(list) != 1 {
			continue
		}
		k, _ := kindOf(list[0])
		names[k] = name
	}
	var all []kindSchema
	for k, isNamespaced := range namespaced {
		s, err := b.definition(names[k])
		if err != nil {
			return nil, err
		}
		if err := b.finish(k, s); err != nil {
			return nil, err
		}
		all = append(all, kindSchema{kind: k, cluster: !isNamespaced, schema: s})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].kind.String() < all[j].kind.String() })
	return all, nil
}

func kindOf(v any) (archive.Kind, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return archive.Kind{}, false
	}
	text := func(key string) string { s, _ := m[key].(string); return s }
	return archive.Kind{Group: text("group"), Version: text("version"), Kind: text("kind")}, true
}

// kinds lists the served versions of a custom resource.
func (d definition) kinds(core *builtin, rules *constraints) ([]kindSchema, error) {
	spec := d.body["spec"].(map[string]any)
	names := spec["names"].(map[string]any)
	var all []kindSchema
	for _, item := range spec["versions"].([]any) {
		version := item.(map[string]any)
		if served, _ := version["served"].(bool); !served {
			continue
		}
		k := archive.Kind{Group: spec["group"].(string), Version: version["name"].(string), Kind: names["kind"].(string)}
		wrapper, _ := version["schema"].(map[string]any)
		body, _ := wrapper["openAPIV3Schema"].(map[string]any)
		if body == nil {
			return nil, fmt.Errorf("version %s has no schema", k.Version)
		}
		s, err := dialect{closed: true, resolve: core.definition}.convert(body)
		if err != nil {
			return nil, err
		}
		if s.properties == nil {
			s.properties = map[string]*schema{}
		}
		meta, err := core.definition(objectMeta)
		if err != nil {
			return nil, err
		}
		// What the schema says of its own metadata comes on top.
		if own := s.properties["metadata"]; own != nil {
			meta.Rules = append(meta.Rules, own.Rules...)
			for name, p := range own.properties {
				meta.properties[name] = p
			}
		}
		s.properties["metadata"] = meta
		if err := rules.adopt(k, s, core); err != nil {
			return nil, err
		}
		if err := core.finish(k, s); err != nil {
			return nil, err
		}
		all = append(all, kindSchema{kind: k, cluster: spec["scope"] == "Cluster", schema: s})
	}
	return all, nil
}

// finish does what holds for the root of every kind.
func (b *builtin) finish(k archive.Kind, s *schema) error {
	// Controllers write the status; a manifest has none.
	delete(s.properties, "status")
	for name, value := range map[string]string{"apiVersion": k.APIVersion(), "kind": k.Kind} {
		s.properties[name] = &schema{Node: archive.Node{Type: "string", Enum: []any{value}}}
	}
	s.Required = append(without(s.Required, "apiVersion", "kind", "metadata", "status"), "apiVersion", "kind", "metadata")
	return b.constraints.applyRoot(k, s)
}

func without(list []string, names ...string) []string {
	var out []string
	for _, item := range list {
		keep := true
		for _, name := range names {
			keep = keep && item != name
		}
		if keep {
			out = append(out, item)
		}
	}
	return out
}

func mentions(text, word string) bool {
	return regexp.MustCompile(`\b` + word + `\b`).MatchString(text)
}
