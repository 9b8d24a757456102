package examples_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/cmd/project"
)

// The blueprints below are made at random, from a seed, within what the language
// allows: engines, sizes, names, counts and mixes of patterns. A rule may refuse
// one. Whatever is not refused has to render for every target and pass the
// providers' schemas.

// maker makes one blueprint.
type maker struct {
	*rand.Rand
	strings.Builder
	databases, caches, services []string
	cluster                     string
	names                       map[string]bool
}

func newMaker(seed uint64) *maker {
	return &maker{Rand: rand.New(rand.NewPCG(seed, 1)), names: map[string]bool{}}
}

func (m *maker) one(of ...string) string { return of[m.IntN(len(of))] }
func (m *maker) maybe(percent int) bool  { return m.IntN(100) < percent }

// name is a new component name; some are as long as a name may be.
func (m *maker) name(kind string) string {
	for {
		n := kind + fmt.Sprint(m.IntN(1000))
		if m.maybe(20) {
			n = kind + "-" + m.one("north", "south", "internal", "customer") + "-" + fmt.Sprint(m.IntN(100))
		}
		if m.maybe(10) {
			n = strings.TrimRight((n + "-of-the-longest-name-there-is")[:24], "-")
		}
		if !m.names[n] {
			m.names[n] = true
			return n
		}
	}
}

func blueprint(seed uint64) string {
	m := newMaker(seed)
	fmt.Fprintf(m, "blueprint \"random%d\" {\n", seed)
	if m.maybe(60) {
		fmt.Fprintf(m, "  profile = %q\n", m.one("high-availability", "high-performance", "scalability", "safe-deployment"))
	}
	m.WriteString("}\n\ntarget \"aws\" {\n  region = \"eu-west-1\"\n}\n\ntarget \"gcp\" {\n  region = \"europe-west1\"\n}\n\ntarget \"kubernetes\" {}\n")
	for range m.IntN(3) {
		m.database()
	}
	for range m.IntN(3) {
		m.cache()
	}
	if m.maybe(50) {
		m.cluster = m.name("c")
		fmt.Fprintf(m, "\ncluster %q {\n", m.cluster)
		if m.maybe(60) {
			m.WriteString("  service_mesh {}\n")
		}
		m.WriteString("}\n")
	}
	for range 1 + m.IntN(4) {
		m.service()
	}
	if m.maybe(20) {
		fmt.Fprintf(m, "\nsite %q {\n  cdn_distribution {\n    domain = \"static%d.example.com\"\n  }\n}\n", m.name("site"), seed)
	}
	return m.String()
}

func (m *maker) database() {
	name := m.name("db")
	m.databases = append(m.databases, name)
	fmt.Fprintf(m, "\ndatabase %q {\n  engine  = %q\n  memory  = \"%dGiB\"\n  storage = \"%dGiB\"\n", name, m.one("postgres", "postgres", "mysql"), 4<<m.IntN(5), 50*(1+m.IntN(20)))
	if m.maybe(30) {
		m.WriteString("  flavour = \"cluster\"\n")
	}
	if m.maybe(30) {
		fmt.Fprintf(m, "  read_replicas {\n    count = %d\n  }\n", 1+m.IntN(3))
	}
	switch m.IntN(5) {
	case 0:
		m.WriteString("  connection_pooling {}\n")
	case 1:
		m.WriteString("  database_connection_pooling {}\n")
	case 2:
		if m.maybe(50) {
			fmt.Fprintf(m, "  database_sharding {\n    key   = \"customer_id\"\n    count = %d\n  }\n", 2<<m.IntN(2))
		}
	}
	m.WriteString("}\n")
}

func (m *maker) cache() {
	name := m.name("cache")
	m.caches = append(m.caches, name)
	fmt.Fprintf(m, "\ncache %q {\n", name)
	switch m.IntN(4) {
	case 0:
		fmt.Fprintf(m, "  redis_cluster {\n    shards   = %d\n    replicas = %d\n  }\n", 3+m.IntN(3), 1+m.IntN(2))
	case 1:
		fmt.Fprintf(m, "  memory = \"%dGiB\"\n  in_memory_caching {}\n", 1+m.IntN(12))
	case 2:
		fmt.Fprintf(m, "  engine = %q\n  memory = \"%dGiB\"\n", m.one("redis", "valkey", "memcached"), 1+m.IntN(12))
	default:
		fmt.Fprintf(m, "  memory = \"%dGiB\"\n", 1+m.IntN(12))
	}
	m.WriteString("}\n")
}

