package examples_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const stableBase = `blueprint "shop" {}

target "aws" {
  region     = "eu-west-1"
  zone_names = ["eu-west-1a", "eu-west-1c"]
}

target "gcp" {
  region     = "europe-west1"
  zone_names = ["europe-west1-b", "europe-west1-d"]
}

target "kubernetes" {}

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
    key    = "customer_id"
    tables = ["events"]
  }
}

cache "sessions" {
  memory = "4GiB"
  zones  = 2
}

service "web" {
  image        = "ghcr.io/acme/web:1"
  needs        = [database.orders, cache.sessions, service.api]
  pool         = 5
  zones        = 2
  availability = 99
  auto_scaling_group {
    max = 6
  }
  elastic_load_balancing {
    domain = "shop.example.com"
    paths  = ["/cart/*", "/shop/*"]
  }
}

service "api" {
  image        = "ghcr.io/acme/api:1"
  needs        = [database.archive]
  pool         = 5
  zones        = 2
  availability = 99
  auto_scaling_group {
    max = 6
  }
}
`

const anotherService = `
service "jobs" {
  image        = "ghcr.io/acme/jobs:1"
  needs        = [database.orders, database.archive, cache.sessions, service.api]
  pool         = 5
  zones        = 2
  availability = 99
  auto_scaling_group {
    max = 6
  }
}
`

// change is one change of a blueprint.
type change struct {
	edit func(string) string
	// gone are the addresses that may disappear, and moved the addresses whose
	// identity may change, by a regular expression; empty for none.
	gone, moved string
	// targets the change is for; all if empty.
	targets []string
	// new must be among the addresses that are new; "" requires none.
	new string
}

// changes are what is changed. On Kubernetes a rollout is another kind of thing
// than a deployment, and on Google Cloud a balancer for callers goes once they
// break their calls by themselves.
var changes = map[string]change{
	"add a service":                      {edit: adding(anotherService), new: "jobs"},
	"add a service before the others":    {edit: before(`database "orders"`, anotherService), new: "jobs"},
	"add a second cache":                 {edit: before(`cache "sessions"`, "cache \"aaa\" {\n  memory = \"2GiB\"\n  zones  = 2\n}\n\n"), new: "aaa"},
	"add a second database":              {edit: before(`database "orders"`, "database \"aaa\" {\n  memory = \"8GiB\"\n}\n\n"), new: "aaa"},
	"give a client the new database":     {edit: sequence(adding("\ndatabase \"zzz\" {\n  memory = \"8GiB\"\n}\n"), replacing("needs        = [database.archive]", "needs        = [database.zzz, database.archive]")), new: "zzz"},
	"add a replica":                      {edit: replacing("count = 3", "count = 4"), new: `\["4"\]|^$`},
	"remove the last replica":            {edit: replacing("count = 3", "count = 2"), gone: `orders_.*\["3(-.*)?"\]`},
	"remove the middle replica":          {edit: replacing("count = 3", "count = 2\n    names = [\"1\", \"3\"]"), gone: `orders_.*\["2(-.*)?"\]`, targets: clouds},
	"name shards that have only numbers": {edit: naming(`shard "s00" { from = 0, to = 255 }`, `shard "s01" { from = 256, to = 511 }`, `shard "s02" { from = 512, to = 767 }`, `shard "s03" { from = 768, to = 1023 }`), targets: clouds},
	"add a shard": {
		edit:    naming(`shard "s00" { from = 0, to = 255 }`, `shard "s01" { from = 256, to = 511 }`, `shard "s02" { from = 512, to = 767 }`, `shard "s03" { from = 768, to = 895 }`, `shard "s04" { from = 896, to = 1023 }`),
		targets: clouds, moved: `archive.*\["s03"\]`, new: "s04",
	},
	"remove the middle shard": {
		edit:    naming(`shard "s00" { from = 0, to = 255 }`, `shard "s02" { from = 256, to = 767 }`, `shard "s03" { from = 768, to = 1023 }`),
		targets: clouds, moved: `archive.*\["s02"\]`, gone: `archive.*\["s01([-/].*)?"\]`,
	},
	"add a zone between the others": {edit: sequence(replacing(`"eu-west-1a", `, `"eu-west-1a", "eu-west-1b", `), replacing(`"europe-west1-b", `, `"europe-west1-b", "europe-west1-c", `)), targets: clouds, new: `\["eu-west-1b"\]|^$`},
	"add a path before the others":  {edit: replacing(`["/cart/*"`, `["/basket/*", "/cart/*"`)},
	"add a zone before the others":  {edit: sequence(replacing(`["eu-west-1a", `, `["eu-west-1b", "eu-west-1a", `), replacing(`["europe-west1-b", `, `["europe-west1-c", "europe-west1-b", `)), targets: clouds, new: `\["eu-west-1b"\]|^$`},
	"put all in another order":      {edit: sequence(swapping(`service "web"`, `service "api"`), swapping(`database "orders"`, `database "archive"`), swapping(`cache "sessions"`, `service "api"`), swapping(`database "archive"`, `service "web"`))},
	"balance another service":       {edit: replacing("needs        = [database.archive]", "needs        = [database.archive]\n  elastic_load_balancing {\n    domain = \"api.example.com\"\n  }"), new: "api", gone: `^google_.*\.api_inside$|internal$`},
	"larger group":                  {edit: replacing("max = 6", "max = 7")},
	"more storage":                  {edit: replacing("200GiB", "300GiB")},
	"another image":                 {edit: replacing("web:1", "web:2")},
	"remove a client":               {edit: replacing("database.orders, cache.sessions, service.api]", "database.orders, service.api]"), gone: "sessions"},
	"remove a service":              {edit: without(`service "api"`, "service.api"), gone: `api|service_discovery|proxies$|internal$`},
	"swap two services":             {edit: swapping(`service "web"`, `service "api"`)},
	"swap two databases":            {edit: swapping(`database "orders"`, `database "archive"`)},
	"rename a service":              {edit: renaming("api", "backend", false), gone: "api", new: "backend"},
	"rename a service that was":     {edit: renaming("api", "backend", true), gone: "api", new: "backend"},
	"rename a cache that was":       {edit: renaming("sessions", "baskets", true), gone: "sessions", new: "baskets"},
	"roll one service out":          {edit: replacing("auto_scaling_group {\n    max = 6", "rolling_updates {}\n  auto_scaling_group {\n    max = 6"), new: "web|^$", gone: `^Deployment/shop/web$`, moved: `^ScaledObject/shop/web$`},
	"break the calls of one":        {edit: replacing("auto_scaling_group {\n    max = 6", "circuit_breaker {}\n  auto_scaling_group {\n    max = 6"), new: "web|^$", gone: `^google_.*\.api_inside$`},
	"pool one database":             {edit: before(`cache "sessions"`, "database \"books\" {\n  memory = \"8GiB\"\n  connection_pooling {}\n}\n"), new: "books"},
	"watch the cache":               {edit: replacing("memory = \"4GiB\"", "memory = \"4GiB\"\n  in_memory_caching {}"), new: "sessions|^$"},
}

