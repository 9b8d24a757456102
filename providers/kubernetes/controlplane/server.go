package controlplane

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what takes a moment on an idle machine.
const patience = 5 * time.Minute

// Cluster is a running API server.
type Cluster struct {
	// Kubeconfig is a file for programs that want to talk to the server.
	Kubeconfig string

	dir     string
	address string
	token   string
	client  *http.Client

	mu          sync.Mutex
	definitions map[string]*definition // of custom resources, by group and kind
	resources   map[string]resource    // by apiVersion and kind
	controllers sync.Once
	failure     error
}

func start(etcd, apiserver, definitions string) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "controlplane-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		dir:       dir,
		token:     randomText(),
		resources: map[string]resource{},
		client: &http.Client{
			Timeout: patience,
			// The certificate is one that the server made a moment ago.
			Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 8},
		},
	}
	if c.definitions, err = readDefinitions(definitions); err != nil {
		return nil, err
	}
	var ports [3]int
	for i := range ports {
		if ports[i], err = Port(); err != nil {
			return nil, err
		}
	}
	if err := c.writeFiles(ports[2]); err != nil {
		return nil, err
	}
	if err := c.spawn("etcd", append([]string{etcd}, etcdFlags(dir, ports)...)); err != nil {
		return nil, err
	}
	if err := c.spawn("kube-apiserver", append([]string{apiserver}, apiserverFlags(dir, ports)...)); err != nil {
		return nil, err
	}
	return c, c.ready()
}

func etcdFlags(dir string, ports [3]int) []string {
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	return []string{
		"--data-dir=" + filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
	}
}

func apiserverFlags(dir string, ports [3]int) []string {
	return []string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", ports[0]),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", ports[2]),
		"--cert-dir=" + filepath.Join(dir, "certs"),
		// A loopback address is refused here; nothing connects to this one.
		"--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + filepath.Join(dir, "sa.key"),
		"--service-account-signing-key-file=" + filepath.Join(dir, "sa.key"),
		"--authorization-mode=AlwaysAllow", "--token-auth-file=" + filepath.Join(dir, "tokens.csv"),
		// Without a controller no namespace has its default service account.
		"--disable-admission-plugins=ServiceAccount",
		"--enable-priority-and-fairness=false", "--profiling=false",
		// A test sends everything at once.
		"--max-requests-inflight=0", "--max-mutating-requests-inflight=0",
	}
}

// Controllers starts kube-controller-manager, so that what is applied becomes
// replica sets, jobs and pods. Pods are admitted but run nowhere.
func (c *Cluster) Controllers(t testing.TB) {
	t.Helper()
	path := program(t, "kube-controller-manager")
	c.controllers.Do(func() {
		c.failure = c.spawn("kube-controller-manager", []string{
			path, "--kubeconfig=" + c.Kubeconfig, "--leader-elect=false", "--secure-port=0",
			"--controllers=*,-node-lifecycle-controller,-persistentvolume-attach-detach-controller",
			"--service-account-private-key-file=" + filepath.Join(c.dir, "sa.key"),
			"--kube-api-qps=200", "--kube-api-burst=400",
		})
	})
	if c.failure != nil {
		t.Fatal(c.failure)
	}
}

// supervise runs a program until the pipe to this process closes, however this
// process ends, and then removes the folder, so that no test leaves a server
// or files behind. The first argument is the folder, the rest the program.
//
// The program is killed outright: nothing it holds is worth keeping, and an
// API server that is asked to end waits for ever when etcd ended before it.
const supervise = `dir=$1; shift; "$@" & pid=$!; cat >/dev/null; kill -KILL $pid; wait $pid; rm -rf "$dir"`

// pipes keeps the write ends open as long as the process lives.
var pipes []io.WriteCloser

func (c *Cluster) spawn(name string, command []string) error {
	log, err := os.Create(filepath.Join(c.dir, name+".log"))
	if err != nil {
		return err
	}
	cmd := exec.Command("sh", append([]string{"-c", supervise, "supervise", c.dir}, command...)...)
	cmd.Stdout, cmd.Stderr = log, log
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	pipes = append(pipes, pipe)
	if err := cmd.Start(); err != nil {
		return err
	}
	return log.Close()
}

// ready waits for the server, and shows its last words when it does not come.
func (c *Cluster) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		reply, err := c.send(http.MethodGet, "/readyz", "", nil)
		if err == nil && reply.status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %v\n%s", err, c.lastWords())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *Cluster) lastWords() string {
	var words strings.Builder
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager"} {
		text, _ := os.ReadFile(filepath.Join(c.dir, name+".log"))
		fmt.Fprintf(&words, "%s:\n%s\n", name, text[max(0, len(text)-2000):])
	}
	return words.String()
}

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, insecure-skip-tls-verify: true}}]
users: [{name: test, user: {token: %q}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
`

func (c *Cluster) writeFiles(port int) error {
	c.address = fmt.Sprintf("https://127.0.0.1:%d", port)
	c.Kubeconfig = filepath.Join(c.dir, "kubeconfig")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	for name, text := range map[string]string{
		"sa.key":     string(pem.EncodeToMemory(block)),
		"tokens.csv": c.token + ",admin,admin,\"system:masters\"\n",
		"kubeconfig": fmt.Sprintf(kubeconfig, c.address, c.token),
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func randomText() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
