package kubernetes

import (
	"bufio"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"scaffold/providers/kubernetes/controlplane"
)

// TestAgreement spoils manifests with one edit each and asks both the
// validator and a real API server. A manifest that the server refuses must not
// pass the validator, except for the rows of testdata/beyond.tsv, which say
// what only the server can know. The reverse is allowed and counted: the
// validator also refuses what a controller, a reader of YAML 1.2 or the user
// would stumble over.
//
// SCAFFOLD_REFERENCE names the folder of the manifests, SCAFFOLD_MUTANTS how
// many mutants to try, SCAFFOLD_SEED which, and SCAFFOLD_KINDS, a part of the
// names of kinds, limits them.
func TestAgreement(t *testing.T) {
	c := controlplane.Start(t)
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	mutants := sample(t, c, number("SCAFFOLD_MUTANTS", 30), uint64(number("SCAFFOLD_SEED", 1)))
	allowed := beyond(t)
	var both, neither, stricter, excused, missed int
	answers := ask(t, c, mutants)
	for i, m := range mutants {
		ours, theirs := s.verdict(m), answers[i]
		switch {
		case theirs != "" && ours != "":
			both++
		case theirs == "" && ours == "":
			neither++
		case theirs == "":
			stricter++
			t.Logf("stricter: %s: %s", m, ours)
		case allowed.excuse(m):
			excused++
		default:
			missed++
			t.Errorf("missed: %s: %s", m, theirs)
		}
	}
	t.Logf("%d mutants: both refuse %d, both take %d, only the validator refuses %d, only the server refuses %d (%d of them allowed)",
		len(mutants), both, neither, stricter, missed+excused, excused)
}

// ask asks the server about all mutants, several at a time.
func ask(t *testing.T, c *controlplane.Cluster, mutants []mutant) []string {
	t.Helper()
	answers := make([]string, len(mutants))
	var wait sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wait.Go(func() {
			for i := range next {
				answers[i] = c.Ask(t, mutants[i].text).Refused
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	wait.Wait()
	return answers
}

func (s *Schemas) verdict(m mutant) string {
	docs, problems := Parse("manifest", m.text)
	for _, doc := range docs {
		problems = append(problems, s.Check(doc)...)
	}
	if len(problems) == 0 {
		return ""
	}
	return problems[0].String()
}

func number(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

// sample picks mutants of the manifests at random, kinds evenly: a random
// document of a random kind.
func sample(t *testing.T, c *controlplane.Cluster, n int, seed uint64) []mutant {
	t.Helper()
	byKind := map[string][]Document{}
	for _, root := range manifestRoots(t) {
		c.Namespaces(t, root)
		folders := trees(t, root)
		for _, dir := range slices.Sorted(maps.Keys(folders)) {
			docs, _ := parseAll(folders[dir])
			for _, doc := range docs {
				if kind := doc.Kind.String(); strings.Contains(kind, os.Getenv("SCAFFOLD_KINDS")) {
					byKind[kind] = append(byKind[kind], doc)
				}
			}
		}
	}
	kinds := slices.Sorted(maps.Keys(byKind))
	random := rand.New(rand.NewPCG(seed, seed))
	picked := make([]mutant, n)
	for i := range picked {
		docs := byKind[kinds[random.IntN(len(kinds))]]
		picked[i] = mutate(docs[random.IntN(len(docs))], random)
	}
	return picked
}

// manifestRoots are the folders to take manifests from: the one that the
// environment names, or the manifests of the examples, or those of the control
// plane's own tests while there are no examples.
func manifestRoots(t *testing.T) []string {
	t.Helper()
	if root := os.Getenv("SCAFFOLD_REFERENCE"); root != "" {
		return []string{root}
	}
	var roots []string
	err := filepath.WalkDir(filepath.Join("..", "..", "examples"), func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "kustomization.yaml" {
			roots = append(roots, filepath.Dir(name))
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if len(roots) == 0 {
		roots = []string{filepath.Join("controlplane", "testdata")}
	}
	return roots
}

// exceptions are the rows of testdata/beyond.tsv: kind, path, edit and why.
// An asterisk stands for anything.
type exceptions [][]string

func beyond(t *testing.T) exceptions {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "beyond.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows exceptions
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			row := strings.Split(line, "\t")
			if len(row) != 4 {
				t.Fatalf("beyond.tsv: %q has not four columns", line)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func (rows exceptions) excuse(m mutant) bool {
	for _, row := range rows {
		if stands(row[0], m.kind) && stands(row[1], m.path) && stands(row[2], m.edit) {
			return true
		}
	}
	return false
}

// stands reports whether a cell covers a text: it is equal, or it ends with an
// asterisk and begins the same.
func stands(cell, text string) bool {
	before, star := strings.CutSuffix(cell, "*")
	return cell == text || star && !strings.HasSuffix(before, "[") && strings.HasPrefix(text, before)
}
