package project_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"scaffold/cmd/project"
	"scaffold/render/output"
)

var update = flag.Bool("update", false, "write the golden files anew")

// platform writes the blueprint of testdata/platform.txtar, with the folder
// that it extends the language by, and returns the file and the archive.
func platform(t *testing.T) (string, *txtar.Archive) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "platform"), os.DirFS(filepath.Join(root, "testdata", "platform"))); err != nil {
		t.Fatal(err)
	}
	archive, err := txtar.ParseFile(filepath.Join(root, "testdata", "platform.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, archive.Files[0].Name)
	if err := os.WriteFile(file, archive.Files[0].Data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file, archive
}

func tree(t *testing.T, file string) output.Tree {
	t.Helper()
	p, diags := project.Open(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Render(project.Selection{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return project.Tree(roots)
}

// TestPlatform renders with definitions and a pack that are HCL and JSON only:
// a platform team needs no Go.
func TestPlatform(t *testing.T) {
	t.Parallel()
	file, archive := platform(t)
	got := tree(t, file)
	if *update {
		archive.Files = archive.Files[:1]
		for _, name := range slices.Sorted(maps.Keys(got)) {
			archive.Files = append(archive.Files, txtar.File{Name: "out/" + name, Data: got[name]})
		}
		if err := os.WriteFile(filepath.Join(root, "testdata", "platform.txtar"), txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{}
	for _, f := range archive.Files[1:] {
		want[strings.TrimPrefix(f.Name, "out/")] = string(f.Data)
	}
	have := map[string]string{}
	for name, data := range got {
		have[name] = string(data)
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("rendered otherwise than the golden file (-want +got; -update writes it):\n%s", diff)
	}
}

// TestSameBytes renders time and again with more and fewer threads: the bytes
// depend on the blueprint alone. It is not parallel, for it sets the number of
// threads of the whole process.
func TestSameBytes(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	big := filepath.Join(t.TempDir(), "scaffold.hcl")
	if err := os.WriteFile(big, []byte(generated(10)), 0o644); err != nil {
		t.Fatal(err)
	}
	small, _ := platform(t)
	for file, times := range map[string]int{small: 20, big: 10} {
		want := tree(t, file)
		for n := range times {
			runtime.GOMAXPROCS(1 + n%8)
			if diff := cmp.Diff(want, tree(t, file)); diff != "" {
				t.Fatalf("with %d threads, at the %d. time:\n%s", 1+n%8, n+1, diff)
			}
		}
	}
}

// TestTwoAtOnce renders two blueprints in one process at the same time.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	file, _ := platform(t)
	want := tree(t, file)
	done := make(chan output.Tree)
	for range 4 {
		go func() {
			p, diags := project.Open(file)
			if diags.HasErrors() {
				done <- nil
				return
			}
			roots, _ := p.Render(project.Selection{})
			done <- project.Tree(roots)
		}()
	}
	for range 4 {
		if diff := cmp.Diff(want, <-done); diff != "" {
			t.Error(diff)
		}
	}
}

// TestStarters makes the first blueprint of every profile for every choice of
// targets: it reads without a word of complaint, and is formatted.
func TestStarters(t *testing.T) {
	t.Parallel()
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, profile := range p.Catalog.Names("profiles") {
		for _, targets := range choices(p.Catalog.Names("targets")) {
			t.Run(profile+"/"+strings.Join(targets, "+"), func(t *testing.T) {
				t.Parallel()
				p, _ := project.Empty()
				data, diags := p.Starter(profile, "shop", targets)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				file := filepath.Join(t.TempDir(), "scaffold.hcl")
				if err := os.WriteFile(file, data, 0o644); err != nil {
					t.Fatal(err)
				}
				made, diags := project.Open(file)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				if got := made.Source.Targets(); !slices.Equal(got, targets) {
					t.Errorf("made for %v", got)
				}
				if _, diags := made.Resolve(project.Selection{}); len(diags) > 0 {
					t.Error(diags)
				}
			})
		}
	}
}

// choices are all subsets of names with at least one of them.
func choices(names []string) [][]string {
	var out [][]string
	for bits := 1; bits < 1<<len(names); bits++ {
		var some []string
		for i, n := range names {
			if bits&(1<<i) != 0 {
				some = append(some, n)
			}
		}
		out = append(out, some)
	}
	return out
}
