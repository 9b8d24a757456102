// Command payloads reads what rendered files hold in languages of their own, with
// the programs' own parsers: PromQL, cron, quantities, the conditions of analyses
// and the configuration of Envoy. It also asks whether what a rule reads is put
// out by somebody, kept, and scraped often enough for its ranges.
//
//	payloads FOLDER
//
// It prints what is wrong, a line each, and then exits with 1. It is a module of
// its own, for what it needs is large and no part of scaffold.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: payloads FOLDER")
		os.Exit(2)
	}
	t, err := read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	t.texts()
	t.envoys()
	for _, p := range t.problems {
		fmt.Println(p)
	}
	fmt.Printf("%d objects, %d texts, %d configurations of Envoy\n", len(t.objects), t.checked, t.bootstraps)
	if len(t.problems) > 0 {
		os.Exit(1)
	}
}

// tree is the YAML of a folder.
type tree struct {
	objects []object
	others  []object // documents that are no manifests
	problems,
	metrics []string
	checked, bootstraps int
}

// object is one document.
type object struct {
	file string
	body map[string]any
}

func (o object) kind() string      { return text(o.body, "kind") }
func (o object) name() string      { return text(o.body, "metadata", "name") }
func (o object) namespace() string { return text(o.body, "metadata", "namespace") }

func (t *tree) problem(o object, format string, args ...any) {
	t.problems = append(t.problems, fmt.Sprintf("%s: %s %s: %s", o.file, o.kind(), o.name(), fmt.Sprintf(format, args...)))
}

func read(folder string) (*tree, error) {
	t := &tree{}
	return t, filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
			o := object{file: name}
			err := decoder.Decode(&o.body)
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return fmt.Errorf("%s: %w", name, err)
			case text(o.body, "apiVersion") != "":
				t.objects = append(t.objects, o)
			default:
				t.others = append(t.others, o)
			}
		}
	})
}

// find returns the values at a path, in which * is every item and every key.
func find(value any, path ...string) []any {
	if len(path) == 0 {
		return []any{value}
	}
	var found []any
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			if path[0] == "*" || path[0] == key {
				found = append(found, find(v, path[1:]...)...)
			}
		}
	case []any:
		if path[0] == "*" {
			for _, v := range value {
				found = append(found, find(v, path[1:]...)...)
			}
		}
	}
	return found
}

// text is the one text at a path, or "".
func text(value any, path ...string) string {
	for _, v := range find(value, path...) {
		if s, ok := v.(string); ok {
			return s
		}
	}
	return ""
}
