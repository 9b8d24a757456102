package output

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// generation is a whole tree in which every file says which one it is, and
// whose shape changes: files come, go, and become folders.
func generation(n int) files {
	f := files{}
	for i := range 40 {
		f[fmt.Sprintf("dir%d/file%d.tf", i%4, i)] = fmt.Sprintf("generation %d file %d\n", n, i)
	}
	f["same.tf"] = "always the same\n"
	f[fmt.Sprintf("only%d/x.tf", n%2)] = fmt.Sprintf("generation %d\n", n)
	if n%2 == 0 {
		f["shape"] = fmt.Sprintf("generation %d\n", n)
	} else {
		f["shape/in.tf"] = fmt.Sprintf("generation %d\n", n)
	}
	return f
}

// inodes says which file is which below a folder, and of what mode and age.
func inodes(t *testing.T, dir string) map[string]print {
	t.Helper()
	out := map[string]print{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		rel, _ := filepath.Rel(dir, p)
		out[rel] = printOf(info)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUnchangedFilesAreNotRewritten(t *testing.T) {
	t.Parallel()
	for name, user := range map[string]files{"swap": nil, "journal": {"extra.tf": "mine"}} {
		dir := filepath.Join(t.TempDir(), "out")
		mustWrite(t, dir, files{"a": "a1", "m/b": "b1"}, Options{})
		user.put(t, dir)
		before := inodes(t, dir)
		mustWrite(t, dir, files{"a": "a1", "m/b": "b1"}, Options{})
		if d := cmp.Diff(before, inodes(t, dir), cmp.AllowUnexported(print{})); d != "" {
			t.Errorf("%s: a write of nothing new changed:\n%s", name, d)
		}
		mustWrite(t, dir, files{"a": "a2", "m/b": "b1"}, Options{})
		after := inodes(t, dir)
		if before["m/b"] != after["m/b"] || before["a"] == after["a"] {
			t.Errorf("%s: before %v, after %v", name, before, after)
		}
		if runtime.GOOS != "windows" && before["extra.tf"] != after["extra.tf"] {
			t.Errorf("%s: the user's file was touched", name)
		}
	}
}

// TestFolderStaysTheSame: a Terraform that runs in the folder keeps it.
func TestFolderStaysTheSame(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": "a1"}, Options{})
	files{".terraform/x": "x"}.put(t, dir)
	before, _ := os.Stat(dir)
	mustWrite(t, dir, files{"a": "a2"}, Options{})
	after, _ := os.Stat(dir)
	if !os.SameFile(before, after) {
		t.Error("a folder with files of the user's was exchanged")
	}
}

func TestWorkingDirectoryStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": "a1", "m/b": "b1"}, Options{})
	t.Chdir(filepath.Join(dir, "m"))
	mustWrite(t, "..", files{"a": "a2", "m/b": "b1"}, Options{})
	if content, err := os.ReadFile("../a"); err != nil || string(content) != "a2" {
		t.Errorf("the working directory was taken away: %q, %v", content, err)
	}
}

func TestModesAreKept(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	for name, user := range map[string]files{"swap": nil, "journal": {"extra.tf": "mine"}} {
		dir := filepath.Join(t.TempDir(), "out")
		mustWrite(t, dir, files{"a": "a1", "m/b": "b1"}, Options{})
		user.put(t, dir)
		for p, mode := range map[string]fs.FileMode{"a": 0o750, "m": 0o710, ".": 0o701, ManifestName: 0o600} {
			if err := os.Chmod(filepath.Join(dir, p), mode); err != nil {
				t.Fatal(err)
			}
		}
		mustWrite(t, dir, files{"a": "a2", "m/b": "b2"}, Options{})
		for p, mode := range map[string]fs.FileMode{"a": 0o750, "m": 0o710, ".": 0o701, ManifestName: 0o600} {
			if info, err := os.Stat(filepath.Join(dir, p)); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %s has mode %v, want %v (%v)", name, p, info.Mode(), mode, err)
			}
		}
	}
}

func TestDeterminism(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 20 {
		dir := filepath.Join(t.TempDir(), "out")
		mustWrite(t, dir, generation(0), Options{Tool: "1.2.0"})
		manifest, err := os.ReadFile(filepath.Join(dir, ManifestName))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = manifest
		}
		if !bytes.Equal(first, manifest) {
			t.Fatalf("first:\n%s\nnow:\n%s", first, manifest)
		}
	}
	if bytes.Contains(first, []byte("\r")) || bytes.Contains(first, []byte(os.TempDir())) || first[len(first)-1] != '\n' {
		t.Errorf("manifest:\n%s", first)
	}
}

