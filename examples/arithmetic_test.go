package examples_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// resolved computes the values of a blueprint for AWS.
func resolved(t *testing.T, text string) *blueprints.Model {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scaffold.hcl")
	if err := os.WriteFile(file, []byte("blueprint \"shop\" {}\ntarget \"aws\" {\n  region = \"eu-west-1\"\n}\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, diags := project.Open(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Resolve(project.Selection{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return roots[0].Model
}

func number(t *testing.T, m *blueprints.Model, path string) float64 {
	t.Helper()
	a := m.Find(path)
	if a == nil || a.Value().Type() != cty.Number {
		t.Fatalf("%s is no number", path)
	}
	n, _ := a.Value().AsBigFloat().Float64()
	return n
}

// TestRolloutsCount holds how many instances, and with them pools, a service is
// counted with at its largest: a rollout runs more than the maximum.
func TestRolloutsCount(t *testing.T) {
	for name, row := range map[string]struct {
		patterns string
		want     float64
	}{
		"the group's own replacement":    {"", 15},                         // 125 %
		"both colours":                   {"blue_green_deployment {}", 24}, // 200 %
		"stable and the largest canary":  {"canary_deployment {}", 18},     // 5, 25, 50 %
		"a canary of a tenth":            {"canary_deployment {\n    steps = [5, 10]\n  }", 14},
		"a rolling update":               {"rolling_updates {}", 15}, // 25 %
		"a larger surge":                 {"rolling_updates {\n    surge = 100\n  }", 24},
		"missing instances, none to add": {"rolling_updates {\n    unavailable = 25\n  }", 12},
	} {
		t.Run(name, func(t *testing.T) {
			m := resolved(t, fmt.Sprintf(`
service "web" {
  image     = "ghcr.io/acme/web:1"
  needs     = [database.orders]
  processes = 3
  auto_scaling_group {
    max = 12
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
  %s
}
database "orders" {}
`, row.patterns))
			if got := number(t, m, "service.web.peak_instances"); got != row.want {
				t.Errorf("%v instances at most, not %v", got, row.want)
			}
			pools := number(t, m, "database.orders.peak_pools")
			if pools != 3*row.want {
				t.Errorf("%v pools at most, not %v", pools, 3*row.want)
			}
			// The share is the largest that fits: one more each would be too many, unless 20 is the limit.
			pool, limit := number(t, m, "service.web.pool"), number(t, m, "database.orders.client_limit")
			if pools*pool > limit || (pool < 20 && pools*(pool+1) <= limit) {
				t.Errorf("a pool of %v for %v pools and %v connections", pool, pools, limit)
			}
		})
	}
}

// TestDerivedPoolsFit lets clients of one database grow at random and requires
// that what is derived keeps the database within its limit, as long as there is
// a connection for each.
func TestDerivedPoolsFit(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for n := range 20 {
		text := fmt.Sprintf("database \"orders\" {\n  memory = \"%dGiB\"\n}\n", 8<<random.IntN(4))
		for s := range 1 + random.IntN(5) {
			text += fmt.Sprintf("service \"s%d\" {\n  image     = \"ghcr.io/acme/s:1\"\n  needs     = [database.orders]\n  processes = %d\n  auto_scaling_group {\n    min = 3\n    max = %d\n  }\n}\n", s, 1+random.IntN(4), 4+random.IntN(20))
		}
		m := resolved(t, text)
		if used, limit := number(t, m, "database.orders.client_connections"), number(t, m, "database.orders.usable_connections"); used > limit {
			t.Errorf("%d: %v connections of %v\n%s", n, used, limit, text)
		}
	}
}

// TestRingsHoldEverySlotOnce requires that shards which are only counted share
// all slots, none twice, and as evenly as whole slots can be.
func TestRingsHoldEverySlotOnce(t *testing.T) {
	for _, count := range []int{2, 3, 4, 5, 7, 8, 16, 31, 64} {
		m := resolved(t, fmt.Sprintf("database \"orders\" {\n  database_sharding {\n    key   = \"customer_id\"\n    count = %d\n  }\n}\n", count))
		owner := map[int]string{}
		least, most := 1<<20, 0
		for it := m.Find("database.orders.database_sharding.ring").Value().ElementIterator(); it.Next(); {
			_, shard := it.Element()
			from, _ := shard.GetAttr("from").AsBigFloat().Int64()
			to, _ := shard.GetAttr("to").AsBigFloat().Int64()
			for slot := int(from); slot <= int(to); slot++ {
				if other, twice := owner[slot]; twice {
					t.Errorf("%d shards: slot %d belongs to %s and %s", count, slot, other, shard.GetAttr("name").AsString())
				}
				owner[slot] = shard.GetAttr("name").AsString()
			}
			least, most = min(least, int(to-from)+1), max(most, int(to-from)+1)
		}
		if len(owner) != 1024 || most-least > 1 {
			t.Errorf("%d shards: %d slots belong to one, %d to %d each", count, len(owner), least, most)
		}
	}
}
