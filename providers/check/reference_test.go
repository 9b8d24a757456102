package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"scaffold/providers/check"
	"scaffold/providers/schema"
)

// load reads all files of a root.
func load(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".terraform" {
				return filepath.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// providers are all embedded schemas.
func providers(t testing.TB) map[string]*schema.Provider {
	t.Helper()
	all := map[string]*schema.Provider{}
	for _, name := range schema.Names() {
		provider, err := schema.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = provider
	}
	return all
}

func TestRootsPass(t *testing.T) {
	t.Parallel()
	for _, root := range roots(t) {
		t.Run(filepath.Base(filepath.Dir(root))+"/"+filepath.Base(root), func(t *testing.T) {
			t.Parallel()
			for _, diag := range check.Root(load(t, root), providers(t)) {
				t.Errorf("%s: %s: %s", diag.Subject, diag.Summary, diag.Detail)
			}
		})
	}
}

func BenchmarkRoot(b *testing.B) {
	for _, root := range roots(b) {
		files, schemas := load(b, root), providers(b)
		b.Run(filepath.Base(root), func(b *testing.B) {
			for b.Loop() {
				check.Root(files, schemas)
			}
		})
	}
}

// roots are the folders to check: those of the environment variable, else the
// rendered examples.
func roots(t testing.TB) []string {
	t.Helper()
	patterns := filepath.SplitList(os.Getenv("SCAFFOLD_AGREEMENT_ROOTS"))
	if len(patterns) == 0 {
		return exampleRoots(t)
	}
	found := []string{}
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, matches...)
	}
	if len(found) == 0 {
		t.Fatalf("no folder is %s", patterns)
	}
	return found
}

func exampleRoots(t testing.TB) []string {
	found := []string{}
	examples, err := filepath.Glob("../../examples/*/out")
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range examples {
		err := filepath.WalkDir(example, func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				if files, _ := filepath.Glob(filepath.Join(path, "*.tf")); len(files) > 0 {
					found = append(found, path)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}
