package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// growth is how much more twice the components may cost: what is in proportion
// doubles, and what asks each about each takes four times.
const growth = 2.4

// TestWorkGrowsInProportion validates blueprints of one, two and four times a
// size, refused ones and accepted ones, and counts what is allocated between the
// text and what is told or drawn of it in all formats. That is nearly the same on every
// run, unlike time.
func TestWorkGrowsInProportion(t *testing.T) {
	for _, target := range []string{"aws", "gcp", "kubernetes"} {
		for _, made := range blueprintsOfAnySize(t, target) {
			t.Run(target+"/"+made.name, func(t *testing.T) {
				var objects, size [3]float64
				validated(t, made.text(made.least), target, made.refused) // what is read once and kept
				said := 0
				for i, times := range []int{1, 2, 4} {
					text := made.text(times * made.least)
					objects[i], size[i] = allocated(func() { said = validated(t, text, target, made.refused) })
				}
				for unit, n := range map[string][3]float64{"objects": objects, "bytes": size} {
					more := (n[2] - n[1]) / (n[1] - n[0])
					t.Logf("%.3g, %.3g, %.3g %s: %.2f times as many; %d problems", n[0], n[1], n[2], unit, more, said)
					if more > growth {
						t.Errorf("twice the components cost %.2f times as many %s", more, unit)
					}
				}
			})
		}
	}
}

// TestShowGrowsInProportion does the same for what is shown.
func TestShowGrowsInProportion(t *testing.T) {
	for _, made := range blueprintsOfAnySize(t, "kubernetes") {
		if made.refused || !slices.Contains([]string{"a mesh of services", "a domain for each"}, made.name) {
			continue
		}
		t.Run(made.name, func(t *testing.T) {
			var objects [3]float64
			for i, times := range []int{1, 1, 2, 4} {
				text := made.text(times * made.least)
				n, _ := allocated(func() {
					src, _ := blueprints.Parse([]byte(text), "scaffold.hcl")
					p, _ := project.New(src)
					if shown, diags := p.Show(project.Selection{}); diags.HasErrors() || len(shown) < len(text) {
						t.Fatal(diags)
					}
				})
				objects[max(0, i-1)] = n // the first reads what is read once and kept
			}
			more := (objects[2] - objects[1]) / (objects[1] - objects[0])
			t.Logf("%.3g objects: %.2f times as many", objects, more)
			if more > growth {
				t.Errorf("twice the components cost %.2f times as many objects", more)
			}
		})
	}
}

// allocated counts the objects and bytes that a call allocates.
func allocated(do func()) (objects, size float64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
}

// validated gives how many problems are told.
func validated(t *testing.T, text, target string, refused bool) int {
	t.Helper()
	src, diags := blueprints.Parse([]byte(text), "scaffold.hcl")
	p := &project.Project{Source: src}
	if !diags.HasErrors() {
		p, diags = project.New(src)
	}
	if !diags.HasErrors() {
		var roots []*project.Root
		roots, diags = p.Render(project.Selection{Target: target})
		if g := project.NewGraph(roots); !refused && (mermaid(g) == "" || dot("shop", g) == "") {
			t.Error("nothing is drawn")
		}
	}
	for _, format := range formats {
		var out bytes.Buffer
		a := &app{format: format, noColor: true, out: &out, err: &out}
		_ = a.report(p, diags)
	}
	if diags.HasErrors() != refused {
		t.Fatalf("refused: %v, and should be: %v\n%v", diags.HasErrors(), refused, diags.Errs())
	}
	return len(diags)
}

// sized is a blueprint that is made in any size.
type sized struct {
	name    string
	least   int // size to start from
	refused bool
	text    func(n int) string
}

const everyKind = "service|database|cache|site|cluster"