var clouds = []string{"aws", "gcp"}

// TestStableAddresses changes one thing of a blueprint and requires that no
// other thing's address or identity moves.
func TestStableAddresses(t *testing.T) {
	for _, target := range []string{"aws", "gcp", "kubernetes"} {
		base := stableThings(t, stableBase, target)
		if len(base) < 40 {
			t.Fatalf("%s: only %d things are made", target, len(base))
		}
		for name, c := range changes {
			if len(c.targets) > 0 && !slices.Contains(c.targets, target) {
				continue
			}
			t.Run(target+"/"+name, func(t *testing.T) {
				t.Parallel()
				text := c.edit(stableBase)
				if text == stableBase {
					t.Fatal("nothing is changed")
				}
				compareThings(t, base, stableThings(t, text, target), c)
			})
		}
	}
}

func compareThings(t *testing.T, base, after things, c change) {
	t.Helper()
	may := func(pattern, address string) bool {
		return pattern != "" && regexp.MustCompile(pattern).MatchString(address)
	}
	for _, address := range slices.Sorted(maps.Keys(base)) {
		now, ok := after[address]
		if !ok {
			if !may(c.gone, address) {
				t.Errorf("%s is gone", address)
			}
			continue
		}
		for key, was := range base[address] {
			if now[key] != was && !may(c.moved, address) {
				t.Errorf("%s: %s was %s and is %s", address, key, was, now[key])
			}
		}
	}
	var added []string
	for address := range after {
		if _, ok := base[address]; !ok {
			added = append(added, address)
		}
	}
	if c.new != "" && !may(c.new, strings.Join(added, "\n")) {
		t.Errorf("nothing new is there of %s: %v", c.new, added)
	}
}

