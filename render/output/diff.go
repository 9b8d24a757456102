package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Diff is what a write of the tree would change in the folder, as one unified
// diff with a/ and b/ paths in sorted order, or "" if nothing. Files with
// conflicts are in it as if the write were forced.
func Diff(dir string, tree Tree, within ...string) (string, error) {
	s, err := surveyed(dir, tree, within)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, c := range s.changes() {
		b.WriteString(c.unified())
	}
	return b.String(), nil
}

// FileStat is how much of one file a write would change.
type FileStat struct {
	Path           string
	Added, Removed int // lines
}

// Stat counts the lines that [Diff] shows, by file, in sorted order.
func Stat(dir string, tree Tree, within ...string) ([]FileStat, error) {
	s, err := surveyed(dir, tree, within)
	if err != nil {
		return nil, err
	}
	var stats []FileStat
	for _, c := range s.changes() {
		st := FileStat{Path: c.path}
		_, body, _ := strings.Cut(c.unified(), "\n+++ ")
		for line := range strings.Lines(body) {
			switch line[0] {
			case '+':
				st.Added++
			case '-':
				st.Removed++
			}
		}
		stats = append(stats, st)
	}
	return stats, nil
}

// change is one file before and after; nil stands for no file.
type change struct {
	path     string
	old, new []byte
}

// changes lists what the steps of a survey do to files.
func (s *survey) changes() []change {
	var out []change
	for _, st := range s.steps {
		switch st.kind {
		case create, alter:
			content := s.content(st)
			out = append(out, change{st.path, st.have, append([]byte{}, content...)})
		case remove:
			out = append(out, change{st.path, st.have, nil})
		}
	}
	slices.SortFunc(out, func(a, b change) int { return strings.Compare(a.path, b.path) })
	return out
}

func (c change) unified() string {
	from, to := "a/"+c.path, "b/"+c.path
	if c.old == nil {
		from = "/dev/null"
	}
	if c.new == nil {
		to = "/dev/null"
	}
	if bytes.IndexByte(c.old, 0) >= 0 || bytes.IndexByte(c.new, 0) >= 0 {
		return fmt.Sprintf("Binary files %s and %s differ\n", from, to)
	}
	text := string(diff.Diff(from, c.old, to, c.new))
	if text == "" { // one is empty and the other absent
		return fmt.Sprintf("--- %s\n+++ %s\n", from, to)
	}
	_, text, _ = strings.Cut(text, "\n") // the line "diff from to" that no other tool writes
	return text
}
