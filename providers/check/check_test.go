package check_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"scaffold/providers/check"
	"scaffold/providers/schema"
)

func toy(t testing.TB) map[string]*schema.Provider {
	t.Helper()
	data, err := os.ReadFile("testdata/toy.json")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := schema.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*schema.Provider{"toy": provider}
}

// example is a configuration and what is to be said of it; nothing if it is valid.
type example struct {
	name string
	text string
	want string
}

// base is added to each example, so that they can be short.
const base = `
resource "toy_box" "one" {
  name = "one"
  lid {}
}

resource "toy_box" "many" {
  for_each = toset(["a"])
  name     = each.key
  lid {}
}

data "toy_shelf" "one" {}

variable "text" {
  type = string
}
`

func check1(t *testing.T, files map[string][]byte, schemas map[string]*schema.Provider) string {
	t.Helper()
	lines := []string{}
	for _, diag := range check.Root(files, schemas) {
		mark := ""
		if diag.Severity == hcl.DiagWarning {
			mark = " (warning)"
		}
		if check.OnlyAtPlan(diag) {
			mark = " (at plan)"
		}
		detail := strings.Join(strings.Fields(diag.Detail), " ")
		lines = append(lines, fmt.Sprintf("%d: %s%s: %s", diag.Subject.Start.Line, diag.Summary, mark, detail))
	}
	return strings.Join(lines, "\n")
}

func runExamples(t *testing.T, examples []example) {
	t.Helper()
	t.Parallel()
	schemas := toy(t)
	for _, one := range examples {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			files := map[string][]byte{
				"a.tf": []byte(one.text), "base.tf": []byte(base),
				"files/good.tftpl": []byte("hello ${name}"), "files/bad.tftpl": []byte("hello ${"),
			}
			if diff := cmp.Diff(strings.TrimSpace(one.want), check1(t, files, schemas)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// box is a resource with some lines.
func box(lines ...string) string {
	return "resource \"toy_box\" \"x\" {\n  name = \"x\"\n  lid {}\n  " + strings.Join(lines, "\n  ") + "\n}\n"
}
