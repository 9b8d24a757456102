package kubernetes

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what is said into testdata/tree")

// TestCheckTree reads cases of several files each: an archive in testdata/tree
// holds manifests and, as "want", all that is said about them together.
func TestCheckTree(t *testing.T) {
	t.Parallel()
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/tree/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			checkCase(t, s, name)
		})
	}
}

func checkCase(t *testing.T, s *Schemas, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	last := len(archive.Files) - 1
	for _, f := range archive.Files[:last] {
		files[f.Name] = f.Data
	}
	var got strings.Builder
	for _, diag := range s.CheckTree(files) {
		got.WriteString(diag.Error() + "\n")
	}
	if *update {
		archive.Files[last].Data = []byte(got.String())
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(archive.Files[last].Data), got.String()); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkCheckTree checks the folders of manifests that SCAFFOLD_REFERENCE
// names, or the small tree of the control plane's tests, from Open on: that is
// what one run of the program does.
func BenchmarkCheckTree(b *testing.B) {
	root := os.Getenv("SCAFFOLD_REFERENCE")
	if root == "" {
		root = filepath.Join("controlplane", "testdata")
	}
	folders := trees(b, root)
	documents := 0
	for _, files := range folders {
		docs, _ := parseAll(files)
		documents += len(docs)
	}
	for b.Loop() {
		s, err := Open()
		if err != nil {
			b.Fatal(err)
		}
		for _, files := range folders {
			s.CheckTree(files)
		}
	}
	b.ReportMetric(float64(documents), "documents")
}

// BenchmarkCheckFiles checks one folder with schemas that are already read.
func BenchmarkCheckFiles(b *testing.B) {
	s, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	files := map[string][]byte{"web.yaml": []byte(deployment)}
	for b.Loop() {
		if diags := s.CheckFiles(files); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
