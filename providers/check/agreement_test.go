package check_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"scaffold/providers/check"
)

// TestAgreement compares our verdict on roots with one edit each with that of
// the real "terraform validate". Without Terraform or its AWS provider it is
// skipped. Environment variables:
//
//	SCAFFOLD_AGREEMENT_ROOTS    folders or patterns (default: the rendered examples)
//	SCAFFOLD_AGREEMENT_MUTANTS  how many edits (default 30; a full run is 300)
//	SCAFFOLD_AGREEMENT_SEED     which edits (default 1)
//
// Rules that only the provider's code knows are listed in
// testdata/provider-rules.tsv; every other disagreement counts.
func TestAgreement(t *testing.T) {
	if testing.Short() {
		t.Skip("runs Terraform")
	}
	folders := slices.DeleteFunc(roots(t), func(folder string) bool { return !usesOnly(load(t, folder), "aws") })
	if len(folders) == 0 {
		t.Skip("there are no roots to compare")
	}
	terraform := newTerraform(t, folders[0])
	mutants := makeMutants(t, folders, number("SCAFFOLD_AGREEMENT_MUTANTS", 30), number("SCAFFOLD_AGREEMENT_SEED", 1))
	results := compare(t, terraform, mutants)
	report(t, results)
}

// TestSnippetAgreement compares every snippet, in a root with nothing else. It
// is a part of the full run only.
func TestSnippetAgreement(t *testing.T) {
	if testing.Short() || number("SCAFFOLD_AGREEMENT_MUTANTS", 30) < 300 {
		t.Skip("a full run takes SCAFFOLD_AGREEMENT_MUTANTS=300")
	}
	const alone = "terraform {\n  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n}\n"
	folder := t.TempDir()
	write(t, folder, map[string][]byte{"main.tf": []byte(alone)})
	mutants := []*mutant{}
	for _, snippet := range snippets() {
		files := map[string][]byte{"main.tf": []byte(alone), "snippet.tf": []byte(snippet + "\n")}
		mutants = append(mutants, &mutant{edit: "snippet", typ: "terraform", files: files, what: snippet})
	}
	report(t, compare(t, newTerraform(t, folder), mutants))
}

// snippets are pieces of the language, right and wrong, that are added to roots.
var snippets = sync.OnceValue(func() []string {
	text, err := os.ReadFile("testdata/snippets.txt")
	if err != nil {
		panic(err)
	}
	return strings.Split(string(text), "\n---\n")
})

func number(variable string, otherwise int) int {
	if value, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return value
	}
	return otherwise
}

// usesOnly tells whether all resources of a root are of one provider.
func usesOnly(files map[string][]byte, provider string) bool {
	r := newRoot(files, nil, nil)
	for _, p := range r.blocks {
		if top(p) && len(p.block.Labels) == 2 && !strings.HasPrefix(p.block.Labels[0], provider+"_") {
			return false
		}
	}
	return len(r.blocks) > 0
}

// makeMutants goes round the edits, each time in a root taken by chance.
func makeMutants(t *testing.T, folders []string, count, seed int) []*mutant {
	t.Helper()
	schemas := providers(t)
	parsed := []*root{}
	for _, folder := range folders {
		parsed = append(parsed, newRoot(load(t, folder), schemas, nil))
	}
	mutants := []*mutant{}
	shuffled := rand.New(rand.NewPCG(uint64(seed), 0)).Perm(len(edits))
	for i := 0; len(mutants) < count && i < 50*count; i++ {
		edit := edits[shuffled[i%len(edits)]]
		random := rand.New(rand.NewPCG(uint64(seed), uint64(i+1)))
		r := *parsed[random.IntN(len(parsed))]
		r.random = random
		if made := edit.make(&r, edit.name); made != nil {
			mutants = append(mutants, made)
		}
	}
	return mutants
}

type result struct {
	*mutant
	ours    hcl.Diagnostics
	theirs  verdict
	ourTime time.Duration
	err     error
}

// refused tells whether we say that terraform validate refuses.
func (r *result) refused() bool {
	return slices.ContainsFunc(r.ours, func(diag *hcl.Diagnostic) bool {
		return diag.Severity == hcl.DiagError && !check.OnlyAtPlan(diag)
	})
}

