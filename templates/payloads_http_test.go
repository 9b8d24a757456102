package templates_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const policies = `
blueprint "shop" {}
target "kubernetes" {}
database "orders" {}
cache "products" {
  in_memory_caching {}
}
cache "pages" {
  engine       = "memcached"
  availability = 99
  in_memory_caching {}
}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [database.orders, cache.products, cache.pages]
}
`

const sites = `
blueprint "shop" {}
target "kubernetes" {}
site "assets" {
  image    = "ghcr.io/acme/assets:1.4.2"
  peak_rps = 5000
  assets   = "/assets.v1/"
  cdn_distribution {
    domain      = "assets.example.com"
    browser_ttl = "30s"
    edge_ttl    = "10m"
    error_ttl   = "7s"
    key_headers = ["Accept-Language"]
  }
}
site "app" {
  single_page = true
}
site "front" {
  origin = service.web
  domain = "www.example.com"
  cdn_distribution {}
}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
}
`

const layers = `
blueprint "shop" {}
target "kubernetes" {}
cache "pages" {
  engine       = "redis"
  memory       = "512MiB"
  replicas     = 0
  availability = 99
}
database "orders" {}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [cache.pages, database.orders]
  elastic_load_balancing { domain = "shop.example.com" }
  multi_layer_caching_detailed {
    browser_ttl            = "1s"
    edge_ttl               = "2s"
    stale_while_revalidate = "1s"
    vary                   = ["Accept-Language"]
    private_paths          = ["/account/*", "/my.cart"]
    warm_paths             = ["/", "/shop?page=1&all=yes"]
  }
}
`

// fetch sends one request, with headers given in pairs.
func fetch(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// nginx serves the files of a site and returns its address.
func nginx(t *testing.T, r *rendered, site string) string {
	t.Helper()
	program := program(t, "nginx", "/usr/sbin")
	if _, err := os.Stat("/etc/nginx/mime.types"); err != nil {
		t.Skip(err)
	}
	dir, address := folder(t), "127.0.0.1:"+port(t)
	assets := filepath.Join(dir, "site", "assets.v1")
	if err := os.MkdirAll(assets, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "site", "index.html"), "<p>"+strings.Repeat("start ", 400))
	write(t, filepath.Join(dir, "site", "404.html"), "<p>not there")
	write(t, filepath.Join(assets, "app.12345678.js"), strings.Repeat("let x;\n", 400))
	config := write(t, filepath.Join(dir, "nginx.conf"), replaced(r.data(t, site)["nginx.conf"],
		" /tmp/", " "+dir+"/", "root /site;", "root "+dir+"/site;", "listen 8080;", "listen "+address+";", "127.0.0.1:8081", "127.0.0.1:"+port(t)))
	succeed(t, nil, program, "-t", "-e", dir+"/error.log", "-c", config)
	serve(t, nil, program, "-e", dir+"/error.log", "-c", config, "-g", "daemon off;")
	wait(t, "nginx listens", func() bool { return listening(address) })
	return "http://" + address
}

func TestSiteHeaders(t *testing.T) {
	base := nginx(t, render(t, sites), "assets")
	for _, row := range []struct {
		path   string
		status int
		cache  string
	}{
		{"/", 200, "public, max-age=30, s-maxage=600, stale-while-revalidate=30, stale-if-error=86400"},
		{"/index.html", 200, "public, max-age=30, s-maxage=600, stale-while-revalidate=30, stale-if-error=86400"},
		{"/assets.v1/app.12345678.js", 200, "public, max-age=31536000, immutable"},
		{"/assetsXv1/app.12345678.js", 404, "public, max-age=7, s-maxage=7"},
		{"/assets.v1/nothing.js", 404, "public, max-age=7, s-maxage=7"},
		{"/livez", 200, "no-store"},
	} {
		answer, _ := fetch(t, "GET", base+row.path)
		if answer.StatusCode != row.status {
			t.Errorf("%s: %d, not %d", row.path, answer.StatusCode, row.status)
		}
		if got := strings.Join(answer.Header.Values("Cache-Control"), " | "); got != row.cache {
			t.Errorf("%s: Cache-Control: %q, not %q", row.path, got, row.cache)
		}
		if row.path == "/livez" {
			continue
		}
		if got := answer.Header.Values("Strict-Transport-Security"); len(got) != 1 || got[0] != "max-age=31536000" {
			t.Errorf("%s: Strict-Transport-Security: %q", row.path, got)
		}
		if got := answer.Header.Values("Vary"); !strings.Contains(strings.Join(got, ","), "Accept-Language") {
			t.Errorf("%s: Vary: %q", row.path, got)
		}
	}
	if answer, _ := fetch(t, "GET", base+"/assets.v1/app.12345678.js", "Accept-Encoding", "gzip"); answer.Header.Get("Content-Encoding") != "gzip" {
		t.Error("a script is not compressed")
	}
	first, _ := fetch(t, "GET", base+"/")
	if again, _ := fetch(t, "GET", base+"/", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("a page that has not changed: %d", again.StatusCode)
	}
}

