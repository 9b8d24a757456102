package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// statements are inputs that say what the program does by itself: rules hold
// them against the rest, and there is nothing to render.
var statements = []string{
	"load_balancer_types.latency_budget", "elastic_load_balancing.websocket", "load_balancer_types.websocket", "vertical_scaling.downtime",
}

// manifests are patterns whose inputs are read by the pack of what runs on a
// cluster, whichever cloud that is in.
var manifests = []string{"horizontal_pod_autoscaler", "service_mesh"}

// TestEveryInputCounts requires of the packs that each input of a
// pattern is read somewhere, or said to be ignored: what a user asks for must
// not be dropped in silence. It goes by names, so an input that has the name of
// another one may slip through.
func TestEveryInputCounts(t *testing.T) {
	p, diags := project.Empty()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	defined := namesIn(t, filepath.Join("..", "blueprints", "*", "*.hcl"), "check")
	onClusters := namesIn(t, filepath.Join("..", "templates", "kubernetes", "*.hcl"))
	for _, target := range []string{"aws", "gcp", "kubernetes"} {
		read := namesIn(t, filepath.Join("..", "templates", target, "*.hcl"))
		pack, diags := p.Pack(target)
		if diags = append(diags, pack.Load(pack.Templates)...); diags.HasErrors() {
			t.Fatal(diags)
		}
		ignored := map[string]bool{}
		for _, template := range pack.Templates {
			for _, i := range template.Ignores {
				ignored[template.Pattern+"."+i.Path] = true
			}
		}
		for _, id := range p.Catalog.Names("patterns") {
			def, diags := p.Catalog.Pattern(id)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			inputs := inputsOf(def)
			for _, template := range pack.Templates {
				for _, i := range template.Ignores {
					if _, ok := inputs[i.Path]; !ok && template.Pattern == id {
						t.Errorf("%s ignores %s.%s, which there is not", target, id, i.Path)
					}
				}
			}
			for path, name := range inputs {
				counts := read[name] || defined[name] || slices.Contains(manifests, id) && onClusters[name]
				mine, inherited := ignored[id+"."+path], ignored[def.Extends+"."+path]
				if !counts && !mine && !inherited && !slices.Contains(statements, id+"."+path) {
					t.Errorf("%s makes nothing of %s.%s, and does not say so", target, id, path)
				}
			}
		}
	}
}

// inputsOf are the inputs of a definition and its blocks, by path.
func inputsOf(def *blueprints.Definition) map[string]string {
	out := map[string]string{}
	for _, in := range def.Inputs {
		out[in.Name] = in.Name
	}
	for _, block := range def.Blocks {
		for _, in := range block.Inputs {
			if in.Name != block.Label {
				out[block.ID+"."+in.Name] = in.Name
			}
		}
	}
	return out
}

// namesIn are the names that expressions of the files read, outside of blocks of
// the given types and of what templates ignore.
func namesIn(t *testing.T, pattern string, without ...string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, diags := hclsyntax.ParseConfig(data, file, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		readNames(parsed.Body.(*hclsyntax.Body), without, names)
	}
	return names
}

func readNames(body *hclsyntax.Body, without []string, names map[string]bool) {
	for _, attr := range body.Attributes {
		if attr.Name == "ignores" {
			continue
		}
		_ = hclsyntax.VisitAll(attr.Expr, func(node hclsyntax.Node) hcl.Diagnostics {
			var steps hcl.Traversal
			switch e := node.(type) {
			case *hclsyntax.ScopeTraversalExpr:
				steps = e.Traversal
			case *hclsyntax.RelativeTraversalExpr:
				steps = e.Traversal
			}
			for _, step := range steps {
				if attr, ok := step.(hcl.TraverseAttr); ok {
					names[attr.Name] = true
				}
			}
			return nil
		})
	}
	for _, block := range body.Blocks {
		if !slices.Contains(without, block.Type) {
			readNames(block.Body, without, names)
		}
	}
}