func blueprintsOfAnySize(t *testing.T, target string) []sized {
	head := "blueprint \"big\" {}\n" + map[string]string{
		"aws":        "target \"aws\" {\n  region = \"eu-west-1\"\n  cidr = \"10.0.0.0/16\"\n}\n",
		"gcp":        "target \"gcp\" {\n  region = \"europe-west1\"\n}\n",
		"kubernetes": "target \"kubernetes\" {}\n",
	}[target]
	everything, err := os.ReadFile(filepath.Join("..", "..", "examples", "everything", "scaffold.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	// each is a blueprint of n services, of which the i-th has what body says.
	each := func(shared string, body func(i, n int) string) func(int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(head + shared)
			for i := range n {
				fmt.Fprintf(&b, "service \"s%d\" {\n  image = \"ghcr.io/acme/s:1\"\n%s}\n", i, body(i, n))
			}
			return b.String()
		}
	}
	all := []sized{
		{"every pattern", 1, false, copies(t, string(everything), "service|database|cache|site")},
		{"a mesh of services", 20, false, each("", func(i, n int) string {
			return fmt.Sprintf("  needs = [service.s%d]\n  service_mesh {}\n  auto_scaling_group { max = 9 }\n", i/2*2+(i+1)%2)
		})},
		{"one database too small for all", 300, true, each("database \"db\" {}\n", func(int, int) string {
			return "  needs = [database.db]\n  pool = 40\n  auto_scaling_group { max = 9 }\n"
		})},
		{"one database through a pooler", 40, target == "gcp", each("database \"db\" {\n  database_connection_pooling {}\n}\n", func(int, int) string {
			return "  needs = [database.db]\n  auto_scaling_group { max = 4 }\n"
		})},
		{"a domain for each", 12, false, each("", func(i, _ int) string {
			return fmt.Sprintf("  keep_alive = \"620s\"\n  elastic_load_balancing {\n    domain = \"s%d.example.com\"\n  }\n", i)
		})},
		{"a ring", 40, true, each("", func(i, n int) string {
			return fmt.Sprintf("  needs = [service.s%d]\n  circuit_breaker {}\n", (i+1)%n)
		})},
		{"the same rule ignored everywhere", 100, true, each("", func(i, n int) string {
			return "  auto_scaling_group {\n    min = 9\n    max = 3 # scaffold:ignore auto_scaling_group.bounds one of them\n  }\n  port = \"x\"\n"
		})},
		{"a name that is missing everywhere", 40, true, each("", func(i, n int) string {
			return fmt.Sprintf("  needs = [service.missing%d]\n", i)
		})},
	}
	// environments is a service, and n environments with what each says.
	environments := func(body func(i int) string) func(int) string {
		return func(n int) string {
			var b strings.Builder
			b.WriteString(head + "service \"web\" {\n  image = \"ghcr.io/acme/web:1\"\n}\n")
			for i := range n {
				fmt.Fprintf(&b, "environment \"e%d\" {\n%s}\n", i, body(i))
			}
			return b.String()
		}
	}
	all = append(all,
		sized{"names that are nearly right", 300, true, each("", func(i, _ int) string {
			return fmt.Sprintf("  needs = [service.s-%d]\n", i)
		})},
		sized{"an environment that changes all", 40, false, func(n int) string {
			plain := each("", func(int, int) string { return "" })(n)
			return plain + "environment \"staging\" {\n" + strings.ReplaceAll(strings.TrimPrefix(plain, head), ":1\"", ":2\"") + "}\n"
		}},
		sized{"environments", 20, false, environments(func(i int) string {
			return fmt.Sprintf("  service \"web\" {\n    replicas = %d\n  }\n", 3+i%3)
		})},
		sized{"environments that are wrong", 100, true, environments(func(i int) string {
			return fmt.Sprintf("  service \"web\" {\n    replica = 3\n  }\n  service \"web\" {\n  needs = [database.missing%d]\n  }\n", i)
		})},
	)
	for _, folder := range []string{"wrong", "rules", "refused"} {
		if text := brokenTogether(t, folder, target); text != "" {
			all = append(all, sized{"testdata " + folder, 1, true, copies(t, head+text, everyKind)})
		}
	}
	return all
}

// brokenTogether are the components of all blueprints in a folder of archives:
// those of packs that are for the target, and of definitions.
func brokenTogether(t *testing.T, folder, target string) string {
	t.Helper()
	var b strings.Builder
	n := 0
	for _, file := range goldens(t, folder) {
		if folder == "refused" && name(file) != target {
			continue
		}
		for _, f := range read(t, file).Files {
			combination := folder == "refused" && strings.HasPrefix(f.Name, target+".") // said before all rules
			if !strings.HasSuffix(f.Name, ".hcl") || combination || regexp.MustCompile(`\b(var|local)\.`).Match(f.Data) {
				continue
			}
			n++
			_, components := split(t, string(f.Data), everyKind)
			b.WriteString(renamed(components, everyKind, fmt.Sprint("-", n)))
		}
	}
	return b.String()
}

// copies gives n copies of the components of a blueprint of some kinds, each with
// names of its own; everything else is there once.
func copies(t *testing.T, text, kinds string) func(int) string {
	head, components := split(t, text, kinds)
	return func(n int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			b.WriteString(renamed(components, kinds, fmt.Sprint("x", i)))
		}
		return b.String()
	}
}

// split takes the components of a blueprint apart from its other blocks. One that
// does not parse has none.
func split(t *testing.T, text, kinds string) (head, components string) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return "", ""
	}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		part := text[block.TypeRange.Start.Byte:block.CloseBraceRange.End.Byte] + "\n"
		if slices.Contains(strings.Split(kinds, "|"), block.Type) && len(block.Labels) == 1 {
			components += part
		} else {
			head += part
		}
	}
	return head, components
}

// renamed adds to the names of components, and to where they are referred to.
func renamed(components, kinds, suffix string) string {
	name := regexp.MustCompile(`\b(` + kinds + `)(\.| ")([a-z][a-z0-9-]*)`)
	return name.ReplaceAllStringFunc(components, func(s string) string {
		m := name.FindStringSubmatch(s)
		return m[1] + m[2] + m[3][:min(len(m[3]), 14)] + suffix
	})
}
