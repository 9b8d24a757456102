package kubernetes

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"scaffold/providers/kubernetes/archive"
	"scaffold/providers/kubernetes/cel"
)

// TestReference checks manifests that a real API server is known to accept.
// What they leave to others is listed in testdata/outside.txt.
func TestReference(t *testing.T) {
	root := os.Getenv("SCAFFOLD_REFERENCE")
	if root == "" {
		t.Skip("SCAFFOLD_REFERENCE names no folder of manifests")
	}
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "outside.txt"))
	if err != nil {
		t.Fatal(err)
	}
	outside := strings.Split(strings.TrimSpace(string(text)), "\n")
	documents := 0
	for dir, files := range trees(t, root) {
		for _, diag := range s.CheckTree(files) {
			if !slices.ContainsFunc(outside, func(end string) bool { return strings.HasSuffix(diag.Detail, end) }) {
				t.Errorf("%s: %s", dir, diag)
			}
		}
		docs, _ := parseAll(files)
		documents += len(docs)
	}
	t.Logf("%d documents", documents)
}

// trees reads the YAML files below a root, one map for each folder with files.
func trees(t testing.TB, root string) map[string]map[string][]byte {
	t.Helper()
	all := map[string]map[string][]byte{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		dir, base := filepath.Split(name)
		if all[dir] == nil {
			all[dir] = map[string][]byte{}
		}
		all[dir][base] = text
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRulesCompile compiles every condition of the archive.
func TestRulesCompile(t *testing.T) {
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	conditions := map[string]bool{}
	err = s.archive.Each(func(k archive.Kind, n *archive.Node) {
		if n.Pattern != "" && s.patterns.compile(n.Pattern) == nil {
			t.Errorf("%s: the pattern %s does not compile", k, n.Pattern)
		}
		for _, rule := range n.Rules {
			conditions[rule.Condition] = true
			if rule.Expression != "" {
				conditions[rule.Expression] = true
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(conditions) < 300 {
		t.Errorf("only %d conditions", len(conditions))
	}
	for text := range conditions {
		if _, err := cel.Compile(text, nil); err != nil {
			t.Error(err)
		}
	}
}
