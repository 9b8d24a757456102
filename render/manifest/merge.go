package manifest

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"scaffold/render/yaml"
)

// Conflict is the Extra of a diagnostic about a value that was set twice. The
// subject of the diagnostic is the second place.
type Conflict struct {
	First hcl.Range
}

// Merge adds an extension deeply. Mappings merge by key. Lists of mappings
// whose items all have a name merge by name, other lists are appended. A
// scalar that is set twice must have the same value both times. Nothing of
// from is shared with the result.
func Merge(into, from *yaml.Node) hcl.Diagnostics {
	return merge(into, from, "")
}

func merge(into, from *yaml.Node, path string) hcl.Diagnostics {
	switch {
	case into.Kind != from.Kind:
		return conflict(into, from, path, fmt.Sprintf("is a %s there and a %s here", into.Kind, from.Kind))
	case into.Kind == yaml.Mapping:
		return mergeMapping(into, from, path)
	case into.Kind == yaml.Sequence:
		return mergeSequence(into, from, path)
	case into.Text != from.Text:
		return conflict(into, from, path, fmt.Sprintf("is %q there and %q here", into.Text, from.Text))
	}
	return nil
}

func mergeMapping(into, from *yaml.Node, path string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	mergeComments(into, from)
	for _, e := range from.Entries {
		old := into.Get(e.Key)
		if old == nil {
			into.Set(e.Key, e.Value.Clone())
			continue
		}
		diags = append(diags, merge(old, e.Value, join(path, e.Key))...)
	}
	return diags
}

func mergeSequence(into, from *yaml.Node, path string) hcl.Diagnostics {
	mergeComments(into, from)
	into.Flow = into.Flow && from.Flow || len(into.Items) == 0 && from.Flow
	names, named := byName(into)
	if _, alike := byName(from); !named || !alike {
		into.Items = append(into.Items, from.Clone().Items...)
		return nil
	}
	var diags hcl.Diagnostics
	for _, item := range from.Items {
		name := item.Get("name").Text
		if old := names[name]; old != nil {
			diags = append(diags, merge(old, item, fmt.Sprintf("%s[%s]", path, name))...)
			continue
		}
		into.Items = append(into.Items, item.Clone())
	}
	return diags
}

// byName returns the items of a list by their names, and whether all of them
// have one and no two the same.
func byName(list *yaml.Node) (map[string]*yaml.Node, bool) {
	items := make(map[string]*yaml.Node, len(list.Items))
	for _, item := range list.Items {
		name := item.Get("name")
		if name == nil || name.Kind != yaml.String || items[name.Text] != nil {
			return nil, false
		}
		items[name.Text] = item
	}
	return items, true
}

// mergeComments keeps what both sides say about a collection.
func mergeComments(into, from *yaml.Node) {
	into.Head = appendNew(into.Head, from.Head)
	into.Foot = appendNew(into.Foot, from.Foot)
	switch {
	case into.Line == "":
		into.Line = from.Line
	case from.Line != "" && from.Line != into.Line:
		into.Head = appendNew(into.Head, []string{from.Line})
	}
}

// appendNew appends more unless lines end with it already, as they do where
// two extensions come from one template.
func appendNew(lines, more []string) []string {
	if len(more) == 0 {
		return lines
	}
	if n := len(lines) - len(more); n >= 0 {
		same := true
		for i := range more {
			same = same && lines[n+i] == more[i]
		}
		if same {
			return lines
		}
	}
	return append(append([]string(nil), lines...), more...)
}

func conflict(into, from *yaml.Node, path, how string) hcl.Diagnostics {
	first := into.Source.Range
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Value set twice",
		Detail:   fmt.Sprintf("%s %s; the first is at %s. Only one template can set it.", path, how, first),
		Subject:  from.Source.Range.Ptr(),
		Extra:    Conflict{First: first},
	}}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
