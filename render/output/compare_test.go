package output

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// files is a folder for tests: content by path; "-> x" is a link, "/" a folder.
type files map[string]string

func (f files) put(t testing.TB, dir string) {
	t.Helper()
	for p, content := range f {
		p = filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		target, isLink := strings.CutPrefix(content, "-> ")
		var err error
		switch {
		case content == "/":
			err = os.MkdirAll(p, 0o755)
		case content == "":
			err = os.RemoveAll(p)
		case isLink:
			_ = os.Remove(p)
			err = os.Symlink(target, p)
		default:
			err = os.WriteFile(p, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// read is the inverse of put; scaffold's own are left out, empty folders are not.
func read(t testing.TB, dir string) files {
	t.Helper()
	out := files{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		switch {
		case rel == "." || rel == ManifestName:
			return nil
		case d.Name() == baseName && d.IsDir():
			return filepath.SkipDir
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			out[rel] = "-> " + target
			return err
		case d.IsDir():
			if entries, err := os.ReadDir(p); err == nil && len(entries) == 0 {
				out[rel] = "/"
			}
			return nil
		}
		content, err := os.ReadFile(p)
		out[rel] = string(content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return out
}

func treeOf(f files) Tree {
	tree := Tree{}
	for p, content := range f {
		tree[p] = []byte(content)
	}
	return tree
}

func mustWrite(t testing.TB, dir string, f files, opts Options) Plan {
	t.Helper()
	plan, err := Write(context.Background(), dir, treeOf(f), opts)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// conflict is a Conflict without its reason, which is text for people.
func conflict(p string, kind ConflictKind) Conflict { return Conflict{Path: p, Kind: kind} }

var planOptions = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Conflict{}, "Reason")}

// TestOwnership is the table of who owns what. Each case renders was, lets the
// user do user, and renders now; then again with force.
func TestOwnership(t *testing.T) {
	ab := files{"a.tf": "a1", "b.tf": "b1"}
	cases := []struct {
		name           string
		was, user, now files
		plan           Plan
		forced         files // nil: the same without force
		blocked        bool  // force does not help either
	}{
		{name: "first render", now: ab, plan: Plan{Created: []string{"a.tf", "b.tf"}}},
		{name: "nothing changes", was: ab, now: ab, plan: Plan{Unchanged: []string{"a.tf", "b.tf"}}},
		{
			name: "changed, created, removed", was: ab, now: files{"a.tf": "a2", "c.tf": "c1"},
			plan: Plan{Created: []string{"c.tf"}, Changed: []string{"a.tf"}, Removed: []string{"b.tf"}},
		},
		{
			name: "edited, rendered as before", was: ab, user: files{"a.tf": "mine"}, now: ab,
			plan:   Plan{Unchanged: []string{"b.tf"}, Conflicts: []Conflict{conflict("a.tf", Edited)}},
			forced: ab,
		},
		{
			name: "edited to what is rendered now", was: ab, user: files{"a.tf": "a2"}, now: files{"a.tf": "a2", "b.tf": "b1"},
			plan: Plan{Unchanged: []string{"a.tf", "b.tf"}},
		},
		{
			name: "edited and no longer rendered", was: ab, user: files{"b.tf": "mine"}, now: files{"a.tf": "a1"},
			plan:   Plan{Unchanged: []string{"a.tf"}, Conflicts: []Conflict{conflict("b.tf", EditedStale)}},
			forced: files{"a.tf": "a1"},
		},
		{
			name: "deleted by the user", was: ab, user: files{"b.tf": ""}, now: ab,
			plan: Plan{Created: []string{"b.tf"}, Unchanged: []string{"a.tf"}},
		},
		{
			name: "deleted by the user and no longer rendered", was: ab, user: files{"b.tf": ""}, now: files{"a.tf": "a1"},
			plan: Plan{Unchanged: []string{"a.tf"}},
		},
		{
			name: "checked out with CRLF", was: files{"a.tf": "1\n2\n"}, user: files{"a.tf": "1\r\n2\r\n"}, now: files{"a.tf": "1\n3\n"},
			plan: Plan{Changed: []string{"a.tf"}},
		},
		{
			name: "foreign file in the way", user: files{"a.tf": "mine"}, now: ab,
			plan:   Plan{Created: []string{"b.tf"}, Conflicts: []Conflict{conflict("a.tf", Foreign)}},
			forced: ab,
		},
		{
			name: "foreign file with the rendered content", user: files{"a.tf": "a1"}, now: ab,
			plan: Plan{Created: []string{"b.tf"}, Unchanged: []string{"a.tf"}},
		},
		{
			name: "foreign files beside ours", was: ab, now: files{"a.tf": "a2"},
			user: files{"extra.tf": "mine", ".terraform/providers/x": "big", "terraform.tfstate": "{}", "l": "-> /etc", "empty": "/"},
			plan: Plan{Changed: []string{"a.tf"}, Removed: []string{"b.tf"}},
		},
		{
			name: "link in the way", user: files{"a.tf": "-> ../outside"}, now: ab,
			plan:   Plan{Created: []string{"b.tf"}, Conflicts: []Conflict{conflict("a.tf", Foreign)}},
			forced: ab,
		},
		{
			name: "ours replaced by a link, no longer rendered", was: ab, user: files{"b.tf": "-> a.tf"}, now: files{"a.tf": "a1"},
			plan:   Plan{Unchanged: []string{"a.tf"}, Conflicts: []Conflict{conflict("b.tf", EditedStale)}},
			forced: files{"a.tf": "a1"},
		},
		{
			name: "link where a folder is needed", user: files{"m": "-> ../outside"}, now: files{"m/a.tf": "a1", "m/b.tf": "b1"},
			plan:   Plan{Created: []string{"m/a.tf", "m/b.tf"}, Conflicts: []Conflict{conflict("m", Foreign)}},
			forced: files{"m/a.tf": "a1", "m/b.tf": "b1"},
		},
		{
			name: "file where a folder is needed", user: files{"m": "mine"}, now: files{"m/a.tf": "a1"},
			plan:   Plan{Created: []string{"m/a.tf"}, Conflicts: []Conflict{conflict("m", Foreign)}},
			forced: files{"m/a.tf": "a1"},
		},
		{
			name: "folder in the way", user: files{"a.tf/mine": "mine"}, now: ab, blocked: true,
			plan: Plan{Created: []string{"b.tf"}, Conflicts: []Conflict{conflict("a.tf", Blocked)}},
		},
		{
			name: "our file becomes a folder", was: files{"m": "m1"}, now: files{"m/a.tf": "a1"},
			plan: Plan{Created: []string{"m/a.tf"}, Removed: []string{"m"}},
		},
		{
			name: "our folder becomes a file", was: files{"m/n/a.tf": "a1", "m/b.tf": "b1"}, now: files{"m": "m1"},
			plan: Plan{Created: []string{"m"}, Removed: []string{"m/b.tf", "m/n/a.tf"}},
		},
		{
			name: "our folder, with a file of the user's, becomes a file", blocked: true,
			was: files{"m/a.tf": "a1"}, user: files{"m/mine": "mine"}, now: files{"m": "m1"},
			plan: Plan{Conflicts: []Conflict{conflict("m", Blocked)}, Removed: []string{"m/a.tf"}},
		},
		{
			name: "folder goes with its last file", was: files{"a.tf": "a1", "m/n/b.tf": "b1"}, now: files{"a.tf": "a1"},
			plan: Plan{Unchanged: []string{"a.tf"}, Removed: []string{"m/n/b.tf"}},
		},
		{
			name: "folder stays with a file of the user's", was: files{"a.tf": "a1", "m/b.tf": "b1"}, user: files{"m/mine": "mine"},
			now: files{"a.tf": "a1"}, plan: Plan{Unchanged: []string{"a.tf"}, Removed: []string{"m/b.tf"}},
		},
		{name: "empty tree", was: ab, now: files{}, plan: Plan{Removed: []string{"a.tf", "b.tf"}}},
		{name: "empty file", now: files{"a.tf": ""}, plan: Plan{Created: []string{"a.tf"}}},
	}
	for _, c := range cases {
		for _, inPlace := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/inPlace=%t", c.name, inPlace), func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "out")
				opts := Options{InPlace: inPlace}
				if c.was != nil {
					mustWrite(t, dir, c.was, opts)
				}
				c.user.put(t, dir)
				checkOwnership(t, dir, c.now, c.plan, opts)
				if len(c.plan.Conflicts) == 0 {
					return
				}
				opts.Force = true
				plan, err := Write(context.Background(), dir, treeOf(c.now), opts)
				if c.blocked {
					if err == nil {
						t.Fatal("force went past a folder of the user's")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(c.plan.Conflicts, plan.Overwritten, planOptions); d != "" {
					t.Errorf("overwritten (-want +got):\n%s", d)
				}
				if d := cmp.Diff(c.forced, read(t, dir)); d != "" {
					t.Errorf("after force (-want +got):\n%s", d)
				}
			})
		}
	}
}

// checkOwnership holds Compare and an unforced Write to the same plan, and the
// folder to what the plan says.
func checkOwnership(t *testing.T, dir string, now files, want Plan, opts Options) {
	t.Helper()
	before := read(t, dir)
	plan, err := Compare(dir, treeOf(now))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, plan, planOptions); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	if d := cmp.Diff(before, read(t, dir)); d != "" {
		t.Errorf("comparing changed the folder:\n%s", d)
	}
	done, err := Write(context.Background(), dir, treeOf(now), opts)
	if d := cmp.Diff(want, done, planOptions); d != "" {
		t.Errorf("plan of the write (-want +got):\n%s", d)
	}
	after := read(t, dir)
	if len(want.Conflicts) > 0 {
		var refused *ConflictError
		if !errors.As(err, &refused) {
			t.Fatalf("got %v, want a ConflictError", err)
		}
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("a refused write changed the folder:\n%s", d)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	expect := files{}
	for p, content := range before {
		expect[p] = content
	}
	for _, p := range want.Removed {
		delete(expect, p)
	}
	for p, content := range now {
		expect[p] = content
	}
	if d := cmp.Diff(expect, after); d != "" {
		t.Errorf("folder (-want +got):\n%s", d)
	}
	if stale, err := Stale(dir, treeOf(now)); stale || err != nil {
		t.Errorf("stale right after the write: %t, %v", stale, err)
	}
}

func TestConflictErrorSaysTheWayOut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	files{"a.tf": "mine", "b.tf/mine": "mine"}.put(t, dir)
	_, err := Write(context.Background(), dir, treeOf(files{"a.tf": "a"}), Options{})
	for _, want := range []string{"a.tf: was not written by scaffold", "--force", "files of your own", "scaffold diff", dir} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
	_, err = Write(context.Background(), dir, treeOf(files{"b.tf": "b"}), Options{Force: true})
	for _, want := range []string{"b.tf: is a folder", "Move it away"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q is not in the error:\n%v", want, err)
		}
	}
}
