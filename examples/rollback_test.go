package examples_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"

	"scaffold/render"
)

// secondWriters finds what a workflow of a root for Google Cloud changes although
// Terraform does, too: the next apply would undo it.
func secondWriters(t *testing.T, result *render.Result) (out []string) {
	t.Helper()
	b := blocksOf(t, result)
	say := func(address, what string, args ...any) {
		out = append(out, address+": "+fmt.Sprintf(what, args...))
	}
	turned := map[string]bool{}
	for address, found := range b {
		if !strings.HasPrefix(address, "google_workflows_workflow.") {
			continue
		}
		w := part{found[0].Body, found[0]}
		m := sourceFile.FindStringSubmatch(w.source("source_contents"))
		if m == nil || result.Files[m[1]] == nil {
			continue
		}
		steps, told := string(result.Files[m[1]].Data), w.source("user_env_vars")
		if strings.Contains(steps, "weightedBackendServices") || strings.Contains(steps, "pathMatchers") {
			say(address, "it writes an URL map, which Terraform does")
		}
		if strings.Contains(steps, "/setUrlMap") {
			for _, proxy := range proxyName.FindAllString(told, -1) {
				turned[proxy] = true
				for _, what := range turnedWrong(b, proxy) {
					say(proxy, "%s", what)
				}
			}
			for _, of := range keptMap.FindAllStringSubmatch(told, -1) {
				if kept := b[of[1]]; kept == nil || shares(part{kept[0].Body, kept[0]}) {
					say(address, "it turns proxies to a map with shares")
				}
			}
		}
		if strings.Contains(steps, "versions:") {
			for _, group := range groupName.FindAllString(told, -1) {
				if g := b.group(group); g == nil || !strings.Contains(g.source("lifecycle.precondition.condition"), `"withdrawn"`) {
					say(group, "the next apply brings the release back that was withdrawn")
				}
			}
			if !strings.Contains(steps, "labels.withdrawn:") {
				say(address, "nothing says that the release was withdrawn")
			}
		}
	}
	for address, found := range b {
		proxy := part{found[0].Body, found[0]}
		if strings.Contains(address, "_target_http") && strings.Contains(proxy.source("lifecycle.ignore_changes"), "url_map") && !turned[address] {
			say(address, "nobody says where it leads")
		}
	}
	slices.Sort(out)
	return out
}

// shares tells whether a map gives a part of the requests to someone.
func shares(m part) bool {
	for _, service := range m.below("weighted_backend_services") {
		if !service.is("weight", cty.NumberIntVal(100)) {
			return true
		}
	}
	return slices.ContainsFunc(m.below("dynamic"), func(p part) bool { return p.has("content.weight") })
}

var (
	sourceFile = regexp.MustCompile(`file\("\$\{path\.module\}/([^"]+)"\)`)
	proxyName  = regexp.MustCompile(`google_compute_(?:region_)?target_https?_proxy\.[a-z0-9_]+`)
	keptMap    = regexp.MustCompile(`map *= (google_compute_(?:region_)?url_map\.[a-z0-9_]+)`)
	groupName  = regexp.MustCompile(`google_compute_region_instance_group_manager\.[a-z0-9_]+`)
)

// turnedWrong is what a proxy lacks that a workflow turns to another map.
func turnedWrong(b blocks, address string) (out []string) {
	if b[address] == nil {
		return []string{"there is none"}
	}
	p := part{b[address][0].Body, b[address][0]}
	if !strings.Contains(p.source("lifecycle.ignore_changes"), "url_map") {
		out = append(out, "the next apply turns it back")
	}
	if !p.is("lifecycle.create_before_destroy", cty.True) {
		out = append(out, "it goes before the address leads to the next one")
	}
	said := func(c []*parsedBlock) bool {
		return slices.ContainsFunc(textsAt(c[0].Body, []string{"assert", "condition"}, c[0]), func(s string) bool { return strings.Contains(s, address+".url_map") })
	}
	if !slices.ContainsFunc(b.checks(), said) {
		out = append(out, "no plan says that it was turned")
	}
	if !strings.Contains(p.source("depends_on"), "url_map.") {
		out = append(out, "the map that it was turned to goes first")
	}
	return out
}