func TestToolVersions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": "a1"}, Options{Tool: "1.10.0"})
	mustWrite(t, dir, files{"a": "a1"}, Options{Tool: "1.9.0"}) // changes nothing, takes nothing back
	var older *OlderToolError
	_, err := Write(context.Background(), dir, treeOf(files{"a": "a2"}), Options{Tool: "1.9.0"})
	if !errors.As(err, &older) || read(t, dir)["a"] != "a1" {
		t.Errorf("got %v", err)
	}
	mustWrite(t, dir, files{"a": "a2"}, Options{Tool: "1.9.0", Force: true})
	mustWrite(t, dir, files{"a": "a3"}, Options{Tool: "dev"})
	if m, _ := ReadManifest(dir); m.Tool != "dev" {
		t.Errorf("manifest of %q", m.Tool)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	for _, user := range []files{nil, {"extra.tf": "mine"}} {
		dir := filepath.Join(t.TempDir(), "out")
		mustWrite(t, dir, files{"a": "a1"}, Options{})
		user.put(t, dir)
		before := read(t, dir)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Write(ctx, dir, treeOf(files{"a": "a2"}), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if d := cmp.Diff(before, read(t, dir)); d != "" {
			t.Error(d)
		}
	}
}

// interrupted leaves a decided write as a kill right after the decision would.
func interrupted(t *testing.T, dir string, now files) {
	t.Helper()
	f, err := locate(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSurvey(f, treeOf(now), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	next := Manifest{Files: map[string]string{}}
	for p, content := range now {
		next.Files[p] = hashOf([]byte(content))
	}
	w := &writer{survey: s, ctx: context.Background(), manifest: next.encode()}
	if err := w.stage(); err != nil {
		t.Fatal(err)
	}
}

// TestEditsAfterAKill: what the user does to a half-written folder survives
// the recovery.
func TestEditsAfterAKill(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": "a1", "b": "b1", "c": "c1", "d": "d1"}, Options{})
	interrupted(t, dir, files{"a": "a2", "b": "b2", "new": "n2"})
	files{"a": "mine", "c": "mine", "new": "mine", "b": ""}.put(t, dir)
	kept, err := Recover(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"c", "a", "new"}, kept); d != "" {
		t.Errorf("kept (-want +got):\n%s", d)
	}
	if d := cmp.Diff(files{"a": "mine", "b": "b2", "c": "mine", "new": "mine"}, read(t, dir)); d != "" {
		t.Errorf("folder (-want +got):\n%s", d)
	}
	plan, err := Compare(dir, treeOf(files{"a": "a2", "b": "b2", "new": "n2"}))
	want := Plan{Unchanged: []string{"b"}, Conflicts: []Conflict{conflict("a", Edited), conflict("new", Edited)}}
	if d := cmp.Diff(want, plan, planOptions); d != "" || err != nil {
		t.Errorf("plan after it: %v\n%s", err, d)
	}
}

// TestRecoveryStopsAnywhere carries a decided write out in part, for every
// part, and then recovers.
func TestRecoveryStopsAnywhere(t *testing.T) {
	t.Parallel()
	was := files{"f": "1", "m/n/a": "1", "m/b": "1", "gone/x": "1", "same": "s", "alter": "1"}
	now := files{"f/in": "2", "m": "2", "same": "s", "alter": "2", "new/deep/x": "2"}
	for stop := range 9 {
		dir := filepath.Join(t.TempDir(), "out")
		mustWrite(t, dir, was, Options{})
		files{"extra": "mine"}.put(t, dir)
		interrupted(t, dir, now)
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		rec, _, err := readRecord(root)
		if err != nil {
			t.Fatal(err)
		}
		part := rec
		part.Removes = rec.Removes[:min(stop, len(rec.Removes))]
		part.Writes = rec.Writes[:min(max(0, stop-len(rec.Removes)), len(rec.Writes))]
		if kept, err := part.carryOut(root); err != nil || len(kept) > 0 {
			t.Fatal(kept, err)
		}
		root.Close()
		for range 2 { // recovering twice is like once
			if kept, err := Recover(context.Background(), dir); err != nil || len(kept) > 0 {
				t.Fatal(kept, err)
			}
		}
		want := files{"extra": "mine"}
		for p, content := range now {
			want[p] = content
		}
		if d := cmp.Diff(want, read(t, dir)); d != "" {
			t.Fatalf("stopped at %d (-want +got):\n%s", stop, d)
		}
	}
}

// TestSwapLeftovers: a tree that was being built is dropped; an old tree with
// an edit that came in the very moment of the exchange is kept in sight.
func TestSwapLeftovers(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "out")
	swap := filepath.Join(top, ".out.scaffold-swap")
	mustWrite(t, dir, files{"a": "a1"}, Options{})
	files{swapTree + "/a": "half"}.put(t, swap)
	if kept, err := Recover(context.Background(), dir); err != nil || kept != nil {
		t.Fatal(kept, err)
	}
	mustWrite(t, filepath.Join(swap, swapTree), files{"a": "a0", "b": "b0"}, Options{})
	files{swapBuilding: "1", swapTree + "/b": "edited"}.put(t, swap)
	kept, err := Recover(context.Background(), dir)
	if err != nil || len(kept) != 1 || read(t, kept[0])["b"] != "edited" {
		t.Errorf("kept %v, %v", kept, err)
	}
	if _, err := os.Lstat(swap); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the swap folder is left: %v", err)
	}
}

