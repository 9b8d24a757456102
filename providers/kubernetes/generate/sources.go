package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsimple"
	"go.yaml.in/yaml/v3"
)

// sources is the decoded sources.hcl.
type sources struct {
	OpenAPI source   `hcl:"openapi,block"`
	CRDs    []source `hcl:"crds,block"`
}

type source struct {
	Module  string `hcl:"module,label"`
	Version string `hcl:"version"`
	File    string `hcl:"file,optional"`
	Files   string `hcl:"files,optional"`
}

func readSources(from string) (*sources, error) {
	list := new(sources)
	err := hclsimple.DecodeFile(filepath.Join(from, "sources.hcl"), nil, list)
	return list, err
}

// read returns the files of the module zip that match the pattern, by name.
func (s source) read(pattern string) (map[string][]byte, error) {
	name, err := s.download()
	if err != nil {
		return nil, err
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	prefix := s.Module + "@" + s.Version + "/"
	files := map[string][]byte{}
	for _, f := range z.File {
		inside := strings.TrimPrefix(f.Name, prefix)
		if ok, err := path.Match(pattern, inside); err != nil || !ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return nil, err
		}
		files[inside] = text
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s@%s has no file %s", s.Module, s.Version, pattern)
	}
	return files, nil
}

// download puts the module zip into the module cache and returns its path. The
// command reports failure for a module whose go directive is newer than the
// compiler, but by then it has the zip.
func (s source) download() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", s.Module+"@"+s.Version)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	cmd.Dir = os.TempDir()
	out, failure := cmd.Output()
	var answer struct{ Zip, Error string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return "", errors.Join(fmt.Errorf("downloading %s: %w", s.Module, err), failure)
	}
	if answer.Zip == "" {
		return "", fmt.Errorf("downloading %s: %s", s.Module, answer.Error)
	}
	return answer.Zip, nil
}

// definition is one CustomResourceDefinition.
type definition struct {
	name string
	body map[string]any
}

// definitions reads every definition of the listed modules and of the folder
// crds/, which holds what no module publishes.
func (list *sources) definitions(from string) ([]definition, error) {
	var all []definition
	for _, s := range list.CRDs {
		files, err := s.read(s.Files)
		if err != nil {
			return nil, err
		}
		more, err := parseDefinitions(files)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Module, err)
		}
		all = append(all, more...)
	}
	local, err := filepath.Glob(filepath.Join(from, "crds", "*.yaml"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range local {
		if files[name], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	more, err := parseDefinitions(files)
	if err != nil {
		return nil, err
	}
	all = append(all, more...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all, nil
}

func parseDefinitions(files map[string][]byte) ([]definition, error) {
	var all []definition
	for name, text := range files {
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		for {
			body := map[string]any{}
			err := decoder.Decode(&body)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if body["kind"] != "CustomResourceDefinition" {
				continue
			}
			meta, _ := body["metadata"].(map[string]any)
			full, _ := meta["name"].(string)
			all = append(all, definition{name: full, body: body})
		}
	}
	return all, nil
}

// writeDefinitions writes one file per definition.
func writeDefinitions(dir string, all []definition) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range all {
		text, err := json.Marshal(served(d.body))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, d.name+".json"), append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%d custom resource definitions in %s\n", len(all), dir)
	return nil
}

// served copies a definition as the API server takes it: without descriptions,
// and with a free-form object where crds/ refers to a built-in type. A property
// may itself be called description; its value is then a schema, not a text.
func served(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["$ref"].(string); ok {
			return map[string]any{"x-kubernetes-preserve-unknown-fields": true}
		}
		m := map[string]any{}
		for key, value := range v {
			if _, text := value.(string); key == "description" && text {
				continue
			}
			m[key] = served(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = served(item)
		}
		return list
	}
	return v
}