func (b blocks) checks() (out [][]*parsedBlock) {
	for address, found := range b {
		if strings.HasPrefix(address, "check.") {
			out = append(out, found)
		}
	}
	return out
}

// sides are services whose releases an alarm takes back, in front of which each
// kind of proxy stands.
var sides = map[string]string{
	"from the internet":   `elastic_load_balancing { domain = "shop.example.com" }`,
	"from the network":    `elastic_load_balancing { public = false }`,
	"by TLS in a network": "elastic_load_balancing {\n public = false\n domain = \"shop.internal.example.com\"\n }",
	"by services only":    "",
	"at some paths":       "elastic_load_balancing {\n domain = \"shop.example.com\"\n paths = [\"/shop/*\", \"/basket\"]\n }",
	"paths of a network":  "elastic_load_balancing {\n public = false\n paths = [\"/shop/*\"]\n }",
}

func releasing(balancer, rollout string) string {
	return fmt.Sprintf(`blueprint "shop" {}
target "gcp" {
  region = "europe-west1"
}
service "web" {
  image = "ghcr.io/acme/web:1"
  auto_scaling_group {
    max = 6
  }
  %s
  %s
}
service "front" {
  image = "ghcr.io/acme/front:1"
  needs = [service.web]
  auto_scaling_group {
    max = 6
  }
}
`, balancer, rollout)
}

func canaryOf(image string, weight int) string {
	return fmt.Sprintf("canary_deployment {\n canary_image = %q\n weight = %d\n }", image, weight)
}

func coloursOf(live, blue, green string) string {
	return fmt.Sprintf("blue_green_deployment {\n live = %q\n blue_image = %q\n green_image = %q\n rollback = \"alarms\"\n }", live, blue, green)
}

// TestRollbackHasOneWriter requires that no apply undoes what an alarm has done,
// in the examples and in front of each kind of proxy.
func TestRollbackHasOneWriter(t *testing.T) {
	workflows := 0
	look := func(t *testing.T, result *render.Result) {
		for _, problem := range secondWriters(t, result) {
			t.Error(problem)
		}
		for name := range result.Files {
			if strings.HasPrefix(name, "rollback/") {
				workflows++
			}
		}
	}
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range renderedFor(t, name, "gcp") {
				look(t, root.Result)
			}
		})
	}
	for side, balancer := range sides {
		for _, rollout := range []string{canaryOf("ghcr.io/acme/web:2", 5), coloursOf("blue", "ghcr.io/acme/web:1", "ghcr.io/acme/web:2"), "rolling_updates {}"} {
			t.Run(side+"/"+strings.Fields(rollout)[0], func(t *testing.T) {
				look(t, rolloutRoot(t, releasing(balancer, rollout)))
			})
		}
	}
	if workflows < 18 {
		t.Errorf("only %d workflows were looked at", workflows)
	}
}

func rolloutRoot(t *testing.T, text string) *render.Result {
	t.Helper()
	roots, diags := renderText(t, text, "", "gcp")
	if diags.HasErrors() {
		t.Fatal(firstErrors(diags))
	}
	return roots[0].Result
}

// TestEachSecondWriter requires that each is found: testdata/rollback_gcp.txtar
// has a root for each, by what is said of it.
func TestEachSecondWriter(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("..", "testdata", "rollback_gcp.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range archive.Files {
		what, ok := strings.CutSuffix(f.Name, ".tf")
		if !ok {
			continue
		}
		found++
		root := result("main.tf", string(f.Data))
		for _, steps := range archive.Files {
			if steps.Name == what+".yaml" {
				root.Files["rollback/steps.yaml"] = &render.File{Path: "rollback/steps.yaml", Form: render.Content, Data: steps.Data}
			}
		}
		said := secondWriters(t, root)
		if what == "nothing" {
			if len(said) > 0 {
				t.Errorf("a sound root is refused: %v", said)
			}
			continue
		}
		if len(said) != 1 || !strings.HasSuffix(said[0], ": "+what) {
			t.Errorf("of %q is said %v", what, said)
		}
	}
	if found < 9 {
		t.Errorf("only %d roots", found)
	}
}