func TestManifestIsReadable(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"b": "b", "a&b": "a"}, Options{Tool: "1.0.0"})
	text, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil || m.Tool != "1.0.0" || m.Format != 1 || len(m.Files) != 2 {
		t.Errorf("%v:\n%s", err, text)
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": "1\n2\n3\n", "gone/x": "x\n", "same": "s\n", "bin": "\x00a"}, Options{})
	now := treeOf(files{"a": "1\n2b\n3\n", "new": "n1\nn2", "same": "s\n", "bin": "\x00b", "empty": ""})
	got, err := Diff(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"--- a/a", "+++ b/a", "@@ -1,3 +1,3 @@", " 1", "-2", "+2b", " 3",
		"Binary files a/bin and b/bin differ",
		"--- /dev/null", "+++ b/empty",
		"--- a/gone/x", "+++ /dev/null", "@@ -1,1 +0,0 @@", "-x",
		"--- /dev/null", "+++ b/new", "@@ -0,0 +1,2 @@", "+n1", "+n2", `\ No newline at end of file`, "",
	}, "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("diff (-want +got):\n%s", d)
	}
	stats, err := Stat(dir, now)
	wantStats := []FileStat{{"a", 1, 1}, {"bin", 0, 0}, {"empty", 0, 0}, {"gone/x", 0, 1}, {"new", 2, 0}}
	if d := cmp.Diff(wantStats, stats); d != "" || err != nil {
		t.Errorf("stat: %v\n%s", err, d)
	}
}

// TestDiffApplies hands a diff to git, which must come to the same tree.
func TestDiffApplies(t *testing.T) {
	t.Parallel()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, generation(0), Options{})
	text, err := Diff(dir, treeOf(generation(1)))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(git, "apply", "-p1", "-")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(text)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, text)
	}
	if d := cmp.Diff(generation(1), read(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	tree := treeOf(files{"a": "a1"})
	check := func(want bool, when string) {
		t.Helper()
		if got, err := Stale(dir, tree); got != want || err != nil {
			t.Errorf("%s: stale is %t (%v)", when, got, err)
		}
	}
	check(true, "no folder")
	mustWrite(t, dir, files{"a": "a1"}, Options{Tool: "1.0.0"})
	check(false, "written")
	files{"extra.tf": "mine", ".terraform/x": "x"}.put(t, dir)
	check(false, "with files of the user's")
	files{"a": "mine"}.put(t, dir)
	check(true, "edited")
	if _, err := Stale(filepath.Join(dir, "no", "such"), tree); err != nil {
		t.Error(err)
	}
	// Reading does not change times either.
	info, _ := os.Stat(dir)
	time.Sleep(5 * time.Millisecond)
	check(true, "again")
	if again, _ := os.Stat(dir); !info.ModTime().Equal(again.ModTime()) {
		t.Error("asking changed the folder")
	}
}
