//go:build unix

package terraform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fake writes a program that acts like terraform as far as it is asked to.
func fake(t *testing.T, name, body string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	script := `#!/bin/sh
case "$1" in
version) echo '{"terraform_version":"1.11.4","provider_selections":{}}'; exit 0 ;;
init) echo "init $*"; mkdir -p .terraform; exit 0 ;;
esac
` + body
	if err := os.WriteFile(p, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// watcher collects progress and calls then once it has seen until.
type watcher struct {
	until string
	then  func()

	mu   sync.Mutex
	text strings.Builder
}

func (w *watcher) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	if w.then != nil && strings.Contains(w.text.String(), w.until) {
		w.then()
		w.then = nil
	}
	return len(p), nil
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestProgressStreams has a program that does not end before its first line
// was seen.
func TestProgressStreams(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seen := filepath.Join(dir, "seen")
	program := fake(t, "terraform", `echo "first line"; while [ ! -e seen ]; do sleep 0.05; done; echo second >&2; exit 2`)
	progress := &watcher{until: "first line", then: func() { _ = os.WriteFile(seen, nil, 0o644) }}
	c, err := New(dir, Options{Program: program, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	changes, err := c.Plan(ctx, PlanOptions{})
	if PlanStatus(changes, err) != StatusChanges {
		t.Errorf("got %t, %v", changes, err)
	}
	if !strings.Contains(progress.String(), "second") {
		t.Errorf("standard error is not in the progress:\n%s", progress.String())
	}
}

func TestInterruptComesFirst(t *testing.T) {
	t.Parallel()
	program := fake(t, "terraform", `trap 'echo saved the state; exit 1' INT; echo working; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithCancel(context.Background())
	progress := &watcher{until: "working", then: cancel}
	c, err := New(t.TempDir(), Options{Program: program, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Apply(ctx, "", Variables{})
	if !errors.Is(err, context.Canceled) || Status(err) != 1 || !strings.Contains(err.Error(), "terraform apply") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(progress.String(), "saved the state") {
		t.Errorf("it was not interrupted but killed:\n%s", progress.String())
	}
}

func TestKillComesLast(t *testing.T) {
	t.Parallel()
	program := fake(t, "terraform", `trap '' INT; echo working; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithCancel(context.Background())
	c, err := New(t.TempDir(), Options{
		Program: program, Grace: 200 * time.Millisecond,
		Progress: &watcher{until: "working", then: cancel},
	})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := c.Apply(ctx, "", Variables{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > DefaultGrace/2 {
		t.Errorf("took %s", took)
	}
}

// TestCancelledButDone: a program that ends well although it was interrupted
// must not bring scaffold down.
func TestCancelledButDone(t *testing.T) {
	t.Parallel()
	program := fake(t, "terraform", `trap 'exit 0' INT; echo working; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithCancel(context.Background())
	c, err := New(t.TempDir(), Options{Program: program, Progress: &watcher{until: "working", then: cancel}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(ctx, "", Variables{}); !errors.Is(err, context.Canceled) || err.Error() == "" {
		t.Errorf("got %v", err)
	}
}

func TestStatusGoesThrough(t *testing.T) {
	t.Parallel()
	program := fake(t, "tofu", `echo "it broke" >&2; exit 42`)
	dir := t.TempDir()
	c, err := New(dir, Options{Program: program})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Apply(context.Background(), "", Variables{})
	if Status(err) != 42 || err.Error() != "tofu apply in "+dir+" ended with status 42:\nit broke" {
		t.Errorf("status %d: %v", Status(err), err)
	}
}

func TestFind(t *testing.T) {
	terraform, tofu := fake(t, "terraform", ""), fake(t, "tofu", "")
	find := func(path string) string {
		found, err := Find(path)
		if err != nil {
			return err.Error()
		}
		return found
	}
	t.Setenv("PATH", filepath.Dir(tofu)+":"+filepath.Dir(terraform))
	if got := find(""); got != terraform {
		t.Errorf("found %s", got)
	}
	t.Setenv("PATH", filepath.Dir(tofu))
	if got := find(""); got != tofu {
		t.Errorf("found %s", got)
	}
	t.Setenv("PATH", "")
	if got := find(terraform); got != terraform {
		t.Errorf("found %s", got)
	}
	if got := find(""); !strings.Contains(got, "install one of them") {
		t.Errorf("got %s", got)
	}
	if got := find("/no/such/terraform"); !strings.Contains(got, "/no/such/terraform cannot be run") {
		t.Errorf("got %s", got)
	}
	t.Chdir(filepath.Dir(tofu))
	if got := find("./tofu"); got != tofu {
		t.Errorf("found %s", got)
	}
}

func TestPluginDirs(t *testing.T) {
	program := fake(t, "terraform", "")
	t.Setenv(PluginDirVariable, "/one:/two")
	progress := &watcher{}
	c, err := New(t.TempDir(), Options{Program: program, Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Init(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(progress.String(), "-plugin-dir=/one -plugin-dir=/two") {
		t.Errorf("progress:\n%s", progress.String())
	}
}