func (m *maker) service() {
	name := m.name("s")
	var needs []string
	for _, d := range m.databases {
		if m.maybe(60) {
			needs = append(needs, "database."+d)
		}
	}
	for _, c := range m.caches {
		if m.maybe(60) {
			needs = append(needs, "cache."+c)
		}
	}
	for _, s := range m.services {
		if m.maybe(30) {
			needs = append(needs, "service."+s)
		}
	}
	pods := m.cluster != "" && m.maybe(50)
	fmt.Fprintf(m, "\nservice %q {\n  image  = \"ghcr.io/acme/%s:%d.%d\"\n  port   = %d\n  cpu    = %d\n  memory = \"%dGiB\"\n  needs  = [%s]\n",
		name, m.one("web", "api", "worker"), m.IntN(5), m.IntN(10), 1024+m.IntN(60000), 1+m.IntN(4), 1+m.IntN(8), strings.Join(needs, ", "))
	if pods {
		fmt.Fprintf(m, "  runs_on = cluster.%s\n", m.cluster)
	}
	m.scaling(pods)
	if m.maybe(60) {
		fmt.Fprintf(m, "  elastic_load_balancing {\n    domain = \"%s.example.com\"\n  }\n", name)
		switch m.IntN(4) {
		case 0:
			m.WriteString("  blue_green_deployment {}\n")
		case 1:
			m.WriteString("  canary_deployment {}\n")
		case 2:
			m.WriteString("  rolling_updates {}\n")
		}
	} else if m.maybe(40) {
		m.WriteString("  rolling_updates {}\n")
	}
	if m.maybe(40) {
		m.WriteString(m.one("  circuit_breaker {}\n", "  circuit_breaker_advanced {}\n"))
	}
	m.WriteString("}\n")
	m.services = append(m.services, name)
}

func (m *maker) scaling(pods bool) {
	least := 3 + m.IntN(3)
	switch {
	case pods && m.maybe(70):
		fmt.Fprintf(m, "  horizontal_pod_autoscaler {\n    min = %d\n    max = %d\n  }\n", least, least+1+m.IntN(20))
	case !pods && m.maybe(85):
		fmt.Fprintf(m, "  auto_scaling_group {\n    min = %d\n    max = %d\n  }\n", least, least+1+m.IntN(20))
	}
}

// refusals are the summaries of diagnostics by which a blueprint is refused for
// good reason; anything else is a mistake of a pack or of scaffold.
var refusals = []string{"Rule not met", "Patterns that do not go together"}

func refused(diags hcl.Diagnostics) bool {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		known := false
		for _, r := range refusals {
			known = known || strings.HasPrefix(d.Summary, r)
		}
		if !known {
			return false
		}
	}
	return true
}

// seeds is how many blueprints are made.
func seeds() uint64 {
	return map[string]uint64{"quick": 30, "ci": 60, "all": 200}[depth()]
}

func TestRandomBlueprints(t *testing.T) {
	for _, target := range []string{"aws", "gcp", "kubernetes"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			refusedCount := 0
			for seed := range seeds() {
				text := blueprint(seed)
				diags := tryRender(t, text, target)
				switch {
				case !diags.HasErrors():
				case refused(diags):
					refusedCount++
					t.Logf("seed %d: %s", seed, firstErrors(diags))
				default:
					t.Errorf("seed %d:\n%s\n%s", seed, firstErrors(diags), text)
				}
			}
			t.Logf("%d of %d were refused by a rule", refusedCount, seeds())
			if refusedCount > int(seeds())/2 {
				t.Errorf("more than half of the blueprints were refused, so little was tested")
			}
		})
	}
}

func tryRender(t *testing.T, text, target string) hcl.Diagnostics {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scaffold.hcl")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, diags := project.Open(file)
	if diags.HasErrors() {
		return diags
	}
	_, diags = p.Render(project.Selection{Target: target})
	return diags
}

func firstErrors(diags hcl.Diagnostics) string {
	var b strings.Builder
	n := 0
	for _, d := range diags {
		if d.Severity == hcl.DiagError && n < 5 {
			fmt.Fprintln(&b, d)
			n++
		}
	}
	return b.String()
}