// TestRenamedIsMoved requires that Terraform moves every resource of a component
// that says what it was.
func TestRenamedIsMoved(t *testing.T) {
	for _, target := range clouds {
		for _, row := range []struct{ from, to string }{{"api", "backend"}, {"sessions", "baskets"}} {
			text := renaming(row.from, row.to, true)(stableBase)
			roots, diags := renderText(t, text, "", target)
			if diags.HasErrors() {
				t.Fatal(firstErrors(diags))
			}
			moved := map[string]bool{}
			for _, block := range blocksOf(t, roots[0].Result)["moved"] {
				moved[textsAt(block.Body, []string{"from"}, block)[0]] = true
			}
			before, diags := renderText(t, stableBase, "", target)
			if diags.HasErrors() {
				t.Fatal(firstErrors(diags))
			}
			old := regexp.MustCompile(`^[a-z0-9_]+\.` + row.from + `(_|$)`)
			for address, found := range blocksOf(t, before[0].Result) {
				if found[0].Type == "resource" && old.MatchString(address) && !moved[address] {
					t.Errorf("%s: %s is made anew", target, address)
				}
			}
			if len(moved) < 3 {
				t.Errorf("%s: only %d moves", target, len(moved))
			}
		}
	}
}

func stableThings(t *testing.T, text, target string) things {
	t.Helper()
	roots, diags := renderText(t, text, "", target)
	if diags.HasErrors() {
		t.Fatal(firstErrors(diags))
	}
	return thingsOf(t, roots[0].Result)
}

func replacing(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func adding(text string) func(string) string {
	return func(s string) string { return s + text }
}

func before(header, text string) func(string) string {
	return replacing(header, strings.TrimPrefix(text, "\n")+"\n"+header)
}

func sequence(edits ...func(string) string) func(string) string {
	return func(s string) string {
		for _, edit := range edits {
			s = edit(s)
		}
		return s
	}
}

// naming writes the shards of the archive out.
func naming(shards ...string) func(string) string {
	var b strings.Builder
	for _, s := range shards {
		head, rest, _ := strings.Cut(s, " { ")
		b.WriteString("\n    " + head + " {\n      " + strings.NewReplacer(", ", "\n      ", " }", "").Replace(rest) + "\n    }")
	}
	return replacing(`tables = ["events"]`, `tables = ["events"]`+b.String())
}

// block finds a block of the blueprint by its header.
func block(s, header string) (start, end int) {
	start = strings.Index(s, header)
	return start, start + strings.Index(s[start:], "\n}\n") + len("\n}\n")
}

func swapping(first, second string) func(string) string {
	return func(s string) string {
		a, b := block(s, first)
		c, d := block(s, second)
		return s[:a] + s[c:d] + s[b:c] + s[a:b] + s[d:]
	}
}

func without(header, reference string) func(string) string {
	return func(s string) string {
		a, b := block(s, header)
		return strings.ReplaceAll(s[:a]+s[b:], ", "+reference, "")
	}
}

// renaming gives a component another name, everywhere; was says so to Terraform.
func renaming(from, to string, was bool) func(string) string {
	return func(s string) string {
		header := ` "` + to + `" {`
		s = strings.ReplaceAll(s, ` "`+from+`" {`, header)
		s = strings.ReplaceAll(s, "."+from, "."+to)
		if was {
			s = strings.Replace(s, header, header+"\n  was = \""+from+"\"", 1)
		}
		return s
	}
}

// TestIdentitiesAreRead holds some of what the tests above compare, so that they
// do not compare nothing.
func TestIdentitiesAreRead(t *testing.T) {
	for _, row := range []struct{ target, address, key, want string }{
		{"aws", `aws_subnet.private["eu-west-1c"]`, "cidr_block 0", `"10.0.64.0/19"`},
		{"aws", `aws_db_instance.orders_replica["2"]`, "identifier 0", `"shop-orders-replica-2"`},
		{"aws", `aws_dynamodb_table_item.archive["s02"]`, "item 0", ``},
		{"aws", `aws_autoscaling_group.web`, "name 0", `"shop-web"`},
		{"gcp", `google_sql_database_instance.orders_replica["2"]`, "name 0", ``},
		{"kubernetes", "Service/shop/web", "spec.selector", ``},
	} {
		known, ok := stableThings(t, stableBase, row.target)[row.address]
		if got := known[row.key]; !ok || got == "" || (row.want != "" && got != row.want) {
			t.Errorf("%s: %s: %s is %q in %v", row.target, row.address, row.key, got, known)
		}
	}
}
