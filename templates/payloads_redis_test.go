package templates_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const caches = `
blueprint "shop" {}
target "kubernetes" { backup_url = "s3://acme-backups/shop" }
cache "map" {
  engine = "redis"
  holds  = "sessions"
  memory = "512MiB"
  redis_cluster {
    max_shards   = 3
    node_timeout = "1s"
  }
}
cache "logins" {
  engine = "redis"
  holds  = "sessions"
  memory = "512MiB"
}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [cache.map, cache.logins]
}
`

// pods stand on addresses of the loopback interface. Their names are known to
// a getent of their own, as the cluster's DNS would know them.
type pods struct {
	dir    string
	shim   string
	domain string
	addr   map[string]string // name of a pod -> address
	next   int
	net    int
}

func newPods(t *testing.T, domain string, net int) *pods {
	p := &pods{dir: folder(t), domain: domain, addr: map[string]string{}, net: net}
	p.shim = filepath.Join(p.dir, "bin")
	if err := os.Mkdir(p.shim, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.shim, "getent"), "#!/bin/sh\nsed -n \"s/^$2 //p\" "+p.dir+"/hosts\n")
	return p
}

// move gives a pod an address that it did not have before.
func (p *pods) move(t *testing.T, name string) string {
	p.next++
	p.addr[name] = fmt.Sprintf("127.77.%d.%d", p.net, p.next)
	var hosts strings.Builder
	for name, addr := range p.addr {
		fmt.Fprintf(&hosts, "%s.%s %s\n", name, p.domain, addr)
	}
	write(t, filepath.Join(p.dir, "hosts"), hosts.String())
	return p.addr[name]
}

func (p *pods) env(name string) []string {
	return []string{
		"PATH=" + p.shim + ":" + os.Getenv("PATH"), "POD_NAME=" + name, "POD_IP=" + p.addr[name],
		"CACHE_PASSWORD=pass word's", "REDISCLI_AUTH=pass word's",
	}
}