func TestSinglePage(t *testing.T) {
	base := nginx(t, render(t, sites), "app")
	if answer, body := fetch(t, "GET", base+"/some/route"); answer.StatusCode != 200 || !strings.HasPrefix(body, "<p>start") {
		t.Errorf("an unknown path: %d %.40s", answer.StatusCode, body)
	}
	if answer, _ := fetch(t, "GET", base+"/assets/nothing.js"); answer.StatusCode != 404 {
		t.Errorf("a script that is not there: %d", answer.StatusCode)
	}
}

// layered is an edge in front of a program that counts what reaches it.
type layered struct {
	r       *rendered
	pods    *pods
	url     string
	asked   atomic.Int64
	failing atomic.Bool
}

func newLayered(t *testing.T, net int) *layered {
	varnishd := program(t, "varnishd", "/usr/sbin")
	l := &layered{r: render(t, layers), pods: newPods(t, "shop.svc.cluster.local", net)}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/readyz" {
			if l.failing.Load() {
				w.WriteHeader(503)
			}
			return
		}
		n := l.asked.Add(1)
		switch {
		case l.failing.Load():
			w.WriteHeader(503)
			return
		case strings.HasPrefix(q.URL.Path, "/cookie"):
			w.Header().Set("Set-Cookie", "a=b")
		case strings.HasPrefix(q.URL.Path, "/long"):
			w.Header().Set("Cache-Control", "public, max-age=60")
		}
		w.Header().Set("Surrogate-Key", "all product:7")
		fmt.Fprintf(w, "%d %s %s", n, q.Header.Get("Accept-Language"), q.Header.Get("Cookie"))
	}))
	t.Cleanup(backend.Close)
	at, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	address := l.pods.move(t, "web-edge-peers")
	dir := folder(t)
	vcl := write(t, filepath.Join(dir, "default.vcl"), replaced(l.r.data(t, "web-edge")["default.vcl"],
		"web.shop.svc.cluster.local", at.Hostname(), `.port = "8080"`, `.port = "`+at.Port()+`"`, ".interval = 5s", ".interval = 200ms"))
	succeed(t, nil, varnishd, "-C", "-n", dir, "-f", vcl)
	var command []string
	for _, arg := range containerOf(t, l.r, "Deployment", "web-edge")["command"].([]any)[1:] {
		command = append(command, replaced(arg.(string), "0.0.0.0", address, "/tmp/varnish", filepath.Join(dir, "varnish"), "/etc/varnish/default.vcl", vcl, "malloc,1536m", "malloc,32m"))
	}
	serve(t, nil, varnishd, command...)
	l.url = "http://" + address + ":8080"
	wait(t, "the edge listens and the program is well", func() bool {
		if !listening(address + ":8080") {
			return false
		}
		answer, _ := fetch(t, "GET", l.url+"/account/ready")
		return answer.StatusCode == 200
	})
	return l
}

func containerOf(t *testing.T, r *rendered, kind, name string) map[string]any {
	return at(r.object(t, kind, name), "spec", "template", "spec", "containers", 0).(map[string]any)
}

