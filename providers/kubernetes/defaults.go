package kubernetes

import (
	"encoding/json"
	"strings"

	"scaffold/providers/kubernetes/archive"
)

func (c *checker) hasDefault(n *archive.Node, name string) bool {
	ref, ok := n.Properties[name]
	return ok && !c.loose && c.schema.Node(ref).Default != nil
}

// defaults fills in what the API server would before it looks at the rules.
func (c *checker) defaults(plain map[string]any, n *archive.Node) {
	if c.loose {
		return
	}
	for name, ref := range n.Properties {
		if _, given := plain[name]; given {
			continue
		}
		if value, ok := c.defaultOf(c.schema.Node(ref)); ok {
			plain[name] = value
		}
	}
}

func (c *checker) defaultOf(n *archive.Node) (any, bool) {
	if n.Default == nil {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(string(n.Default)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic(err) // the archive is part of the program
	}
	value = numbers(value)
	if m, ok := value.(map[string]any); ok {
		c.defaults(m, n)
	}
	return value, true
}

func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case map[string]any:
		for key, value := range v {
			v[key] = numbers(value)
		}
	case []any:
		for i, item := range v {
			v[i] = numbers(item)
		}
	}
	return v
}