// disk is a folder of the pod that outlasts it.
func (p *pods) disk(t *testing.T, name string) string {
	dir := filepath.Join(p.dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(dir, 0o777)
	return dir
}

func TestRedisCluster(t *testing.T) {
	redis, cli := program(t, "redis-server"), program(t, "redis-cli")
	program(t, "awk")
	r := render(t, caches)
	files := r.data(t, "map")
	p := newPods(t, "map.shop.svc.cluster.local", 1)
	scripts := p.disk(t, "scripts")
	for name, text := range files {
		write(t, filepath.Join(scripts, name), text)
	}
	bootstrap := write(t, filepath.Join(scripts, "bootstrap.sh"), r.data(t, "map-bootstrap")["bootstrap.sh"])
	args := at(r.object(t, "StatefulSet", "map"), "spec", "template", "spec", "containers", 0, "args").([]any)

	servers := map[string]*server{}
	start := func(name string) {
		addr, data := p.move(t, name), p.disk(t, name)
		command := []string{write(t, filepath.Join(scripts, name+".conf"), replaced(files["cache.conf"], "/data", data))}
		for _, arg := range args {
			command = append(command, replaced(arg.(string), "$(POD_NAME)", name, "$(POD_IP)", addr, "$(CACHE_PASSWORD)", "pass word's"))
		}
		// Names are for clients in a cluster; here they could not be looked up.
		command = append(command, "--bind", addr, "--cluster-preferred-endpoint-type", "ip")
		servers[name] = serve(t, p.env(name), redis, command...)
	}
	ask := func(name string, args ...string) string {
		out, _ := run(t, p.env(name), cli, append([]string{"-h", p.addr[name]}, args...)...)
		return strings.ReplaceAll(out, "\r", "")
	}
	script := func(name, file string) error {
		_, err := run(t, p.env(name), "sh", filepath.Join(scripts, file))
		return err
	}
	role := func(name string) string {
		if strings.Contains(ask(name, "info", "replication"), "role:master\n") {
			return "master"
		}
		return "slave"
	}
	names := make([]string, 6)
	for i := range names {
		names[i] = fmt.Sprintf("map-%d", i)
		start(names[i])
	}
	healthy := func() bool {
		for _, name := range names {
			if servers[name] == nil {
				continue
			}
			if !strings.Contains(ask(name, "cluster", "info"), "cluster_state:ok\n") {
				return false
			}
		}
		return true
	}
	ready := func() bool {
		for _, name := range names {
			if servers[name] != nil && script(name, "ready.sh") != nil {
				return false
			}
		}
		return true
	}

	wait(t, "nodes are alive and, alone, ready", func() bool {
		return script("map-0", "alive.sh") == nil && script("map-5", "alive.sh") == nil && ready()
	})
	succeed(t, p.env("map-0"), "sh", bootstrap)
	wait(t, "the cluster is ready", func() bool { return healthy() && ready() })
	if out := succeed(t, p.env("map-0"), "sh", bootstrap); !strings.Contains(out, "All 16384 slots covered") {
		t.Errorf("a second run of the bootstrap: %s", out)
	}

	const keys = 60
	for i := range keys {
		if out := ask("map-1", "-c", "set", fmt.Sprintf("key%d", i), fmt.Sprint(i)); !strings.Contains(out, "OK") {
			t.Fatalf("set: %s", out)
		}
	}
	all := func(from string) bool {
		for i := range keys {
			if out := ask(from, "-c", "get", fmt.Sprintf("key%d", i)); strings.TrimSpace(out) != fmt.Sprint(i) {
				return false
			}
		}
		return true
	}
	if !all("map-2") {
		t.Fatal("not all keys are there")
	}
	// The last second of writes may be lost with a primary.
	time.Sleep(1500 * time.Millisecond)

	servers["map-0"].kill()
	servers["map-0"] = nil
	wait(t, "a copy has taken over", func() bool { return healthy() && all("map-1") })

	start("map-0")
	if err := script("map-0", "join.sh"); err != nil {
		t.Errorf("join.sh: %s", err)
	}
	wait(t, "the lost primary is a copy, at a new address", func() bool { return role("map-0") == "slave" && healthy() && ready() })

	begin := time.Now()
	if err := script("map-1", "stop.sh"); err != nil {
		t.Errorf("stop.sh: %s", err)
	}
	if role("map-1") != "slave" {
		t.Error("stop.sh did not hand over")
	}
	t.Logf("a stopping primary has handed over: after %s", time.Since(begin).Round(100*time.Millisecond))

	dump := p.disk(t, "dump")
	backup := write(t, filepath.Join(scripts, "backup.sh"), replaced(r.data(t, "map-backup")["backup.sh"], append(hostPairs(p, names), "/backup", dump, "${1%%.*}", "$1")...))
	succeed(t, p.env("map-0"), "sh", backup)
	pictures, _ := filepath.Glob(filepath.Join(dump, "*.rdb"))
	if len(pictures) != 3 {
		t.Errorf("%d pictures of 3 shards: %s", len(pictures), pictures)
	}

	for _, name := range names {
		servers[name].kill()
	}
	for _, name := range names {
		start(name)
	}
	joined := make(chan error)
	for _, name := range names {
		env := p.env(name)
		go func() {
			_, err := run(t, env, "sh", filepath.Join(scripts, "join.sh"))
			joined <- err
		}()
	}
	for range names {
		if err := <-joined; err != nil {
			t.Errorf("join.sh: %s", err)
		}
	}
	wait(t, "all have moved and found each other", func() bool { return healthy() && ready() && all("map-3") })
}

// hostPairs replaces the names of pods by their addresses.
func hostPairs(p *pods, names []string) []string {
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, name+"."+p.domain, p.addr[name])
	}
	return pairs
}

