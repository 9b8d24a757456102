package project_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scaffold/cmd/project"
)

// generated is a blueprint of n components: a database and a cache for every
// eight services, which call each other in a chain.
func generated(n int) string {
	var b strings.Builder
	b.WriteString("blueprint \"big\" {\n  profile = \"high-availability\"\n}\n\ntarget \"aws\" {\n  region = \"eu-west-1\"\n}\n")
	for i := 0; i < n; i++ {
		group := i / 10
		switch i % 10 {
		case 0:
			fmt.Fprintf(&b, "\ndatabase \"db%d\" {\n  memory = \"64GiB\"\n}\n", group)
		case 1:
			fmt.Fprintf(&b, "\ncache \"cache%d\" {\n  memory = \"4GiB\"\n}\n", group)
		default:
			fmt.Fprintf(&b, "\nservice \"s%d\" {\n  image = \"ghcr.io/acme/s:1\"\n  port  = 8080\n  needs = [database.db%d, cache.cache%d]\n  auto_scaling_group {\n    max = 4\n  }\n}\n", i, group, group)
		}
	}
	return b.String()
}

func render(tb testing.TB, file string) int {
	tb.Helper()
	p, diags := project.Open(file)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	roots, diags := p.Render(project.Selection{})
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	size := 0
	for _, data := range project.Tree(roots) {
		size += len(data)
	}
	return size
}

// BenchmarkExample renders a blueprint of an ordinary size for its three targets,
// as one run of the command does.
func BenchmarkExample(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(render(b, filepath.Join("..", "..", "examples", "high-availability", "scaffold.hcl"))))
	}
}

func BenchmarkRender(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "scaffold.hcl")
			if err := os.WriteFile(file, []byte(generated(n)), 0o644); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(render(b, file)))
			}
		})
	}
}
