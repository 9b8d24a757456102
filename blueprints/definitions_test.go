package blueprints_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints"
)

// pattern is what the catalogue says of a pattern, however it is implemented.
type pattern struct {
	Title       string
	Quality     int
	Difficulty  int
	Performance string
	Points      string // ids, in the catalogue's order
	Extends     string
}

var catalogue = map[string]pattern{
	"auto_scaling_group":           {"Auto scaling group", 9, 6, "High", "metrics policies health_checks warm_up costs", ""},
	"blue_green_deployment":        {"Blue-green deployment", 9, 7, "High", "double_capacity shared_data smoke_tests fast_switch rollback", ""},
	"canary_deployment":            {"Canary deployment", 8, 7, "High", "traffic_split metrics criteria rollback segments", ""},
	"cdn_distribution":             {"CDN distribution", 9, 4, "Very High", "cache_headers invalidation hit_ratio bandwidth tls", ""},
	"circuit_breaker":              {"Circuit breaker", 9, 6, "High", "thresholds timeouts fallback states half_open", ""},
	"circuit_breaker_advanced":     {"Circuit breaker (advanced)", 9, 7, "High", "granular_metrics adaptive_thresholds fallbacks states per_endpoint", "circuit_breaker"},
	"connection_pooling":           {"Connection pooling", 8, 5, "High", "pool_size idle_timeout utilisation max_connections validation", ""},
	"database_connection_pooling":  {"Database connection pooling", 8, 6, "High", "workload_size validation utilisation timeouts leaks", "connection_pooling"},
	"database_sharding":            {"Database sharding", 8, 9, "Very High", "key hot_spots routing joins rebalancing", ""},
	"elastic_load_balancing":       {"Elastic load balancing", 9, 5, "High", "health_checks algorithm stickiness distribution tls", ""},
	"horizontal_pod_autoscaler":    {"Horizontal pod autoscaler", 9, 6, "High", "requests metrics probes disruption_budget behaviour", ""},
	"in_memory_caching":            {"In-memory caching", 8, 5, "Very High", "invalidation ttl hit_ratio warming miss", ""},
	"load_balancer_types":          {"Load balancer types", 8, 6, "High", "type algorithm health_checks latency_or_features monitoring", "elastic_load_balancing"},
	"multi_layer_caching":          {"Multi-layer caching", 9, 7, "Very High", "invalidation ttl coherence hit_ratio debugging", ""},
	"multi_layer_caching_detailed": {"Multi-layer caching (detailed)", 9, 8, "Very High", "warming eviction consistency fallback cold_start", "multi_layer_caching"},
	"read_replicas":                {"Read replicas", 8, 6, "High", "lag splitting staleness performance failover", ""},
	"redis_cluster":                {"Redis cluster", 9, 7, "Very High", "sharding health backups replication memory", ""},
	"rolling_updates":              {"Rolling updates", 8, 6, "High", "strategy health_checks rollback monitoring compatibility", ""},
	"service_mesh":                 {"Service mesh", 9, 8, "High", "sidecars traffic_policies latency mtls overhead", ""},
	"vertical_scaling":             {"Vertical scaling", 6, 4, "Medium", "limits downtime utilisation costs horizontal", ""},
}