func TestGuardedCache(t *testing.T) {
	program(t, "redis-server")
	cli, haproxy := program(t, "redis-cli"), program(t, "haproxy", "/usr/sbin")
	r := render(t, caches)
	files, guard := r.data(t, "logins"), r.data(t, "logins-guard")

	p := newPods(t, "logins-nodes.shop.svc.cluster.local", 2)
	names := []string{"logins-0", "logins-1"}
	guards := []string{"logins-guard-0", "logins-guard-1", "logins-guard-2"}
	var pairs []string
	for _, name := range names {
		pairs = append(pairs, name+"."+p.domain, p.move(t, name))
	}
	for _, name := range guards {
		pairs = append(pairs, name+".logins-guard.shop.svc.cluster.local", p.move(t, name))
	}
	front := p.move(t, "front")
	pairs = append(pairs,
		"$POD_NAME.logins-nodes.shop.svc.cluster.local", "$POD_IP",
		"$POD_NAME.logins-guard.shop.svc.cluster.local", "$POD_IP",
	)
	scripts := p.disk(t, "scripts")
	servers := map[string]*server{}
	node := func(name string) {
		data := p.disk(t, name)
		local := append([]string{"/etc/cache", data, "bind * -::*", "bind " + p.addr[name], "dir /data", "dir " + data}, pairs...)
		for file, text := range files {
			write(t, filepath.Join(data, file), replaced(text, local...))
		}
		servers[name] = serve(t, p.env(name), "sh", filepath.Join(data, "start.sh"))
	}
	watch := func(name string) {
		data := p.disk(t, name)
		local := append([]string{"/tmp", data, "port 26379", "port 26379\nbind " + p.addr[name]}, pairs...)
		write(t, filepath.Join(data, "guard.sh"), replaced(guard["guard.sh"], local...))
		servers[name] = serve(t, p.env(name), "sh", filepath.Join(data, "guard.sh"))
	}
	for _, name := range names {
		node(name)
	}
	for _, name := range guards {
		watch(name)
	}
	config := write(t, filepath.Join(scripts, "haproxy.cfg"), replaced(guard["haproxy.cfg"], append([]string{"bind :", "bind " + front + ":"}, pairs...)...))
	succeed(t, p.env("front"), haproxy, "-c", "-f", config)
	serve(t, p.env("front"), haproxy, "-W", "-db", "-f", config)

	ask := func(name string, args ...string) string {
		out, _ := run(t, p.env(name), cli, append([]string{"-h", p.addr[name]}, args...)...)
		return strings.ReplaceAll(out, "\r", "")
	}
	script := func(name, file string) error {
		_, err := run(t, p.env(name), "sh", filepath.Join(p.disk(t, name), file))
		return err
	}
	primary := func() string {
		for _, name := range names {
			if servers[name] != nil && strings.Contains(ask(name, "info", "replication"), "role:master\n") {
				return name
			}
		}
		return ""
	}
	inStep := func() bool {
		return strings.Contains(ask(primary(), "info", "replication"), "connected_slaves:1\n") &&
			script("logins-0", "ready.sh") == nil && script("logins-1", "ready.sh") == nil
	}
	agreed := func() bool {
		for _, name := range guards {
			known := ask(name, "-p", "26379", "sentinel", "master", "logins")
			if !strings.Contains(known, "num-other-sentinels\n2\n") || !strings.Contains(known, "num-slaves\n1\n") {
				return false
			}
		}
		return true
	}
	works := func() bool { return strings.Contains(ask("front", "set", "login", "anna"), "OK") }

	wait(t, "a primary with a copy, and guards that know each other", func() bool { return inStep() && agreed() })
	wait(t, "clients are led to the primary", works)

	lost := primary()
	servers[lost].kill()
	servers[lost] = nil
	// An attempt that fails is repeated after twice failover-timeout.
	wait(t, "the copy has taken over and clients are led to it", func() bool {
		return works() && strings.Contains(ask("front", "get", "login"), "anna")
	})
	node(lost)
	wait(t, "the lost primary is a copy", func() bool { return primary() != lost && inStep() })

	before := primary()
	// Sentinel waits between two changes.
	time.Sleep(3 * time.Second)
	begin := time.Now()
	if err := script(before, "stop.sh"); err != nil {
		t.Errorf("stop.sh: %s", err)
	}
	if primary() == before {
		t.Error("stop.sh did not hand over")
	}
	t.Logf("a stopping primary has handed over: after %s", time.Since(begin).Round(100*time.Millisecond))
	wait(t, "clients are led to the new primary", works)
}
