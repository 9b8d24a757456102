package templates_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"scaffold/providers/kubernetes/controlplane"
)

const databases = `
blueprint "shop" {
  labels = { team = "storefront" }
}
target "kubernetes" { backup_url = "gs://acme-backups/shop" }
cache "queue" {
  holds = "queue"
}
database "orders" {
  zones = 3
  read_replicas { count = 2 }
  connection_pooling {}
}
database "bills" {
  connection_pooling { pooler = "pgbouncer" }
}
database "full" {
  read_replicas { count = 1 }
  database_connection_pooling {}
}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [database.orders, database.bills, database.full, cache.queue]
}
`

const shards = `
blueprint "shop" {}
target "kubernetes" {}
database "events" {
  database_sharding {
    key              = "customer_id"
    tables           = ["events", "lines"]
    reference_tables = ["countries"]
    router           = "proxy"
  }
}
database "sales" {
  memory = "32GiB"
  read_replicas { count = 1 }
  connection_pooling {}
  database_sharding {
    key    = "customer_id"
    tables = ["sales"]
    count  = 2
    move "first" {
      from_shard = "s00"
      to_shard   = "s01"
      from       = 0
      to         = 9
    }
  }
}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [database.events, database.sales]
}
`

// everything are blueprints that together name whatever is kept in a cluster.
var everything = map[string]string{
	"databases": databases,
	"caches":    caches,
	"shards":    shards,
	"policies":  policies,
	"sites":     sites,
	"layers":    layers,
}

// folderOf writes the manifests of a blueprint into a folder.
func folderOf(t *testing.T, blueprint string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range render(t, blueprint).files {
		if filepath.Base(name) == "kustomization.yaml" || !strings.HasSuffix(name, ".yaml") {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAdmission(t *testing.T) {
	for name, blueprint := range everything {
		t.Run(name, func(t *testing.T) {
			c := controlplane.Start(t)
			dir := folderOf(t, blueprint)
			c.Namespaces(t, dir)
			c.DryRun(t, dir)
		})
	}
}

func TestScore(t *testing.T) {
	for name, blueprint := range everything {
		t.Run(name, func(t *testing.T) { controlplane.KubeScore(t, folderOf(t, blueprint)) })
	}
}
