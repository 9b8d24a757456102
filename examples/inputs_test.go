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

// fulfilled are inputs that a target cannot but do as they are set.
var fulfilled = map[string][]string{
	"gcp": {"elastic_load_balancing.static_address"}, // every address there is reserved
}

// manifests are patterns whose inputs are read by the pack of what runs on a
// cluster, whichever cloud that is in.
var manifests = []string{"horizontal_pod_autoscaler", "service_mesh"}

// heldBy are what packs and definitions call what holds the inputs of a pattern,
// besides self and the pattern's own name.
var heldBy = map[string][]string{
	"auto_scaling_group":           {"group", "autoscaler"},
	"blue_green_deployment":        {"release", "rollout", "colours"},
	"canary_deployment":            {"release", "rollout", "canary"},
	"cdn_distribution":             {"cdn"},
	"circuit_breaker":              {"breaker", "guard", "general"},
	"circuit_breaker_advanced":     {"advanced"},
	"connection_pooling":           {"pool", "pooler"},
	"database_sharding":            {"sharding"},
	"elastic_load_balancing":       {"balancer"},
	"horizontal_pod_autoscaler":    {"autoscaler"},
	"in_memory_caching":            {"caching", "warm_caches"},
	"multi_layer_caching":          {"layers"},
	"multi_layer_caching_detailed": {"elaborate", "full"},
	"rolling_updates":              {"release", "rollout"},
	"service_mesh":                 {"mesh"},
}

// TestEveryInputCounts requires of the packs that each input of a pattern is read
// somewhere, or said to be ignored: what a user asks for must not be dropped in
// silence. An input whose name another pattern has too has to be read from what
// holds this one's.
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
		owners := map[string]int{}
		for _, id := range p.Catalog.Names("patterns") {
			def, _ := p.Catalog.Pattern(id)
			for path := range inputsOf(def) {
				owners[path]++
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
				counts := func(name string) bool {
					return read[name] || defined[name] || slices.Contains(manifests, id) && onClusters[name]
				}
				known := counts(name)
				if owners[path] > 1 && path == name {
					known = slices.ContainsFunc(slices.Concat([]string{id, def.Extends}, heldBy[id], heldBy[def.Extends]), func(holder string) bool { return counts(holder + "." + name) })
				}
				mine, inherited := ignored[id+"."+path], ignored[def.Extends+"."+path]
				if !known && !mine && !inherited && !slices.Contains(slices.Concat(statements, fulfilled[target]), id+"."+path) {
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

// namesIn are the names that expressions of the files read, alone and with the
// name before them, outside of blocks of the given types and of what templates ignore.
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
		body := parsed.Body.(*hclsyntax.Body)
		readNames(body, patternOf(body), without, names)
	}
	return names
}

// patternOf is whose values self holds in a file: what a definition or template is
// called, unless it names another pattern.
func patternOf(body *hclsyntax.Body) string {
	for _, block := range body.Blocks {
		if attr := block.Body.Attributes["pattern"]; block.Type == "template" && attr != nil {
			v, _ := attr.Expr.Value(nil)
			return v.AsString()
		}
		if len(block.Labels) == 1 && slices.Contains([]string{"template", "pattern", "component"}, block.Type) {
			return block.Labels[0]
		}
	}
	return ""
}

func readNames(body *hclsyntax.Body, self string, without []string, names map[string]bool) {
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
			holder := ""
			for _, step := range steps {
				switch step := step.(type) {
				case hcl.TraverseRoot:
					holder = step.Name
					if holder == "self" {
						holder = self
					}
				case hcl.TraverseAttr:
					names[step.Name], names[holder+"."+step.Name] = true, true
					holder = step.Name
				}
			}
			return nil
		})
	}
	for _, block := range body.Blocks {
		if !slices.Contains(without, block.Type) {
			readNames(block.Body, self, without, names)
		}
	}
}
