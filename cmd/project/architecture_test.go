package project_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"scaffold/cmd/project"
)

const root = "../.."

// goPackage is the part of `go list -json` that is needed here.
type goPackage struct {
	ImportPath string
	Imports    []string
}

// TestImportDirection holds the table of docs/architecture.md against the real
// imports. A package that the table does not list belongs to the row of the
// folder that it stands in, and may import that folder's packages as well.
func TestImportDirection(t *testing.T) {
	t.Parallel()
	rows := importTable(t)
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "scaffold/")
		row := rowOf(rows, name)
		if row == "" {
			t.Errorf("docs/architecture.md has no row for %s", name)
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, "scaffold/")
			within := name != row && (other == row || strings.HasPrefix(other, row+"/"))
			if ours && !within && !allowed(rows[row], other) {
				t.Errorf("%s imports %s; docs/architecture.md allows %s", name, other, rows[row])
			}
		}
	}
}

// importTable reads the table: package to what it may import.
func importTable(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|.*\\| (.+) \\|$").FindAllStringSubmatch(string(data), -1) {
		rows[m[1]] = m[2]
	}
	if len(rows) < 10 {
		t.Fatalf("the table of docs/architecture.md has %d rows", len(rows))
	}
	return rows
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// rowOf is the longest row that a package stands in.
func rowOf(rows map[string]string, name string) string {
	best := ""
	for row := range rows {
		if (name == row || strings.HasPrefix(name, row+"/")) && len(row) > len(best) {
			best = row
		}
	}
	if best == "" && name == "examples" {
		return "cmd/scaffold" // tests only; they may import everything
	}
	return best
}

func allowed(rule, other string) bool {
	if but, ok := strings.CutPrefix(rule, "everything but "); ok {
		return strings.Trim(but, "`") != other
	}
	if rule == "everything" {
		return true
	}
	for _, word := range strings.Split(rule, ", ") {
		word = strings.Trim(word, "`")
		if folder, ok := strings.CutSuffix(word, "/*"); ok && strings.HasPrefix(other, folder+"/") || word == other {
			return true
		}
	}
	return false
}

// TestNoNamesInGo keeps what definitions and packs are about out of the code:
// no Go file names a pattern, a component kind or a provider's resource.
func TestNoNamesInGo(t *testing.T) {
	t.Parallel()
	catalog, diags := project.Catalog()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	patterns, kinds := catalog.Names("patterns"), catalog.Names("components")
	resource := regexp.MustCompile(`\b(aws|google|kubernetes)_[a-z_]+`)
	eachLiteral(t, func(place token.Position, text string) {
		// What checks rendered files speaks of Kubernetes' services, not of ours.
		ours := !strings.HasPrefix(place.Filename, filepath.Join(root, "providers"))
		if slices.Contains(patterns, text) || ours && slices.Contains(kinds, text) {
			t.Errorf("%s names %q, a word of the definitions", place, text)
		}
		if found := resource.FindString(text); found != "" {
			t.Errorf("%s names %q, a word of the packs", place, found)
		}
	})
}

// eachLiteral visits the text literals of all Go files but tests.
func eachLiteral(t *testing.T, visit func(place token.Position, text string)) {
	t.Helper()
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if _, ok := n.(*ast.ImportSpec); ok {
				return false
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					visit(files.Position(lit.Pos()), text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
