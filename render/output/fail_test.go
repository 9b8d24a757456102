//go:build unix

package output

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeWithLimit writes one file that is larger than the process may write,
// which fails in the middle of a write like a full disk does.
func writeWithLimit(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		return err
	}
	tree := treeOf(files{"a": "a2", "b": "b2"})
	tree["z"] = bytes.Repeat([]byte("z"), 10_000)
	_, err := Write(context.Background(), dir, tree, Options{})
	return err
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]files{"swap": nil, "journal": {"extra.tf": "mine"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			dir := filepath.Join(top, "out")
			mustWrite(t, dir, files{"a": "a1", "c": "c1"}, Options{})
			user.put(t, dir)
			before := read(t, dir)
			out, err := child(t, "small", dir).Output()
			if err == nil || !strings.Contains(string(out), "file too large") {
				t.Fatalf("got %v: %s", err, out)
			}
			if d := cmp.Diff(before, read(t, dir)); d != "" {
				t.Errorf("the folder changed:\n%s", d)
			}
			if entries, _ := os.ReadDir(top); len(entries) != 1 {
				t.Errorf("left beside the folder: %v", entries)
			}
		})
	}
}

// unprivileged runs f as a plain user, to whom permissions apply even if the
// tests run as root, and gives that user the folder.
func unprivileged(t *testing.T, dir string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("needs a user who is not root")
	}
	const nobody = 65534
	err := filepath.Walk(dir, func(p string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Lchown(p, nobody, nobody))
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := asUser(nobody)
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// permissionFolder is a rendered folder that a plain user can get at.
func permissionFolder(t *testing.T) (parent, dir string) {
	t.Helper()
	top := t.TempDir()
	if err := os.Chmod(filepath.Dir(top), 0o755); err != nil {
		t.Fatal(err)
	}
	parent = filepath.Join(top, "x")
	dir = filepath.Join(parent, "out")
	mustWrite(t, dir, files{"a": "a1", "m/b": "b1"}, Options{})
	return parent, dir
}

func TestPermissions(t *testing.T) {
	for name, deny := range map[string]string{"the folder": ".", "a folder in it": "m"} {
		t.Run(name, func(t *testing.T) {
			parent, dir := permissionFolder(t)
			files{"extra.tf": "mine"}.put(t, dir) // so that it is written in place
			before := read(t, dir)
			var err error
			if err := os.Chmod(filepath.Join(dir, deny), 0o555); err != nil {
				t.Fatal(err)
			}
			unprivileged(t, parent, func() {
				_, err = Write(context.Background(), dir, treeOf(files{"a": "a2", "m/b": "b2"}), Options{})
			})
			if err2 := os.Chmod(filepath.Join(dir, deny), 0o755); err2 != nil {
				t.Fatal(err2)
			}
			if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v", err)
			}
			if d := cmp.Diff(before, read(t, dir)); d != "" {
				t.Errorf("the folder changed:\n%s", d)
			}
		})
	}
}

// TestParentNotWritable renders where folders cannot be exchanged: the write
// then goes in place.
func TestParentNotWritable(t *testing.T) {
	for name, user := range map[string]files{"only our files": nil, "with the user's files": {"extra.tf": "mine"}} {
		t.Run(name, func(t *testing.T) {
			parent, dir := permissionFolder(t)
			user.put(t, dir)
			if err := os.Chmod(parent, 0o555); err != nil {
				t.Fatal(err)
			}
			var err error
			unprivileged(t, parent, func() {
				_, err = Write(context.Background(), dir, treeOf(files{"a": "a2"}), Options{})
			})
			if err2 := os.Chmod(parent, 0o755); err2 != nil {
				t.Fatal(err2)
			}
			if got := read(t, dir); err != nil || got["a"] != "a2" {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
