package output

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMergeLines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ base, mine, theirs, want, collisions string }{
		"nobody":                {"a\nb\n", "a\nb\n", "a\nb\n", "a\nb\n", ""},
		"one of them":           {"a\nb\nc\n", "a\nB\nc\n", "a\nb\nc\n", "a\nB\nc\n", ""},
		"the other":             {"a\nb\nc\n", "a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\n", ""},
		"both, apart":           {"a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n", "A\nb\nc\nD\n", ""},
		"both, the same":        {"a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\n", "a\nB\nc\n", ""},
		"both, the same line":   {"a\nb\nc\n", "a\nX\nc\n", "a\nY\nc\n", "", "in line 2"},
		"neighbours":            {"a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n", "", "in lines 1 to 2"},
		"added in one place":    {"a\nb\n", "a\nx\ny\nb\n", "a\nz\nb\n", "", "in lines 2 to 3"},
		"added and taken away":  {"a\nb\nc\n", "a\nc\n", "a\nB\nc\n", "", "before line 2"},
		"taken away by both":    {"a\nb\nc\n", "a\nc\n", "a\nc\n", "a\nc\n", ""},
		"at the end":            {"a\n", "a\nmine\n", "x\na\n", "x\na\nmine\n", ""},
		"without a last line":   {"a\nb", "a\nb\nmine", "a\nb", "a\nb\nmine", ""},
		"from nothing":          {"", "mine\n", "", "mine\n", ""},
		"twice":                 {"a\nb\nc\nd\ne\n", "1\nb\nc\nd\n2\n", "3\nb\nc\nd\n4\n", "", "in line 1, in line 5"},
		"a line further down":   {"a\nb\nc\nd\n", "new\na\nb\nc\nX\n", "a\nb\nc\nY\n", "", "in line 5"},
		"everything at one end": {"a\nb\n", "", "a\nB\n", "", "before line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, collisions := merge(test.base, test.mine, test.theirs)
			var where []string
			for _, c := range collisions {
				where = append(where, c.String())
			}
			if strings.Join(where, ", ") != test.collisions || test.collisions == "" && got != test.want {
				t.Errorf("got %q, collisions %s", got, where)
			}
		})
	}
}

// TestMergeLosesNothing merges random texts whose lines are all different, so
// that each line can be told: what either side wrote is in the result or in a
// collision, and what either took away is gone or in one.
func TestMergeLosesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 0))
		var base []string
		for i := range random.IntN(12) {
			base = append(base, fmt.Sprintf("line %d", i))
		}
		mine, theirs := mutated(random, base, "mine"), mutated(random, base, "theirs")
		merged, collisions := merge(joined(base), joined(mine), joined(theirs))
		inverse, others := merge(joined(base), joined(theirs), joined(mine))
		if (len(collisions) == 0) != (len(others) == 0) || len(collisions) == 0 && merged != inverse {
			t.Fatalf("seed %d: it matters whose edit is whose:\n%q\n%q", seed, merged, inverse)
		}
		colliding := func(line int) bool {
			return slices.ContainsFunc(collisions, func(c collision) bool { return c.first <= line && line <= c.last })
		}
		result := strings.Split(merged, "\n")
		for i, line := range mine {
			if !slices.Contains(result, line) && !colliding(i+1) && slices.Contains(theirs, line) {
				t.Fatalf("seed %d: %q of mine is lost", seed, line)
			}
			if !slices.Contains(base, line) && !slices.Contains(result, line) && !colliding(i+1) {
				t.Fatalf("seed %d: %q, which I wrote, is neither in the result nor in a collision", seed, line)
			}
		}
		if len(collisions) > 0 {
			continue
		}
		for _, line := range slices.Concat(base, mine, theirs) {
			want := slices.Contains(mine, line) && slices.Contains(theirs, line) || !slices.Contains(base, line)
			if slices.Contains(result, line) != want {
				t.Fatalf("seed %d: %q is in the result: %v", seed, line, !want)
			}
		}
	}
}