func TestEdge(t *testing.T) {
	l := newLayered(t, 3)
	body := func(path string, headers ...string) string {
		answer, text := fetch(t, "GET", l.url+path, headers...)
		return fmt.Sprint(answer.StatusCode, " ", text)
	}

	first, text := fetch(t, "GET", l.url+"/page?a=1", "Cookie", "session=1")
	if want := "public, max-age=1, s-maxage=2, stale-while-revalidate=1, stale-if-error=600"; first.Header.Get("Cache-Control") != want {
		t.Errorf("Cache-Control: %q, not %q", first.Header.Get("Cache-Control"), want)
	}
	if strings.Contains(text, "session") {
		t.Error("a cookie reached the program for a page that is kept")
	}
	if first.Header.Get("Surrogate-Key") != "" {
		t.Error("keys are shown to everybody")
	}
	same := body("/page?a=1")
	if !strings.HasSuffix(same, text) {
		t.Errorf("the second answer is %q, the first was %q", same, text)
	}
	if body("/page?a=2") == same || body("/page?a=1", "Accept-Language", "de") == same {
		t.Error("another query or another language got the same answer")
	}
	if answer, _ := fetch(t, "GET", l.url+"/page?a=1", "X-Debug-Cache", "1"); !strings.HasPrefix(answer.Header.Get("X-Cache"), "edge; hit") || answer.Header.Get("Surrogate-Key") == "" {
		t.Errorf("who asks is not told: %q %q", answer.Header.Get("X-Cache"), answer.Header.Get("Surrogate-Key"))
	}
	for _, path := range []string{"/account/me", "/my.cart", "/cookie"} {
		if first := body(path); body(path) == first {
			t.Errorf("%s was kept", path)
		}
	}
	if body("/page?a=1", "Authorization", "x") == same {
		t.Error("an answer to somebody who is logged in was kept")
	}
	if first := body("/myXcart"); body("/myXcart") != first {
		t.Error("/myXcart was not kept")
	}

	time.Sleep(3500 * time.Millisecond) // lifetime and grace
	if body("/page?a=1") == same {
		t.Error("an answer outlived its time")
	}

	kept := body("/page?a=1")
	l.failing.Store(true)
	time.Sleep(4 * time.Second)
	if got := body("/page?a=1"); got != kept {
		t.Errorf("while the program fails: %q, not the old %q", got, kept)
	}
	l.failing.Store(false)
}

func TestInvalidator(t *testing.T) {
	redis, cli := program(t, "redis-server"), program(t, "redis-cli")
	program(t, "bash")
	l := newLayered(t, 4)
	address := l.pods.move(t, "pages")
	serve(t, nil, redis, "--bind", address, "--requirepass", "pass word's", "--save", "")
	wait(t, "the cache listens", func() bool { return listening(address + ":6379") })
	dir := folder(t)
	script := write(t, filepath.Join(dir, "invalidate.bash"), replaced(l.r.data(t, "web-invalidator")["invalidate.bash"],
		"pages.shop.svc", address, "/tmp/alive", filepath.Join(dir, "alive"), "10000 0 count", "1000 0 count"))
	env := l.pods.env("web-invalidator-0")
	serve(t, env, "bash", script)

	ask := func(args ...string) string {
		return strings.TrimSpace(succeed(t, env, cli, append([]string{"-h", address}, args...)...))
	}
	wait(t, "the invalidator has begun", func() bool { return strings.Contains(ask("exists", "web:invalidations"), "1") })
	page := func() string {
		_, text := fetch(t, "GET", l.url+"/long")
		return text
	}
	begin := page()
	ask("set", "product:7", "old")
	ask("set", "product:71", "other")
	if page() != begin {
		t.Fatal("the page is not kept")
	}
	ask("xadd", "web:invalidations", "*", "key", "product:7")
	wait(t, "cache and edge have forgotten", func() bool { return ask("exists", "product:7") == "0" && page() != begin })
	if ask("exists", "product:71") != "1" {
		t.Error("another key was thrown out")
	}
	wait(t, "the event is done with", func() bool { return strings.HasPrefix(ask("xpending", "web:invalidations", "invalidator"), "0") })
	next := page()
	ask("xadd", "web:invalidations", "*", "key", "product")
	ask("xadd", "web:invalidations", "*", "key", "bad key; | x")
	wait(t, "events that match nothing are done with", func() bool { return strings.HasPrefix(ask("xpending", "web:invalidations", "invalidator"), "0") })
	time.Sleep(500 * time.Millisecond)
	if page() != next {
		t.Error("a key threw out what only begins like it")
	}
}