// TestReleaseHasItsProxy requires that a release starts at a proxy that no alarm
// has turned, and that nothing else gives a release another one.
func TestReleaseHasItsProxy(t *testing.T) {
	one, two := "ghcr.io/acme/web:1", "ghcr.io/acme/web:2"
	for side, balancer := range sides {
		proxies := func(rollout string) string {
			b, names := blocksOf(t, rolloutRoot(t, releasing(balancer, rollout))), []string{}
			for address, found := range b {
				if p := (part{found[0].Body, found[0]}); proxyName.MatchString(address) && p.has("lifecycle.ignore_changes") {
					names = append(names, address+" "+p.text("name"))
				}
			}
			slices.Sort(names)
			if len(names) == 0 {
				t.Fatalf("%s: no proxy is turned", side)
			}
			return strings.Join(names, "\n")
		}
		for _, row := range []struct {
			what         string
			before, then string
			same         bool
		}{
			{"a larger share", canaryOf(two, 5), canaryOf(two, 25), true},
			{"a canary that is taken over", canaryOf(two, 25), strings.Replace(canaryOf(two, 0), "weight = 0", "", 1), true},
			{"another canary", canaryOf(two, 5), canaryOf("ghcr.io/acme/web:3", 5), false},
			{"another image for the colour that waits", coloursOf("blue", one, one), coloursOf("blue", one, two), true},
			{"the switch", coloursOf("blue", one, two), coloursOf("green", one, two), false},
			{"another image for the colour that serves", coloursOf("blue", one, one), coloursOf("blue", two, one), false},
		} {
			if before, then := proxies(row.before), proxies(row.then); (before == then) != row.same {
				t.Errorf("%s, %s: the proxies were\n%s\nand are\n%s", side, row.what, before, then)
			}
		}
	}
}

// TestRollbackKeepsTheRules requires that the map for all requests differs from
// the one with shares in these only: whoever asks for a version still gets it.
func TestRollbackKeepsTheRules(t *testing.T) {
	for side, balancer := range sides {
		for _, rollout := range []string{canaryOf("ghcr.io/acme/web:2", 5), coloursOf("blue", "ghcr.io/acme/web:1", "ghcr.io/acme/web:2")} {
			b, kept := blocksOf(t, rolloutRoot(t, releasing(balancer, rollout))), 0
			for address, found := range b {
				original := regexp.MustCompile(`_kept\b|_kept(_inside)`).ReplaceAllString(address, "$1")
				if original == address || b[original] == nil {
					continue
				}
				kept++
				of, m := part{found[0].Body, found[0]}, part{b[original][0].Body, b[original][0]}
				asked := m.texts("path_matcher.route_rules.match_rules.header_matches.header_name")
				if got := once(of.texts("path_matcher.route_rules.match_rules.header_matches.header_name")); len(got) != 1 || len(asked) == 0 || got[0] != asked[0] {
					t.Errorf("%s: %s: by %v instead of %v", side, address, got, asked)
				}
				if of.source("host_rule.hosts") != m.source("host_rule.hosts") {
					t.Errorf("%s: %s is for other hosts than %s", side, address, original)
				}
				for _, rule := range []string{"path_matcher.default_route_action.fault_injection_policy.abort.http_status", "path_matcher.route_rules.match_rules.prefix_match", "path_matcher.route_rules.match_rules.full_path_match"} {
					if got, want := once(of.texts(rule)), once(m.texts(rule)); !slices.Equal(got, want) {
						t.Errorf("%s: %s has %v as %s, and %s has %v", side, address, got, rule, original, want)
					}
				}
			}
			if kept == 0 {
				t.Errorf("%s: no map for all requests in\n%s", side, rollout)
			}
		}
	}
}

func once(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// TestCallersThatStayAreSaid requires a warning where callers reach a colour
// without the proxies that an alarm turns.
func TestCallersThatStayAreSaid(t *testing.T) {
	text := releasing(sides["from the internet"], coloursOf("blue", "ghcr.io/acme/web:1", "ghcr.io/acme/web:2"))
	text = strings.Replace(text, "needs = [service.web]", "needs = [service.web]\n  circuit_breaker {}", 1)
	_, diags := renderText(t, text, "", "gcp")
	if diags.HasErrors() || !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return codeOf(d) == "blue_green_deployment.callers_stay" }) {
		t.Errorf("nothing is said of callers that stay: %v", diags)
	}
}
