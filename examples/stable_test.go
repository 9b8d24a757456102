package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/cmd/project"
	"scaffold/render"
)

const stableBase = `blueprint "shop" {}

target "aws" {
  region = "eu-west-1"
}

target "gcp" {
  region = "europe-west1"
}

database "orders" {
  storage = "200GiB"
  memory  = "32GiB"
  read_replicas {
    count = 3
  }
}

database "archive" {
  memory = "32GiB"
  database_sharding {
    key   = "customer_id"
    count = 4
  }
}

cache "sessions" {
  memory = "4GiB"
}

service "web" {
  image = "ghcr.io/acme/web:1"
  port  = 8080
  needs = [database.orders, cache.sessions]
  pool  = 5
  auto_scaling_group {
    max = 6
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
}

service "api" {
  image = "ghcr.io/acme/api:1"
  port  = 8080
  needs = [database.archive]
  pool  = 5
  auto_scaling_group {
    max = 6
  }
}
`

// identity are the arguments that a cloud knows a resource by: another value is
// another resource.
var identity = []string{"name", "name_prefix", "identifier", "cluster_identifier", "bucket", "replication_group_id", "account_id", "cluster_id", "instance_id", "base_instance_name", "alias"}

// TestStableAddresses changes one thing of a blueprint and requires that no
// other resource's address or identity moves.
func TestStableAddresses(t *testing.T) {
	changes := map[string]struct {
		edit func(string) string
		gone string // what may disappear: addresses that hold this
	}{
		"add a service": {edit: func(s string) string {
			return s + "\nservice \"jobs\" {\n  image = \"ghcr.io/acme/jobs:1\"\n  port = 8080\n  needs = [database.orders, cache.sessions]\n  pool = 5\n  auto_scaling_group {\n    max = 6\n  }\n}\n"
		}},
		"add a component before the others": {edit: func(s string) string {
			return strings.Replace(s, "database \"orders\"", "cache \"aaa\" {\n  memory = \"2GiB\"\n}\n\ndatabase \"orders\"", 1)
		}},
		"add a replica":     {edit: replacing("count = 3", "count = 4")},
		"remove a replica":  {edit: replacing("count = 3", "count = 2")},
		"larger group":      {edit: replacing("max = 6", "max = 7")},
		"more storage":      {edit: replacing("200GiB", "300GiB")},
		"another image":     {edit: replacing("web:1", "web:2")},
		"remove a client":   {edit: replacing("needs = [database.orders, cache.sessions]", "needs = [database.orders]"), gone: "sessions"},
		"swap two services": {edit: swapServices},
		"rename a service":  {edit: replacing("service \"api\" {", "service \"backend\" {\n  was = \"api\""), gone: "api"},
	}
	for _, target := range []string{"aws", "gcp"} {
		base := resources(t, stableBase, target)
		for name, change := range changes {
			t.Run(target+"/"+name, func(t *testing.T) {
				after := resources(t, change.edit(stableBase), target)
				for address, before := range base {
					now, ok := after[address]
					if !ok {
						if change.gone == "" || !strings.Contains(address, change.gone) {
							t.Errorf("%s is gone", address)
						}
						continue
					}
					for _, key := range identity {
						if before[key] != now[key] {
							t.Errorf("%s: %s was %s and is %s", address, key, before[key], now[key])
						}
					}
				}
			})
		}
	}
}

func replacing(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func swapServices(s string) string {
	i := strings.Index(s, "service \"web\"")
	j := strings.Index(s, "service \"api\"")
	return s[:i] + s[j:] + "\n" + s[i:j]
}

// resources maps the address of every resource to the text of its arguments.
func resources(t *testing.T, text, target string) map[string]map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scaffold.hcl")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, diags := project.Open(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Render(project.Selection{Target: target})
	if diags.HasErrors() {
		t.Fatal(firstErrors(diags))
	}
	out := map[string]map[string]string{}
	for _, f := range roots[0].Result.Files {
		if f.Form == render.Config {
			addResources(t, out, f)
		}
	}
	return out
}

func addResources(t *testing.T, out map[string]map[string]string, f *render.File) {
	t.Helper()
	parsed, diags := hclsyntax.ParseConfig(f.Data, f.Path, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		if block.Type != "resource" {
			continue
		}
		attrs := map[string]string{}
		for name, attr := range block.Body.Attributes {
			attrs[name] = string(attr.Expr.Range().SliceBytes(f.Data))
		}
		if _, ok := attrs["count"]; ok && !slices.Contains(block.Labels, "toggle") {
			t.Errorf("%s: %s is counted; named things go by for_each", f.Path, strings.Join(block.Labels, "."))
		}
		out[strings.Join(block.Labels, ".")] = attrs
	}
}