func joined(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// mutated takes lines away and writes new ones.
func mutated(random *rand.Rand, base []string, who string) []string {
	var out []string
	for i := range len(base) + 1 {
		if random.IntN(8) == 0 {
			out = append(out, fmt.Sprintf("%s %d", who, i))
		}
		if i < len(base) && random.IntN(8) > 0 {
			out = append(out, base[i])
		}
	}
	return out
}

const (
	firstText  = "head\n\na = 1\n\nb = 2\n\nc = 3\n"
	secondText = "head\n\na = 1\n\nb = 20\n\nc = 3\n"
	thirdText  = "head\n\na = 100\n\nb = 20\n\nc = 3\n"
)

// TestMerge takes an edit along through two renders.
func TestMerge(t *testing.T) {
	t.Parallel()
	for _, inPlace := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "out")
		opts := Options{Merge: true, InPlace: inPlace}
		mustWrite(t, dir, files{"x/a": firstText, "b": "b"}, opts)
		edit(t, dir, "x/a", "c = 3", "c = 3 # mine")

		if _, err := Write(context.Background(), dir, treeOf(files{"x/a": secondText, "b": "b"}), Options{}); !strings.Contains(fmt.Sprint(err), "--merge") {
			t.Fatalf("without asking: %v", err)
		}
		plan := mustWrite(t, dir, files{"x/a": secondText, "b": "b"}, opts)
		if !slices.Equal(plan.Merged, []string{"x/a"}) || !slices.Equal(plan.Changed, []string{"x/a"}) {
			t.Errorf("the plan is %+v", plan)
		}
		if got := read(t, dir)["x/a"]; got != strings.Replace(secondText, "c = 3", "c = 3 # mine", 1) {
			t.Errorf("merged to %q", got)
		}
		// It counts as rendered now, without asking again.
		if stale, err := Stale(dir, treeOf(files{"x/a": secondText, "b": "b"})); stale || err != nil {
			t.Errorf("stale after the merge: %v %v", stale, err)
		}
		mustWrite(t, dir, files{"x/a": secondText, "b": "other"}, Options{InPlace: inPlace})

		// And it is merged again where only the manifest is left, as in a clone.
		if err := os.RemoveAll(filepath.Join(dir, baseName)); err != nil {
			t.Fatal(err)
		}
		_, err := Write(context.Background(), dir, treeOf(files{"x/a": thirdText, "b": "other"}), Options{})
		var conflict *ConflictError
		if !errors.As(err, &conflict) || !strings.Contains(err.Error(), "holds merged edits of yours") {
			t.Errorf("an unasked render ends with %v", err)
		}
		mustWrite(t, dir, files{"x/a": thirdText, "b": "other"}, opts)
		if got := read(t, dir)["x/a"]; got != strings.Replace(thirdText, "c = 3", "c = 3 # mine", 1) {
			t.Errorf("merged again to %q", got)
		}

		// The edit is taken back: there is nothing to remember.
		edit(t, dir, "x/a", " # mine", "")
		mustWrite(t, dir, files{"x/a": thirdText, "b": "other"}, Options{})
		if m, err := ReadManifest(dir); err != nil || len(m.Merged) > 0 {
			t.Errorf("still remembers %v %v", m.Merged, err)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(t *testing.T, dir string)
		next    files
		reason  string
	}{
		"lines that collide": {
			func(t *testing.T, dir string) { edit(t, dir, "a", "b = 2", "b = 3") }, files{"a": secondText},
			"a: was edited in line 5, where it is rendered differently now",
		},
		"no base": {
			func(t *testing.T, dir string) {
				edit(t, dir, "a", "c = 3", "c = 4")
				if err := os.RemoveAll(filepath.Join(dir, baseName)); err != nil {
					t.Fatal(err)
				}
			}, files{"a": secondText}, "what scaffold rendered there last is neither kept here",
		},
		"a base that is damaged": {
			func(t *testing.T, dir string) {
				edit(t, dir, "a", "c = 3", "c = 4")
				files{filepath.Join(baseName, baseFiles): "damaged"}.put(t, dir)
			}, files{"a": secondText}, "what scaffold rendered there last is neither kept here",
		},
		"what is no text": {
			func(t *testing.T, dir string) { edit(t, dir, "a", "c = 3", "c = \x00") }, files{"a": secondText},
			"is no text that could be merged",
		},
		"what is no longer rendered": {
			func(t *testing.T, dir string) { edit(t, dir, "a", "c = 3", "c = 4") }, files{"b": "b"},
			"a: was edited, and is no longer rendered",
		},
		"a file of the user's": {
			func(t *testing.T, dir string) { files{"b": "mine"}.put(t, dir) }, files{"a": firstText, "b": "b"},
			"b: was not written by scaffold",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "out")
			mustWrite(t, dir, files{"a": firstText}, Options{})
			test.prepare(t, dir)
			before := read(t, dir)
			_, err := Write(context.Background(), dir, treeOf(test.next), Options{Merge: true})
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("got %v", err)
			}
			if after := read(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("something was written: %v", after)
			}
		})
	}
}

