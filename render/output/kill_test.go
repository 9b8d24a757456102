//go:build unix

package output

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The test binary runs itself as a child that does one of these.
const roleVariable = "OUTPUT_TEST_ROLE"

func TestMain(m *testing.M) {
	role, dir, _ := strings.Cut(os.Getenv(roleVariable), " ")
	switch role {
	case "":
		os.Exit(m.Run())
	case "loop":
		renderForever(dir)
	case "once":
		_, err := Write(context.Background(), dir, treeOf(files{"a": fmt.Sprint(os.Getpid())}), Options{Wait: 2 * time.Minute})
		exitWith(err)
	case "hold":
		f, err := locate(dir)
		if err == nil {
			_, err = f.lock(context.Background(), time.Minute)
		}
		fmt.Println("held", err)
		time.Sleep(5 * time.Minute)
	case "small":
		exitWith(writeWithLimit(dir))
	}
}

func exitWith(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t testing.TB, role, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleVariable+"="+role+" "+dir)
	return cmd
}

func renderForever(dir string) {
	fmt.Println("ready")
	for n := 0; ; n++ {
		if _, err := Write(context.Background(), dir, treeOf(generation(n%2)), Options{}); err != nil {
			exitWith(err)
		}
	}
}

// TestKill kills a process that renders without pause, at random moments. The
// folder must be one whole generation: at once where folders are exchanged,
// after recovery where the user has files in it.
func TestKill(t *testing.T) {
	kills := 120
	if testing.Short() {
		kills = 20
	}
	foreign := files{"extra.tf": "mine\n", ".terraform/x": "big\n", "dir1/mine.tf": "mine\n"}
	for name, user := range map[string]files{"only our files": nil, "with the user's files": foreign} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "out")
			user.put(t, dir)
			whole, seen := 0, map[int]int{}
			for i := range kills {
				killAtRandom(t, dir)
				left := read(t, dir)
				for p := range left {
					if strings.HasPrefix(p+"/", stagingName+"/") {
						delete(left, p)
					}
				}
				if isGeneration(left, user, 0, 1) {
					whole++
				} else if user == nil {
					t.Fatalf("kill %d left a mix:\n%v", i, left)
				}
				if kept, err := Recover(context.Background(), dir); err != nil || len(kept) > 0 {
					t.Fatal(kept, err)
				}
				got := read(t, dir)
				if !isGeneration(got, user, 0, 1) {
					t.Fatalf("kill %d: recovery left a mix:\n%v", i, got)
				}
				seen[which(got)]++
				checkManifest(t, dir, got)
			}
			if entries, _ := os.ReadDir(top); len(entries) != 1 {
				t.Errorf("left beside the folder: %v", entries)
			}
			if seen[0] == 0 || seen[1] == 0 {
				t.Errorf("the kills never came in between: %v", seen)
			}
			t.Logf("%d kills, %d left a whole tree before recovery, after it by generation: %v", kills, whole, seen)
		})
	}
}

// which is the number of a generation, or -1 before the first.
func which(got files) int {
	n := -1
	_, _ = fmt.Sscanf(got["dir0/file0.tf"], "generation %d", &n)
	return n
}

func killAtRandom(t *testing.T, dir string) {
	t.Helper()
	cmd := child(t, "loop", dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = out.Read(make([]byte, 16)) // however slow the machine is to start it
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(60_000)) * time.Microsecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// isGeneration reports whether got is one of the generations, whole, with the
// user's files. No tree at all is what there was before the first.
func isGeneration(got, user files, generations ...int) bool {
	if len(got) == len(user) {
		return cmp.Equal(got, user) || len(user) == 0
	}
	for _, n := range generations {
		want := generation(n)
		for p, content := range user {
			want[p] = content
		}
		if cmp.Equal(want, got) {
			return true
		}
	}
	return false
}

func checkManifest(t *testing.T, dir string, got files) {
	t.Helper()
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	for p, hash := range m.Files {
		if hashOf([]byte(got[p])) != hash {
			t.Fatalf("the manifest is not that of the tree: %s", p)
		}
	}
}

// TestReaderNeverSeesAMix reads while another goroutine writes.
func TestReaderNeverSeesAMix(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, generation(0), Options{})
	var stop atomic.Bool
	defer stop.Store(true)
	done := make(chan error, 1)
	go func() {
		var err error
		for n := 0; !stop.Load() && err == nil; n++ {
			_, err = Write(context.Background(), dir, treeOf(generation(n%2)), Options{})
		}
		done <- err
	}()
	for range 200 {
		// A folder that stays open is one tree, whatever takes its name.
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := root.ReadFile("dir0/file0.tf")
		b, err2 := root.ReadFile("dir3/file39.tf")
		root.Close()
		if err1 != nil || err2 != nil {
			continue // the old tree was cleaned up under us; not a mix
		}
		if string(a[:12]) != string(b[:12]) {
			t.Fatalf("read %q with %q", a, b)
		}
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	var cmds []*exec.Cmd
	for range 8 {
		cmd := child(t, "once", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	pids := map[string]bool{}
	for _, cmd := range cmds {
		pids[fmt.Sprint(cmd.Process.Pid)] = true
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	got := read(t, dir)
	if len(got) != 1 || !pids[got["a"]] {
		t.Errorf("got %v", got)
	}
	checkManifest(t, dir, got)
}

func TestLockHeldByAnotherProcess(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "out")
	cmd := child(t, "hold", dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 64)
	if n, _ := out.Read(line); !strings.HasPrefix(string(line[:n]), "held <nil>") {
		t.Fatalf("the child says %q", line[:n])
	}
	var locked *LockedError
	_, err = Write(context.Background(), dir, treeOf(files{"a": "a"}), Options{Wait: 50 * time.Millisecond})
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), "another scaffold is at work on "+dir) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := Write(ctx, dir, treeOf(files{"a": "a"}), Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = cmd.Process.Kill() })
	mustWrite(t, dir, files{"a": "a"}, Options{Wait: 2 * time.Minute})
	_ = cmd.Wait()
	if entries, _ := os.ReadDir(top); len(entries) != 1 {
		t.Errorf("the lock left something behind: %v", entries)
	}
}
