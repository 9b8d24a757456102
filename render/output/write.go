package output

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"

	"golang.org/x/mod/semver"
)

// Options are the choices of a write.
type Options struct {
	// Force overwrites and removes files that the user edited or owns, where
	// the tree needs their place. Plan.Overwritten says which.
	Force bool

	// Merge takes edits of the user's along where they do not collide with what
	// is rendered differently. Plan.Merged says which files hold some.
	Merge bool

	// Base finds what a file held when scaffold wrote it, for a merge where that
	// is not kept; nil, or nil content, if it is not known. What it finds is held
	// against the manifest.
	Base func(path string) []byte

	// Tool is the version of scaffold, without "v". A folder that a newer
	// version wrote is refused unless forced.
	Tool string

	// Wait bounds the wait for another process; 30 seconds if zero.
	Wait time.Duration

	// InPlace never exchanges the folder as a whole, for callers that have it
	// open or watch it.
	InPlace bool

	// Within are the folders that the tree speaks for; none means all. What is
	// outside is left as it is, and stays scaffold's.
	Within []string
}

// errMoved says that the folder changed between looking and writing.
var errMoved = errors.New("the folder changes faster than it can be written; stop what writes to it and run again")

// Write makes the folder hold the tree. It refuses with a [ConflictError] to
// overwrite what is not scaffold's, and then changes nothing. The plan that it
// returns is what was done, or with an error what would have been.
func Write(ctx context.Context, dir string, tree Tree, opts Options) (Plan, error) {
	if err := tree.Validate(); err != nil {
		return Plan{}, err
	}
	f, err := locate(dir)
	if err != nil {
		return Plan{}, err
	}
	if err := os.MkdirAll(f.parent, 0o755); err != nil {
		return Plan{}, err
	}
	unlock, err := f.lock(ctx, opts.Wait)
	if err != nil {
		return Plan{}, err
	}
	defer unlock()
	kept, err := f.recover()
	if err != nil {
		return Plan{}, err
	}
	var plan Plan
	for range 3 {
		plan, err = f.write(ctx, tree, opts)
		if !errors.Is(err, errMoved) {
			break
		}
	}
	plan.Kept = append(kept, plan.Kept...)
	return plan, err
}

// write is one attempt, under the lock.
func (f folder) write(ctx context.Context, tree Tree, opts Options) (Plan, error) {
	s, err := newSurvey(f, tree, opts)
	if err != nil {
		return Plan{}, err
	}
	defer s.close()
	plan := s.plan(opts.Force)
	if len(plan.Conflicts) > 0 {
		return plan, &ConflictError{Dir: f.abs, Conflicts: plan.Conflicts, Merge: opts.Merge}
	}
	next := Manifest{Tool: opts.Tool, Files: make(map[string]string, len(tree)), Merged: s.records()}
	for p, content := range tree {
		next.Files[p] = hashOf(content)
	}
	for p, hash := range s.manifest.Files {
		if !s.covers(p) {
			next.Files[p] = hash
		}
	}
	if plan.Empty() && s.manifest.Files != nil && maps.Equal(next.Files, s.manifest.Files) && maps.Equal(next.Merged, s.manifest.Merged) {
		return plan, nil
	}
	if older(opts.Tool, s.manifest.Tool) && !opts.Force {
		return plan, &OlderToolError{Dir: f.abs, Have: opts.Tool, Want: s.manifest.Tool}
	}
	w := &writer{survey: s, ctx: ctx, manifest: next.encode()}
	if err := w.commit(opts.InPlace); err != nil {
		return plan, fmt.Errorf("writing %s: %w", f.abs, err)
	}
	plan.Kept = w.kept
	_ = s.keepBase() // what cannot be kept is missed by a merge only, which says so
	return plan, nil
}

// older reports whether version a is before b; versions of development builds
// do not compare.
func older(a, b string) bool {
	a, b = "v"+a, "v"+b
	return semver.IsValid(a) && semver.IsValid(b) && semver.Compare(a, b) < 0
}

// writer carries out a survey whose conflicts are settled.
type writer struct {
	*survey
	ctx      context.Context
	manifest []byte
	kept     []string
}

// commit picks the way that is atomic for this folder; see the package comment.
func (w *writer) commit(inPlace bool) error {
	if !w.exists() {
		return w.place()
	}
	if !inPlace && !w.foreign && !w.inUse() {
		if err := w.swap(); !errors.Is(err, errNoSwap) {
			return err
		}
	}
	return w.journal()
}

// manifestPerm keeps the mode of the manifest like that of any other file.
func (s *survey) manifestPerm() fs.FileMode {
	if s.root != nil {
		if info, err := s.root.Lstat(ManifestName); err == nil && info.Mode().IsRegular() {
			return info.Mode().Perm()
		}
	}
	return 0
}