// TestMergeAfterGit merges an edit in a checkout with CRLF line ends.
func TestMergeAfterGit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": firstText}, Options{})
	mine := strings.ReplaceAll(strings.Replace(firstText, "c = 3", "c = 4", 1), "\n", "\r\n")
	files{"a": mine}.put(t, dir)
	mustWrite(t, dir, files{"a": secondText}, Options{Merge: true})
	want := strings.ReplaceAll(strings.Replace(secondText, "c = 3", "c = 4", 1), "\n", "\r\n")
	if got := read(t, dir)["a"]; got != want {
		t.Errorf("got %q", got)
	}
	if stale, err := Stale(dir, treeOf(files{"a": secondText})); stale || err != nil {
		t.Errorf("stale: %v %v", stale, err)
	}
}

// TestForceTakesMergedEditsBack gives up an edit that was merged.
func TestForceTakesMergedEditsBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"a": firstText}, Options{})
	edit(t, dir, "a", "c = 3", "c = 4")
	mustWrite(t, dir, files{"a": secondText}, Options{Merge: true})
	plan := mustWrite(t, dir, files{"a": secondText}, Options{Force: true})
	if len(plan.Overwritten) != 1 || read(t, dir)["a"] != secondText {
		t.Errorf("%+v leaves %q", plan, read(t, dir)["a"])
	}
	if m, _ := ReadManifest(dir); len(m.Merged) > 0 {
		t.Errorf("still remembers %v", m.Merged)
	}
}

// TestMergeOfAPart keeps what one environment was rendered to while another is
// rendered.
func TestMergeOfAPart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	mustWrite(t, dir, files{"p/a": firstText, "q/a": firstText}, Options{})
	edit(t, dir, "p/a", "c = 3", "c = 4")
	mustWrite(t, dir, files{"q/a": secondText}, Options{Within: []string{"q"}})
	plan := mustWrite(t, dir, files{"p/a": secondText}, Options{Within: []string{"p"}, Merge: true})
	if !slices.Equal(plan.Merged, []string{"p/a"}) {
		t.Errorf("%+v", plan)
	}
}

// TestMergeFromElsewhere merges with a base that the caller finds, if it is the
// right one.
func TestMergeFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, base := range []string{firstText, secondText} {
		dir := filepath.Join(t.TempDir(), "out")
		mustWrite(t, dir, files{"a": firstText}, Options{})
		if err := os.RemoveAll(filepath.Join(dir, baseName)); err != nil {
			t.Fatal(err)
		}
		edit(t, dir, "a", "c = 3", "c = 4")
		_, err := Write(context.Background(), dir, treeOf(files{"a": secondText}), Options{Merge: true, Base: func(string) []byte { return []byte(base) }})
		if (err == nil) != (base == firstText) {
			t.Errorf("from %q: %v", base, err)
		}
	}
}

func edit(t *testing.T, dir, name, old, with string) {
	t.Helper()
	name = filepath.Join(dir, name)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(text), old, with)), 0o644); err != nil {
		t.Fatal(err)
	}
}