func builtin(t *testing.T) *blueprints.Catalog {
	t.Helper()
	c, diags := blueprints.NewCatalog(blueprints.Folder{Name: "blueprints", FS: blueprints.Builtin()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	got := map[string]pattern{}
	for _, id := range c.Names("patterns") {
		def, diags := c.Pattern(id)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var points []string
		for _, p := range def.Points {
			points = append(points, p.ID)
			if p.Summary == "" {
				t.Errorf("%s: the point %s has no summary", id, p.ID)
			}
		}
		if len(points) != 5 {
			t.Errorf("%s has %d points, not five", id, len(points))
		}
		if len(def.When) == 0 || def.Summary == "" || len(def.Attaches) == 0 {
			t.Errorf("%s lacks one of when, summary and attaches", id)
		}
		for key := range def.Metrics {
			if !slices.Contains([]string{"latency", "throughput", "availability"}, key) {
				t.Errorf("%s: there is no metric %s", id, key)
			}
		}
		got[id] = pattern{def.Title, def.Quality, def.Difficulty, def.Performance, strings.Join(points, " "), def.Extends}
	}
	if diff := cmp.Diff(catalogue, got); diff != "" {
		t.Error(diff)
	}
}

// definitions gives all built-in definitions, nested blocks included.
func definitions(t *testing.T) map[string]*blueprints.Definition {
	t.Helper()
	c := builtin(t)
	all := map[string]*blueprints.Definition{}
	var add func(path string, def *blueprints.Definition, diags hcl.Diagnostics)
	add = func(path string, def *blueprints.Definition, diags hcl.Diagnostics) {
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		all[path] = def
		for _, b := range def.Blocks {
			add(path+"."+b.ID, b.Definition, nil)
		}
	}
	for _, id := range c.Names("components") {
		def, diags := c.Component(id)
		add("component."+id, def, diags)
	}
	for _, id := range c.Names("patterns") {
		def, diags := c.Pattern(id)
		add("pattern."+id, def, diags)
	}
	for _, id := range c.Names("targets") {
		def, diags := c.Target(id)
		add("target."+id, def, diags)
	}
	return all
}

// TestDefinitionsAreWhole holds what a user reads: every input and every rule
// explains itself, and every name is there once.
func TestDefinitionsAreWhole(t *testing.T) {
	t.Parallel()
	for path, def := range definitions(t) {
		names := map[string]bool{}
		once := func(kind, name, summary string) {
			if names[name] {
				t.Errorf("%s: %s is there twice", path, name)
			}
			names[name] = true
			if summary == "" {
				t.Errorf("%s: %s %s has no summary", path, kind, name)
			}
		}
		for _, in := range def.Inputs {
			once("input", in.Name, in.Summary)
			if in.Matches != nil && in.Hint == "" {
				t.Errorf("%s: %s has a pattern and no hint that says it in words", path, in.Name)
			}
		}
		for _, d := range def.Derived {
			once("derived value", d.Name, d.Summary)
		}
		for _, b := range def.Blocks {
			once("block", b.ID, b.Summary)
		}
		checks := map[string]bool{}
		for _, c := range def.Checks {
			if checks[c.ID] {
				t.Errorf("%s: the check %s is there twice", path, c.ID)
			}
			checks[c.ID] = true
			if c.Fix == nil || c.At == nil {
				t.Errorf("%s: the check %s does not say both how to mend it and where", path, c.ID)
			}
		}
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	for _, id := range c.Names("profiles") {
		p, diags := c.Profile(id)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if p.Title == "" || p.Summary == "" || len(p.Patterns) == 0 {
			t.Errorf("%s lacks one of title, summary and patterns", id)
		}
		for _, pattern := range p.Patterns {
			if !c.Has("patterns", pattern) {
				t.Errorf("%s names the pattern %s, which is not there", id, pattern)
			}
		}
		for kind, body := range p.Defaults {
			def, _ := c.Component(kind)
			if def == nil {
				t.Errorf("%s has defaults for a %s, which is not there", id, kind)
				continue
			}
			for _, block := range body.(*hclsyntax.Body).Blocks {
				if !c.Has("patterns", block.Type) {
					t.Errorf("%s has defaults for %s, which is no pattern", id, block.Type)
				}
			}
		}
	}
}

// TestDefinitionsNameNoTarget keeps components and patterns free of clouds:
// what differs between them is said in the language's own words.
func TestDefinitionsNameNoTarget(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	targets := c.Names("targets")
	for _, folder := range []string{"components", "patterns"} {
		for _, id := range c.Names(folder) {
			name := folder + "/" + id + ".hcl"
			data, err := fs.ReadFile(blueprints.Builtin(), name)
			if err != nil {
				t.Fatal(err)
			}
			file, diags := blueprints.ParseHCL(data, name)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			_ = hclsyntax.VisitAll(file.Body.(*hclsyntax.Body), func(n hclsyntax.Node) hcl.Diagnostics {
				word := ""
				switch n := n.(type) {
				case *hclsyntax.LiteralValueExpr:
					if v, diags := n.Value(nil); !diags.HasErrors() && !v.IsNull() && v.Type().FriendlyName() == "string" {
						word = v.AsString()
					}
				case *hclsyntax.ScopeTraversalExpr:
					if word = n.Traversal.RootName(); word == "target" {
						t.Errorf("%s reads the target", n.Range())
					}
				case *hclsyntax.Attribute:
					word = n.Name
				case *hclsyntax.Block:
					word = n.Type
				}
				if slices.Contains(targets, word) {
					t.Errorf("%s names %q", n.Range(), word)
				}
				return nil
			})
		}
	}
}