func compare(t *testing.T, terraform *terraform, mutants []*mutant) []*result {
	t.Helper()
	schemas := providers(t)
	results := make([]*result, len(mutants))
	var group sync.WaitGroup
	slots := make(chan struct{}, 2) // Terraform itself uses several threads
	for i, m := range mutants {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			one := &result{mutant: m}
			start := time.Now()
			one.ours = check.Root(m.files, schemas)
			one.ourTime = time.Since(start)
			one.theirs, one.err = terraform.validate(m.files)
			results[i] = one
			t.Logf("%d of %d: %s: Terraform passes: %v, we pass: %v", i+1, len(mutants), m.edit, one.theirs.Valid, !one.refused())
		})
	}
	group.Wait()
	return results
}

func report(t *testing.T, results []*result) {
	t.Helper()
	rules := readRules(t)
	var ours, theirs time.Duration
	count := map[string]int{}
	edits := map[string]bool{}
	for _, r := range results {
		if r.err != nil {
			t.Error(r.err)
			continue
		}
		ours, theirs = ours+r.ourTime, theirs+r.theirs.took
		edits[r.edit] = true
		kind := classify(r, rules)
		count[kind]++
		switch kind {
		case "missed":
			t.Errorf("we pass what Terraform refuses: %s\n%s", describe(r), strings.Join(r.theirs.errors(), "\n"))
		case "provider rule":
			t.Logf("a rule of the provider's: %s\n%s", describe(r), strings.Join(r.theirs.errors(), "\n"))
		case "too strict":
			t.Logf("we refuse what Terraform passes: %s\n%s", describe(r), ourErrors(r))
		}
	}
	compared := len(results) - count["provider rule"]
	agreed := count["both pass"] + count["both refuse"] + count["both pass, we know that the plan fails"]
	share := 100 * float64(agreed) / float64(max(1, compared))
	t.Logf("%d mutants of %d kinds: %v", len(results), len(edits), count)
	t.Logf("agreement %.1f %% of %d; Terraform took %v, we took %v, %.0f times less", share, compared,
		theirs.Round(time.Millisecond), ours.Round(time.Millisecond), float64(theirs)/float64(max(1, ours)))
	if share < 98 {
		t.Errorf("agreement is %.1f %%, at least 98 %% is wanted", share)
	}
}

func classify(r *result, rules []rule) string {
	switch {
	case r.refused() && r.theirs.Valid:
		return "too strict"
	case r.refused():
		return "both refuse"
	case r.theirs.Valid && r.ours.HasErrors():
		return "both pass, we know that the plan fails"
	case r.theirs.Valid:
		return "both pass"
	case known(r, rules):
		return "provider rule"
	default:
		return "missed"
	}
}

func describe(r *result) string { return fmt.Sprintf("%s in %s, %s", r.edit, r.typ, r.what) }

func ourErrors(r *result) string {
	list := []string{}
	for _, diag := range r.ours {
		if diag.Severity == hcl.DiagError && !check.OnlyAtPlan(diag) {
			list = append(list, fmt.Sprintf("%s: %s: %s", diag.Subject, diag.Summary, diag.Detail))
		}
	}
	return strings.Join(list, "\n")
}

// rule is one line of the table of rules that only a provider's code knows.
type rule struct{ typ, edit, message string }

func readRules(t *testing.T) []rule {
	t.Helper()
	file, err := os.Open("testdata/provider-rules.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rules := []rule{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			cells := strings.SplitN(line, "\t", 3)
			if len(cells) != 3 {
				t.Fatalf("%q has not three cells", line)
			}
			rules = append(rules, rule{cells[0], cells[1], cells[2]})
		}
	}
	return rules
}

// known tells whether all that Terraform refuses stands in the table.
func known(r *result, rules []rule) bool {
	for _, message := range r.theirs.errors() {
		if !slices.ContainsFunc(rules, func(rule rule) bool {
			return (rule.typ == r.typ || rule.typ == "*") && (rule.edit == r.edit || rule.edit == "*") && strings.Contains(message, rule.message)
		}) {
			return false
		}
	}
	return true
}
