package examples_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// random is a blueprint made at random, and the environment to render of it.
type random struct{ text, environment string }

// blueprint makes the blueprint of a seed: targets, components and patterns with
// engines, sizes, names and counts that the language allows. It knows the rules
// that nearly every mix would break (what a blueprint of a person would rarely
// do), and leaves the others to the rules.
func blueprint(seed uint64) random {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 1)), more: rand.New(rand.NewPCG(seed, 2)), names: map[string]bool{}, owner: map[string]component{}}
	m.block(fmt.Sprintf("blueprint \"random%d\"", seed), func() {
		if m.maybe(60) {
			m.set("profile", quoted(m.one("high-availability", "high-performance", "scalability", "safe-deployment")))
		}
		if m.maybe(50) {
			m.set("labels", `{ team = "shop", cost-centre = "4711" }`)
		}
	})
	m.targets()
	for range m.IntN(4) {
		m.database()
	}
	for range m.IntN(4) {
		m.cache()
	}
	if m.maybe(50) {
		m.cluster()
	}
	if m.maybe(25) {
		m.site("")
	}
	for range 1 + m.IntN(5) {
		m.service()
	}
	environment := m.environment()
	return random{m.String(), environment}
}

// maker writes a blueprint from front to back.
type maker struct {
	*rand.Rand
	more *rand.Rand // for what was added later: it leaves the other draws as they are
	strings.Builder
	depth int

	databases, caches, services, sites []string
	clusterName                        string
	names                              map[string]bool
	owner                              map[string]component
}

// component is what has to be known of it to write the rest, and later components.
type component struct {
	memcached bool // a cache that tells nobody of changes

	pods, mesh, http bool
	scaled           int  // the most instances
	layer7           bool // a balancer reads its requests
	named            bool // by which the world can reach it
	edge             bool // keeps its answers
}

func (m *maker) one(of ...string) string { return of[m.IntN(len(of))] }
func (m *maker) maybe(percent int) bool  { return m.IntN(100) < percent }
func (m *maker) from(least, most int) int {
	return least + m.IntN(most-least+1)
}

