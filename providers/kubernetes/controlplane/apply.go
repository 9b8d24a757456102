package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"go.yaml.in/yaml/v3"
)

// object is one manifest as it was written.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }

	file string
	text []byte
}

func (o object) namespace() string {
	if o.Metadata.Namespace == "" {
		return "default"
	}
	return o.Metadata.Namespace
}

func (o object) String() string {
	return fmt.Sprintf("%s: %s %s", o.file, o.Kind, o.Metadata.Name)
}

// objects reads the manifests of a folder and the folders below it, in the
// order of the names. The text of each is a slice of its file, so that the
// server reads what a user would send.
func objects(t testing.TB, dir string) []object {
	t.Helper()
	var all []object
	for _, name := range manifests(t, dir) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range split(text) {
			o, err := parse(name, part)
			if errors.Is(err, io.EOF) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, o)
		}
	}
	return all
}

func parse(name string, text []byte) (object, error) {
	o := object{file: filepath.Base(name), text: text}
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&o); err != nil {
		if errors.Is(err, io.EOF) {
			return o, err
		}
		return o, fmt.Errorf("%s: %w", name, err)
	}
	return o, nil
}

// split cuts a stream at the lines that separate documents.
func split(text []byte) [][]byte {
	text = append([]byte("\n"), text...)
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n---\n")), []byte("\n---\n"))
}

func manifests(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if ext := filepath.Ext(name); err == nil && !d.IsDir() && (ext == ".yaml" || ext == ".yml") {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatalf("no manifests in %s", dir)
	}
	sort.Strings(names)
	return names
}

// DryRun sends every manifest of a folder without keeping it, except the
// namespaces, which the others need. A refusal and a warning fail the test.
func (c *Cluster) DryRun(t testing.TB, dir string) {
	t.Helper()
	c.each(t, dir, true)
}

// Apply sends every manifest of a folder. A refusal and a warning fail the
// test.
func (c *Cluster) Apply(t testing.TB, dir string) {
	t.Helper()
	c.each(t, dir, false)
}

func (c *Cluster) each(t testing.TB, dir string, dryRun bool) {
	t.Helper()
	all := objects(t, dir)
	sort.SliceStable(all, func(i, j int) bool { return isNamespace(all[i]) && !isNamespace(all[j]) })
	for _, o := range all {
		answer, err := c.apply(o, dryRun && !isNamespace(o))
		if err != nil {
			t.Errorf("%s: %s", o, err)
			continue
		}
		if failed := answer.failed(); failed != "" {
			t.Errorf("%s: %s", o, failed)
		}
		for _, warning := range answer.warnings {
			t.Errorf("%s: warning: %s", o, warning)
		}
	}
}

// Install installs the definitions of the custom resources of a folder, for
// programs that apply it on their own.
func (c *Cluster) Install(t testing.TB, dir string) {
	t.Helper()
	for _, o := range objects(t, dir) {
		if err := c.install(o); err != nil {
			t.Fatal(err)
		}
	}
}

func isNamespace(o object) bool { return o.APIVersion == "v1" && o.Kind == "Namespace" }

// Verdict is what the server says about one manifest.
type Verdict struct {
	Refused  string // why, or "" when the server takes it
	Warnings []string
}

// Ask sends one manifest without keeping it and returns the verdict instead of
// failing the test. Its namespace must exist.
func (c *Cluster) Ask(t testing.TB, text []byte) Verdict {
	t.Helper()
	o, err := parse("manifest", text)
	if err != nil {
		return Verdict{Refused: err.Error()}
	}
	answer, err := c.apply(o, true)
	if err != nil {
		return Verdict{Refused: err.Error()}
	}
	return Verdict{Refused: answer.failed(), Warnings: answer.warnings}
}

// Namespaces creates the namespaces of a folder, so that Ask can be asked about
// manifests in them.
func (c *Cluster) Namespaces(t testing.TB, dir string) {
	t.Helper()
	for _, o := range objects(t, dir) {
		if !isNamespace(o) {
			continue
		}
		answer, err := c.apply(o, false)
		if err != nil {
			t.Fatal(err)
		}
		if failed := answer.failed(); failed != "" {
			t.Fatal(failed)
		}
	}
}
