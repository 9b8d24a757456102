package templates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"scaffold/cmd/project"
	"scaffold/providers/kubernetes/controlplane"
)

// The tests of this folder take configuration and scripts out of rendered
// manifests and run them in the real programs, on the loopback interface.
// SCAFFOLD_REQUIRE_TOOLS=1 makes a missing program a failure.

// rendered is what one blueprint becomes for the target kubernetes.
type rendered struct {
	files map[string][]byte
	docs  []map[string]any
}

func render(t *testing.T, blueprint string) *rendered {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scaffold.hcl")
	if err := os.WriteFile(file, []byte(blueprint), 0o644); err != nil {
		t.Fatal(err)
	}
	p, diags := project.Open(file)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Render(project.Selection{Target: "kubernetes"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	r := &rendered{files: project.Tree(roots)}
	for name, data := range r.files {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		d := yaml.NewDecoder(bytes.NewReader(data))
		for {
			var doc map[string]any
			err := d.Decode(&doc)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %s", name, err)
			}
			if doc != nil {
				r.docs = append(r.docs, doc)
			}
		}
	}
	return r
}

// object finds the one object of a kind whose name begins with name.
func (r *rendered) object(t *testing.T, kind, name string) map[string]any {
	t.Helper()
	var found map[string]any
	for _, doc := range r.docs {
		if doc["kind"] == kind && named(doc, name) {
			if found != nil {
				t.Fatalf("two %s begin with %q", kind, name)
			}
			found = doc
		}
	}
	if found == nil {
		t.Fatalf("no %s begins with %q", kind, name)
	}
	return found
}

// named compares names, less the hash of a content at their end.
func named(doc map[string]any, name string) bool {
	full, _ := at(doc, "metadata", "name").(string)
	if full == name {
		return true
	}
	hash, ok := strings.CutPrefix(full, name+"-")
	return ok && len(hash) == 8 && strings.Trim(hash, "0123456789abcdef") == ""
}

// data is the content of the ConfigMap whose name begins with name.
func (r *rendered) data(t *testing.T, name string) map[string]string {
	t.Helper()
	content := map[string]string{}
	for key, value := range r.object(t, "ConfigMap", name)["data"].(map[string]any) {
		content[key] = value.(string)
	}
	return content
}

// at follows keys and indices.
func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := value.(map[string]any)
			value = m[step]
		case int:
			l, _ := value.([]any)
			if step >= len(l) {
				return nil
			}
			value = l[step]
		}
	}
	return value
}

func program(t *testing.T, name string, folders ...string) string {
	t.Helper()
	for _, folder := range folders {
		matches, _ := filepath.Glob(filepath.Join(folder, name))
		if len(matches) > 0 {
			return matches[len(matches)-1]
		}
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SCAFFOLD_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s is not on PATH", name)
	}
	t.Skipf("%s is not on PATH", name)
	return ""
}

// folder is one that other users than the test's may enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "payload")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// server is a process that runs until the test ends.
type server struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// serve starts a program. As root it becomes nobody, for that is how the
// programs run in pods, and some refuse to be root.
func serve(t *testing.T, env []string, name string, args ...string) *server {
	t.Helper()
	dir := folder(t)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s := &server{cmd: exec.Command(name, args...), log: log.Name(), done: make(chan struct{})}
	s.cmd.Dir = dir
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: nobody()}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			text, _ := os.ReadFile(s.log)
			t.Logf("%s:\n%s", strings.Join(s.cmd.Args, " "), tail(string(text)))
		}
	})
	return s
}

func tail(text string) string {
	if len(text) > 3000 {
		return "…" + text[len(text)-3000:]
	}
	return text
}

func nobody() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: 65534, Gid: 65534}
}

// kill ends the process and all that it started, at once.
func (s *server) kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.done
}

// result of a program that ends.
func run(t *testing.T, env []string, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobody()}
	cmd.Dir = os.TempDir()
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(out), err
}

// succeed fails the test when the program does.
func succeed(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, err := run(t, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %s\n%s", name, strings.Join(args, " "), err, tail(out))
	}
	return out
}

// patience is how long a test waits for what takes a moment on an idle machine.
const patience = 5 * time.Minute

// wait asks until the answer is true.
func wait(t *testing.T, what string, ask func() bool) {
	t.Helper()
	start := time.Now()
	for !ask() {
		if time.Since(start) > patience {
			t.Fatalf("not after %s: %s", patience, what)
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("%s: after %s", what, time.Since(start).Round(100*time.Millisecond))
}

// port is one that nobody listens on.
func port(t *testing.T) string {
	t.Helper()
	p, err := controlplane.Port()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(p)
}

func listening(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func replaced(text string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(text)
}