// some are the members of a list that a draw each has chosen.
func (m *maker) some(percent int, of []string) []string {
	var out []string
	for _, s := range of {
		if m.maybe(percent) {
			out = append(out, s)
		}
	}
	return out
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func (m *maker) block(head string, body func()) {
	fmt.Fprintf(m, "%s%s {\n", strings.Repeat("  ", m.depth), head)
	m.depth++
	body()
	m.depth--
	fmt.Fprintf(m, "%s}\n", strings.Repeat("  ", m.depth))
}

func (m *maker) set(name string, value any) {
	fmt.Fprintf(m, "%s%s = %v\n", strings.Repeat("  ", m.depth), name, value)
}

// may sets an argument in some of the blueprints.
func (m *maker) may(percent int, name string, value any) {
	if m.maybe(percent) {
		m.set(name, value)
	}
}

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

// targets are all three, each with things that are there already: a network, a
// zone of names, certificates, keys, a bucket for the state.
func (m *maker) targets() {
	const certificate = "123456789012:certificate/11111111-2222-3333-4444-555555555555"
	email := `["oncall@example.com", "shop@example.com"]`
	m.block(`target "aws"`, func() {
		region := m.one("eu-west-1", "us-east-1", "ap-southeast-2")
		m.set("region", quoted(region))
		m.may(20, "account_id", `"123456789012"`)
		m.may(20, "architecture", `"arm64"`)
		m.may(30, "image", `"ami-0123456789abcdef0"`)
		if m.maybe(40) {
			m.set("hosted_zone_id", `"Z0123456789ABCDEFGHIJ"`)
			m.set("hosted_zone_name", `"example.com"`)
		}
		m.may(25, "certificate_arn", quoted("arn:aws:acm:"+region+":"+certificate))
		m.may(25, "edge_certificate_arn", quoted("arn:aws:acm:us-east-1:"+certificate))
		m.may(25, "kms_key_arn", quoted("arn:aws:kms:"+region+":123456789012:key/11111111-2222-3333-4444-555555555555"))
		m.may(40, "alert_emails", email)
		if m.maybe(25) {
			m.block("network", func() {
				m.set("vpc_id", `"vpc-0123456789abcdef0"`)
				m.set("public_subnets", `["subnet-0000000a1", "subnet-0000000a2", "subnet-0000000a3"]`)
				m.set("private_subnets", `["subnet-0000000b1", "subnet-0000000b2", "subnet-0000000b3"]`)
				m.may(50, "database_subnets", `["subnet-0000000c1", "subnet-0000000c2", "subnet-0000000c3"]`)
			})
		} else {
			m.may(30, "cidr", quoted(m.one("10.20.0.0/18", "172.16.0.0/16", "192.168.0.0/20")))
			m.may(30, "nat", `"one"`)
		}
		if m.maybe(25) {
			m.block("state", func() {
				m.set("bucket", `"acme-terraform-state"`)
				m.may(50, "key", `"shop/terraform.tfstate"`)
				m.may(30, "region", `"eu-central-1"`)
				m.may(30, "lock", false)
			})
		}
	})
	m.block(`target "gcp"`, func() {
		m.set("region", quoted(m.one("europe-west1", "us-central1")))
		m.may(50, "project", `"acme-shop"`)
		m.may(40, "dns_zone", `"example-com"`)
		m.set("billing_account", `"012345-6789AB-CDEF01"`)
		m.may(40, "alert_emails", email)
		if m.maybe(20) {
			m.block("network", func() {
				m.set("name", `"shared"`)
				m.set("subnetwork", `"shared-europe"`)
				m.may(50, "memorystore", true)
			})
		}
		if m.maybe(25) {
			m.block("state", func() { m.set("bucket", `"acme-terraform-state"`) })
		}
	})
	m.block(`target "kubernetes"`, func() {
		m.may(60, "backup_url", `"s3://acme-backups/shop"`)
		m.may(30, "cloud", quoted(m.one("aws", "gcp")))
		m.may(30, "alert_emails", email)
	})
}

func (m *maker) database() {
	name, engine := m.name("db"), m.one("postgres", "postgres", "mysql")
	flavour := m.one("server", "server", "cluster")
	m.databases = append(m.databases, name)
	m.block(fmt.Sprintf("database %q", name), func() {
		m.set("engine", quoted(engine))
		m.set("cpu", 2<<m.IntN(3))
		m.set("memory", fmt.Sprintf("\"%dGiB\"", 16<<m.IntN(3)))
		m.set("storage", fmt.Sprintf("\"%dGiB\"", 50*m.from(1, 20)))
		if flavour == "cluster" {
			m.set("flavour", quoted(flavour))
			if engine == "mysql" {
				m.set("version", `"8.0"`) // the newest that Aurora has
			}
		}
		if engine == "mysql" || flavour == "cluster" {
			m.block("kubernetes", func() { // its operator has neither
				m.set("engine", `"postgres"`)
				m.set("version", `"17"`)
				m.set("flavour", `"server"`)
			})
		}
		m.may(20, "deletion_protection", false)
		m.may(20, "backup_days", m.from(1, 35))
		m.may(20, "maintenance_day", quoted(m.one("monday", "wednesday", "saturday")))
		m.may(20, "maintenance_hour", m.from(4, 23))
		m.may(20, "idle_transaction_timeout", `"30s"`)
		if m.maybe(20) {
			m.sharding()
			return
		}
		if m.maybe(40) {
			m.block("read_replicas", func() {
				count := m.from(1, 3)
				m.set("count", count)
				m.may(30, "max_lag", `"60s"`)
				m.may(20, "read_own_writes", `"wait"`)
			})
		}
		switch m.IntN(4) {
		case 0:
			m.block("connection_pooling", func() { m.may(50, "max_clients", 4000) })
		case 1:
			m.block("database_connection_pooling", func() {
				m.may(50, "max_clients", 4000)
				m.may(30, "transaction_time", `"15ms"`)
				m.may(30, "leak_after", `"30s"`)
			})
		case 2:
			if m.maybe(40) {
				m.block("vertical_scaling", func() {
					m.may(30, "monthly_budget", 900)
					m.may(30, "snapshot_days", 30)
				})
			}
		}
	})
}

func (m *maker) sharding() {
	m.block("database_sharding", func() {
		m.set("key", `"customer_id"`)
		m.may(50, "tables", `["orders", "order_lines"]`)
		m.may(30, "key_type", `"uuid"`)
		if m.maybe(60) {
			m.set("count", m.from(2, 6))
			return
		}
		for i, shard := range []string{"north", "middle", "south"} {
			m.block(fmt.Sprintf("shard %q", shard), func() {
				m.set("from", []int{0, 341, 682}[i])
				m.set("to", []int{340, 681, 1023}[i])
			})
		}
	})
}

func (m *maker) cache() {
	name := m.name("cache")
	engine := m.one("valkey", "valkey", "redis", "memcached")
	holds := m.one("cache", "cache", "sessions", "queue")
	if engine == "memcached" {
		holds = "cache"
	}
	m.caches = append(m.caches, name)
	m.owner[name] = component{memcached: engine == "memcached"}
	m.block(fmt.Sprintf("cache %q", name), func() {
		m.may(70, "memory", fmt.Sprintf("\"%dGiB\"", m.from(1, 40)))
		if engine != "valkey" {
			m.set("engine", quoted(engine))
		}
		if holds != "cache" {
			m.set("holds", quoted(holds))
		}
		m.may(20, "maintenance_day", quoted(m.one("tuesday", "friday")))
		if engine == "memcached" {
			m.set("replicas", 0) // whatever the profile says
			m.set("availability", 99)
			if m.maybe(70) {
				m.block("in_memory_caching", func() { m.may(50, "ttl", `"5m"`) })
			}
			return
		}
		m.may(20, "backup_days", m.from(1, 35))
		switch m.IntN(3) {
		case 0:
			m.block("redis_cluster", func() {
				shards := m.from(3, 5)
				m.set("shards", shards)
				m.set("replicas", m.from(1, 2))
				m.may(60, "max_shards", shards)
			})
		case 1:
			if holds == "cache" {
				m.block("in_memory_caching", func() {
					m.may(30, "ttl", `"10m"`)
					m.may(30, "invalidation", `"expiry"`)
					m.may(30, "warm", false)
				})
			}
		default:
			m.may(30, "replicas", 2)
		}
	})
}

func (m *maker) cluster() {
	m.clusterName = m.name("c")
	m.block(fmt.Sprintf("cluster %q", m.clusterName), func() {
		m.may(30, "spot", 50)
		m.may(30, "admins", `["203.0.113.0/24"]`)
		m.may(20, "node_cpu", 8)
		if m.maybe(60) {
			m.block("service_mesh", func() {
				m.may(30, "mtls", `"permissive"`)
				m.may(20, "trace_percent", 5)
				m.may(20, "egress", `"declared"`)
			})
		}
	})
}

// site is one of files, or in front of a service.
func (m *maker) site(origin string) {
	name := m.name("site")
	m.block(fmt.Sprintf("site %q", name), func() {
		if origin == "" {
			m.sites = append(m.sites, name)
			m.block("kubernetes", func() { m.set("image", `"ghcr.io/acme/files:1.0.0"`) })
			m.may(30, "single_page", true)
		} else {
			m.set("origin", "service."+origin)
		}
		m.block("cdn_distribution", func() {
			m.set("domain", quoted(name+".example.com"))
			m.may(30, "audience", quoted(m.one("most", "world")))
			m.may(30, "firewall", true)
			m.may(20, "compress", false)
			m.may(20, "shield", false)
			m.may(20, "key_query", `["v", "page"]`)
			m.may(20, "hsts", `"0s"`)
			m.may(20, "monthly_budget", 300)
			m.may(20, "invalidate", `"manual"`)
		})
	})
}

func (m *maker) service() {
	name := m.name("s")
	c := component{pods: m.clusterName != "" && m.maybe(50), http: m.maybe(80)}
	protocol := "http"
	if !c.http {
		protocol = m.one("grpc", "tcp")
	}
	requests := protocol != "tcp"
	callees := m.callees(c.pods, requests)
	vertical := !c.pods && m.maybe(15)
	c.mesh = !c.pods && requests && !vertical && m.maybe(9)

	fmt.Fprintln(m)
	m.block(fmt.Sprintf("service %q", name), func() {
		m.set("image", fmt.Sprintf("\"ghcr.io/acme/%s:%d.%d\"", m.one("web", "api", "worker"), m.IntN(5), m.IntN(10)))
		m.set("port", m.from(1024, 65535))
		if protocol != "http" {
			m.set("protocol", quoted(protocol))
		} else {
			m.may(70, "keep_alive", `"620s"`)
		}
		if c.pods {
			m.set("runs_on", "cluster."+m.clusterName)
		}
		cached := m.needs(callees)
		m.may(70, "cpu", m.from(1, 4))
		m.may(70, "memory", fmt.Sprintf("\"%dGiB\"", m.from(1, 8)))
		m.may(20, "processes", 2)
		m.may(20, "pool_idle", `"2m"`)
		m.may(30, "environment", `{ LOG_LEVEL = "info", GREETING = "it's \"so\" $${far}" }`)
		m.may(30, "secrets", `{ API_TOKEN = "shop-api-token" }`)
		m.may(20, "idempotent", true)
		m.may(20, "boot_time", `"90s"`)
		if vertical {
			m.set("availability", 95)
			m.block("vertical_scaling", func() {
				m.may(50, "max_cpu", 16)
				m.may(30, "monthly_budget", 400)
				m.may(30, "disk", `"200GiB"`)
			})
		} else {
			c.scaled = m.scaling(c.pods, c.mesh)
		}
		m.balancing(name, protocol, vertical, cached, &c)
		m.rollout(c, vertical)
		if requests && len(callees) > 0 && m.maybe(60) || requests && m.maybe(20) {
			m.breaker(len(callees) > 0)
		}
		if c.mesh {
			m.block("service_mesh", func() {
				m.may(60, "mtls", `"permissive"`)
				m.may(20, "certificate_lifetime", `"48h"`)
			})
		}
	})
	m.services = append(m.services, name)
	m.owner[name] = c
	if c.named && c.http && m.maybe(25) {
		m.site(name)
	}
}

// callees are services that it can call: one breaks calls that it can read, and
// from outside of a cluster pods have to have a name.
func (m *maker) callees(pods, requests bool) []string {
	return m.some(30, filter(m.services, func(s string) bool {
		c := m.owner[s]
		return (!c.pods || pods || c.named) && (c.http || !requests) && (c.scaled <= 8 || !c.mesh)
	}))
}

func filter(list []string, keep func(string) bool) []string {
	var out []string
	for _, s := range list {
		if keep(s) {
			out = append(out, s)
		}
	}
	return out
}

// needs writes what the service needs, and tells whether a cache that can pass
// on what changes is among it.
func (m *maker) needs(callees []string) (cached bool) {
	var needs []string
	for _, d := range m.some(60, m.databases) {
		needs = append(needs, "database."+d)
	}
	for _, c := range m.some(60, m.caches) {
		needs = append(needs, "cache."+c)
		cached = cached || !m.owner[c].memcached
	}
	for _, s := range callees {
		needs = append(needs, "service."+s)
	}
	m.set("needs", "["+strings.Join(needs, ", ")+"]")
	return cached
}

// scaling gives the most instances.
func (m *maker) scaling(pods, mesh bool) int {
	least := m.from(3, 5)
	most := least + m.from(1, 20)
	if mesh {
		most = least + m.from(1, 3)
	}
	switch {
	case pods && m.maybe(75):
		m.block("horizontal_pod_autoscaler", func() {
			m.set("min", least)
			m.set("max", most)
			m.may(20, "target_cpu", 50)
			m.may(20, "target_memory", "null")
			m.may(20, "scale_down_wait", `"10m"`)
		})
	case !pods && m.maybe(85):
		m.block("auto_scaling_group", func() {
			m.set("min", least)
			m.set("max", most)
			m.may(20, "target_cpu", 40)
			m.may(20, "target_memory", "null")
			m.may(20, "forecast", quoted(m.one("off", "scale")))
			m.may(20, "max_lifetime", "null")
			m.may(20, "monthly_budget", 2000)
			if m.maybe(20) {
				m.set("spot", 50)
				m.set("standby", 0)
			} else {
				m.may(20, "standby", m.from(0, 3))
			}
			if m.maybe(25) {
				m.block(`schedule "morning"`, func() {
					m.set("cron", `"30 7 * * MON-FRI"`)
					m.set("min", least+1)
					m.may(50, "time_zone", `"Europe/Berlin"`)
					m.may(50, "duration", `"4h"`)
				})
			}
		})
	default:
		m.may(50, "replicas", least)
		return least
	}
	return most
}

func (m *maker) balancing(name, protocol string, vertical, cached bool, c *component) {
	if vertical || !m.maybe(65) {
		return
	}
	requests, domain := protocol != "tcp", name+".example.com"
	public := m.maybe(70)
	c.layer7 = requests
	c.edge = public && c.http && cached && m.maybe(50)
	c.named = public && requests
	body := func() {
		switch {
		case public && requests:
			m.set("domain", quoted(domain))
		case public:
			m.set("public", true)
		case c.http && cached && m.maybe(50) && !c.pods:
			// Only the edge reaches it.
			c.edge = true
			m.set("domain", quoted(domain))
			m.set("public", false)
		default:
			m.set("public", false)
		}
		if requests && m.more.IntN(100) < 12 {
			m.set("firewall", true)
		}
		if public && m.more.IntN(100) < 12 {
			m.set("reach", `"world"`)
		}
		m.may(20, "access_logs", false)
		m.may(20, "health_interval", `"10s"`)
		if c.http {
			m.may(15, "slow_start", `"60s"`)
			m.may(15, "websocket", true)
			m.may(15, "min_tls", `"1.3"`)
			m.may(15, "allow", `["203.0.113.0/24", "198.51.100.0/24"]`)
			m.may(15, "paths", `["/shop/*", "/api/*"]`)
		}
	}
	if m.maybe(60) {
		m.block("elastic_load_balancing", body)
	} else {
		m.block("load_balancer_types", func() {
			body()
			switch {
			case requests && !c.edge:
				m.may(30, "static_address", public)
				m.may(30, "private_link", !public)
			case !requests:
				m.may(40, "client_address", true)
				m.may(40, "latency_budget", `"2ms"`)
				m.may(30, "static_address", public)
			}
		})
	}
	if c.edge {
		m.edge(domain, public)
	}
}

// edge keeps answers in front of the balancer, under a name of its own where the
// balancer has one that anybody can reach.
func (m *maker) edge(domain string, public bool) {
	if public {
		domain = "www." + domain
	}
	pattern := m.one("multi_layer_caching", "multi_layer_caching_detailed")
	m.block(pattern, func() {
		m.set("domain", quoted(domain))
		m.may(30, "private_paths", `["/account/*"]`)
		m.may(20, "vary", `["Accept-Language", "Accept"]`)
		m.may(20, "stale_if_error", `"1h"`)
		if pattern == "multi_layer_caching_detailed" {
			m.may(50, "warm_paths", `["/", "/news"]`)
			if len(m.sites) > 0 {
				m.may(50, "fallback", "site."+m.sites[0])
			}
		}
	})
}
