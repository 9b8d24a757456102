package templates_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const pools = `
blueprint "shop" {}
target "kubernetes" {}
database "bills" {
  version              = "15"
  memory               = "1GiB"
  max_connections      = 40
  reserved_connections = 10
  read_replicas { count = 1 }
  database_connection_pooling {
    pooler       = "pgbouncer"
    size         = 24
    reserve      = 4
    wait_timeout = "4s"
  }
}
service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  needs = [database.bills]
}
`

// postgres runs a server with the rendered parameters and returns its folder,
// in which its socket is, and its port.
func postgres(t *testing.T, r *rendered) (string, string) {
	t.Helper()
	const versions = "/usr/lib/postgresql/*/bin"
	initdb, postgres, psql := program(t, "initdb", versions), program(t, "postgres", versions), program(t, "psql", versions)
	dir := folder(t)
	data := filepath.Join(dir, "data")
	secret := write(t, filepath.Join(dir, "password"), "pass\"word's\n")
	succeed(t, nil, initdb, "-D", data, "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+secret, "--no-sync", "--data-checksums")
	certificates(t, dir)
	p := port(t)
	args := []string{"-D", data, "-k", dir, "-p", p, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
		"-c", "ssl=on", "-c", "ssl_cert_file=" + dir + "/server.crt", "-c", "ssl_key_file=" + dir + "/server.key"}
	parameters := at(r.object(t, "Cluster", "bills"), "spec", "postgresql", "parameters").(map[string]any)
	for name, value := range parameters {
		args = append(args, "-c", fmt.Sprint(name, "=", value))
	}
	serve(t, nil, postgres, args...)
	ask := func(sql string) (string, error) {
		return run(t, nil, psql, "-h", dir, "-p", p, "-U", "postgres", "-XAtc", sql)
	}
	wait(t, "the server answers", func() bool {
		_, err := ask("select 1")
		return err == nil
	})
	for _, sql := range []string{
		`create role dbadmin login password 'pass"word''s'`,
		`create database bills owner dbadmin`,
	} {
		if out, err := ask(sql); err != nil {
			t.Fatal(out)
		}
	}
	return dir, p
}

// certificates writes a CA and a server's certificate for 127.0.0.1.
func certificates(t *testing.T, dir string) {
	t.Helper()
	sign := func(template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) []byte {
		template.SerialNumber = big.NewInt(time.Now().UnixNano())
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	caKey, key := newKey(), newKey()
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	write(t, filepath.Join(dir, "ca.crt"), string(sign(ca, ca, caKey, caKey)))
	write(t, filepath.Join(dir, "server.crt"), string(sign(&x509.Certificate{Subject: pkix.Name{CommonName: "bills-rw"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, ca, key, caKey)))
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, filepath.Join(dir, "server.key"), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if c := nobody(); c != nil {
		if err := os.Chown(file, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPooler puts three times as many clients on a pooler as it may have
// connections, and looks at what the server sees.
func TestPooler(t *testing.T) {
	pgbouncer, pgbench, psql := program(t, "pgbouncer", "/usr/sbin"), program(t, "pgbench", "/usr/lib/postgresql/*/bin"), program(t, "psql")
	r := render(t, pools)
	server, serverPort := postgres(t, r)

	files := r.data(t, "bills-pooler")
	dir, p := folder(t), port(t)
	ini := replaced(files["pgbouncer.ini"],
		"host=bills-rw.shop.svc port=5432", "host=127.0.0.1 port="+serverPort, "listen_port = 5432", "listen_port = "+p, "0.0.0.0", "127.0.0.1",
		"/tmp", dir, "/etc/pgbouncer/ca/ca.crt", filepath.Join(server, "ca.crt"))
	if version := succeed(t, nil, pgbouncer, "--version"); older(version, 1, 21) {
		ini = without(ini, "max_prepared_statements")
	}
	write(t, filepath.Join(dir, "pgbouncer.ini"), ini)
	start := write(t, filepath.Join(dir, "start.sh"), replaced(files["start.sh"], "/tmp/", dir+"/", "/etc/pgbouncer/", dir+"/"))
	serve(t, []string{"POOL_USER=dbadmin", "POOL_PASSWORD=pass\"word's", "PATH=" + filepath.Dir(pgbouncer) + ":" + os.Getenv("PATH")}, "sh", start)
	wait(t, "the pooler listens", func() bool { return listening("127.0.0.1:" + p) })

	env := []string{"PGPASSWORD=pass\"word's", "PGSSLMODE=disable"}
	through := func(database, sql string) (string, error) {
		out, err := run(t, env, psql, "-h", "127.0.0.1", "-p", p, "-U", "dbadmin", "-d", database, "-XAtc", sql)
		return strings.TrimSpace(out), err
	}
	if out, err := through("bills", "select ssl from pg_stat_ssl where pid = pg_backend_pid()"); err != nil || out != "t" {
		t.Fatalf("a query through the pooler, encrypted behind it: %s %v", out, err)
	}
	if out, err := through("pgbouncer", "show pools"); err != nil || !strings.Contains(out, "bills|dbadmin") {
		t.Errorf("the exporter's question: %s %v", out, err)
	}
	if _, err := run(t, []string{"PGPASSWORD=wrong"}, psql, "-h", "127.0.0.1", "-p", p, "-U", "dbadmin", "-d", "bills", "-c", "select 1"); err == nil {
		t.Error("a wrong password was let in")
	}

	limit := setting(t, ini, "max_db_connections")
	work := write(t, filepath.Join(dir, "work.sql"), "select pg_sleep(0.05);\n")
	done := make(chan string)
	go func() {
		out, err := run(t, env, pgbench, "-h", "127.0.0.1", "-p", p, "-U", "dbadmin", "-n", "-c", strconv.Itoa(3*limit), "-j", "2", "-T", "6", "-f", work, "bills")
		done <- fmt.Sprint(out, err)
	}()
	most, out := 0, ""
	for out == "" {
		select {
		case out = <-done:
		case <-time.After(100 * time.Millisecond):
			n, _ := run(t, nil, psql, "-h", server, "-p", serverPort, "-U", "postgres", "-XAtc", "select count(*) from pg_stat_activity where usename = 'dbadmin'")
			seen, _ := strconv.Atoi(strings.TrimSpace(n))
			most = max(most, seen)
		}
	}
	if !strings.Contains(out, "number of failed transactions: 0") {
		t.Errorf("pgbench: %s", out)
	}
	if most > limit || most < 2 {
		t.Errorf("the server saw %d connections, the pooler may have %d", most, limit)
	}
	t.Logf("%d clients, %d connections at most of %d", 3*limit, most, limit)

	// A transaction that does nothing is cut.
	if out, err := through("bills", "show idle_in_transaction_session_timeout"); err != nil || out != "30s" {
		t.Errorf("idle_in_transaction_session_timeout: %s %v", out, err)
	}
}

// TestLeakQueries asks a real server what the exporter will ask.
func TestLeakQueries(t *testing.T) {
	psql := program(t, "psql")
	r := render(t, pools)
	server, p := postgres(t, r)
	queries := r.data(t, "bills-queries")["queries"]
	_, sql, _ := strings.Cut(queries, "query: |")
	sql, _, _ = strings.Cut(sql, "metrics:")
	out := succeed(t, nil, psql, "-h", server, "-p", p, "-U", "postgres", "-XAtc", sql)
	if !strings.Contains(out, "psql|postgres|active|1|") {
		t.Errorf("the leak query: %s", out)
	}
}

func older(version string, major, minor int) bool {
	var a, b int
	if _, err := fmt.Sscanf(version, "PgBouncer %d.%d", &a, &b); err != nil {
		return false
	}
	return a < major || a == major && b < minor
}

func without(ini, name string) string {
	var kept []string
	for _, line := range strings.Split(ini, "\n") {
		if !strings.HasPrefix(line, name+" ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func setting(t *testing.T, ini, name string) int {
	t.Helper()
	for _, line := range strings.Split(ini, "\n") {
		if value, ok := strings.CutPrefix(line, name+" = "); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s is not set", name)
	return 0
}
