package manifest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	reader "go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write what is rendered into the golden files")

// TestGolden renders the block of each archive in testdata. "pack.hcl" is the
// source, "extend.hcl" an extension that is merged, "out.yaml" the result and
// "diagnostics" what is reported.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			golden, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, golden)
			if *update {
				if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(golden)), string(txtar.Format(got))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// render returns the archive with its results as they are now.
func render(t *testing.T, a *txtar.Archive) *txtar.Archive {
	t.Helper()
	sources := map[string][]byte{}
	got := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		if filepath.Ext(f.Name) == ".hcl" {
			sources[f.Name] = f.Data
			got.Files = append(got.Files, f)
		}
	}
	src := sources["pack.hcl"]
	b := block(t, "pack.hcl", string(src))
	doc, diags := Document(NewSource(src), b, b.Labels[0], b.Labels[1], scope())
	if src, ok := sources["extend.hcl"]; ok {
		b := block(t, "extend.hcl", string(src))
		more, moreDiags := Document(NewSource(src), b, b.Labels[0], b.Labels[1], scope())
		diags = append(diags, moreDiags...)
		diags = append(diags, Merge(doc, more)...)
	}
	out := written(doc)
	if err := reader.Unmarshal([]byte(out), new(any)); err != nil {
		t.Fatalf("%v in\n%s", err, out) // such a golden must not be written
	}
	got.Files = append(got.Files, txtar.File{Name: "out.yaml", Data: []byte(out)})
	if len(diags) > 0 {
		got.Files = append(got.Files, txtar.File{Name: "diagnostics", Data: []byte(reported(diags))})
	}
	return got
}
