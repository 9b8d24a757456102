// Package controlplane runs a real etcd and kube-apiserver for tests, so that a
// test can ask the programs themselves whether they take a manifest. It also
// runs istioctl, kube-score and payloads, which need no server.
//
// The programs are looked for on PATH and in the tools cache that .ci/tools
// fills: $SCAFFOLD_TOOLS, or scaffold-tools in the user's cache folder. A test
// that needs a missing one is skipped, or fails when SCAFFOLD_REQUIRE_TOOLS=1.
//
// Only tests may import it. It may import the standard library and a YAML
// parser, and no other package of the module.
package controlplane

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// cache is the folder of the tools, which need not exist.
func cache() string {
	if dir := os.Getenv("SCAFFOLD_TOOLS"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "scaffold-tools")
}

// program finds a program or ends the test.
func program(t testing.TB, name string) string {
	t.Helper()
	if path := filepath.Join(cache(), "bin", name); executable(path) {
		return path
	}
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is neither on PATH nor in "+filepath.Join(cache(), "bin")+"; .ci/tools builds it")
	}
	return path
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("SCAFFOLD_REQUIRE_TOOLS") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Start returns the API server of this test binary, which the first call
// starts. It ends with the test binary.
func Start(t testing.TB) *Cluster {
	t.Helper()
	etcd, apiserver := program(t, "etcd"), program(t, "kube-apiserver")
	definitions := filepath.Join(cache(), "crds")
	if _, err := os.Stat(definitions); err != nil {
		missing(t, definitions+" does not exist; .ci/tools writes it")
	}
	shared.once.Do(func() { shared.cluster, shared.err = start(etcd, apiserver, definitions) })
	if shared.err != nil {
		t.Fatalf("starting a control plane: %s", shared.err)
	}
	return shared.cluster
}
