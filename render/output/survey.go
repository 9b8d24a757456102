package output

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// stepKind is what happens at one path.
type stepKind int

const (
	keep stepKind = iota
	create
	alter
	remove
)

// step is what has to happen at one path for the folder to hold the tree.
type step struct {
	kind     stepKind
	path     string
	have     []byte      // content of the file that is there, nil if none
	state    string      // stateOf the path
	perm     fs.FileMode // of the file that is there
	merged   []byte      // content with the user's edits; nil: what is rendered
	conflict *Conflict   // the reason not to, unless forced
}

// print identifies one version of a file without reading it.
type print struct {
	ino   uint64
	size  int64
	mtime int64
	mode  fs.FileMode
}

// survey is a folder compared with a tree.
type survey struct {
	folder
	tree     Tree
	opts     Options
	root     *os.Root // nil if the folder does not exist
	manifest Manifest
	steps    []step

	// What was there before anything was read, so that a file that is saved
	// meanwhile is noticed later.
	before  map[string]print
	foreign bool

	archive *zip.Reader // what was rendered last, once it was asked for

	at     *os.Root // the folder that read went to last
	atName string
}

// Compare says what a write of the tree would do to the folder.
//
// A tree may speak for some folders only: what is outside of within, a list of
// slash-separated folders, is left as it is. None means the whole folder.
func Compare(dir string, tree Tree, within ...string) (Plan, error) {
	s, err := surveyed(dir, tree, within)
	if err != nil {
		return Plan{}, err
	}
	return s.plan(false), nil
}

// Stale reports whether the folder holds something else than the tree, edits
// of the user's included. Whoever is about to apply the folder asks this.
func Stale(dir string, tree Tree, within ...string) (bool, error) {
	plan, err := Compare(dir, tree, within...)
	return !plan.Empty(), err
}

// surveyed surveys under the lock, after finishing an interrupted write.
func surveyed(dir string, tree Tree, within []string) (*survey, error) {
	if err := tree.Validate(); err != nil {
		return nil, err
	}
	f, err := locate(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(f.parent); errors.Is(err, fs.ErrNotExist) {
		return newSurvey(f, tree, Options{Within: within})
	}
	unlock, err := f.lock(context.Background(), 0)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := f.recover(); err != nil {
		return nil, err
	}
	s, err := newSurvey(f, tree, Options{Within: within})
	if err == nil {
		s.close()
	}
	return s, err
}

func newSurvey(f folder, tree Tree, opts Options) (*survey, error) {
	s := &survey{folder: f, tree: tree, opts: opts}
	root, err := os.OpenRoot(f.abs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		s.root = root
		if s.manifest, err = readManifest(root); err == nil {
			s.before, s.foreign, err = s.list(".")
		}
		if err != nil {
			s.close()
			return nil, err
		}
	}
	if err := s.examine(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *survey) close() {
	if s.at != nil {
		s.at.Close()
	}
	if s.root != nil {
		s.root.Close()
	}
}

func (s *survey) exists() bool { return s.root != nil }

// examine finds the step for every path of the tree and of the manifest.
func (s *survey) examine() error {
	cleared := map[string]bool{}
	for _, p := range s.tree.Paths() {
		steps, err := s.wanted(p)
		if err != nil {
			return err
		}
		for _, st := range steps {
			if st.path != p && cleared[st.path] {
				continue // two files want the same file to become a folder
			}
			cleared[st.path] = true
			s.steps = append(s.steps, st)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(s.manifest.Files)) {
		if _, ok := s.tree[p]; ok || cleared[p] || !s.covers(p) {
			continue
		}
		if err := s.unwanted(p); err != nil {
			return err
		}
	}
	return nil
}

// covers reports whether the tree speaks for a path.
func (s *survey) covers(p string) bool {
	if len(s.opts.Within) == 0 {
		return true
	}
	for _, folder := range s.opts.Within {
		if strings.HasPrefix(p, folder+"/") {
			return true
		}
	}
	return false
}

// wanted finds what to do for a rendered path.
func (s *survey) wanted(p string) ([]step, error) {
	st := step{kind: create, path: p}
	if s.root == nil {
		return []step{st}, nil
	}
	if listed, ok := s.before[p]; ok {
		st, err := s.replaced(st, listed.mode)
		return []step{st}, err
	}
	f, err := look(s.root, p)
	if err != nil {
		return nil, err
	}
	switch {
	case f.what == nothing:
		return []step{st}, nil
	case f.at != p:
		return s.underneath(st, f)
	case f.what == file:
		st, err = s.replaced(st, f.info.Mode())
	case f.what == directory:
		var own bool
		if own, err = s.onlyStale(p); err == nil && !own {
			st.conflict = &Conflict{p, Blocked, "is a folder with files of yours, and a file is rendered there"}
		}
	case f.what == link:
		st.kind = alter
		st.conflict = &Conflict{p, Foreign, "is a symbolic link, which scaffold does not write through"}
		st.state, err = stateOf(s.root, p)
	default:
		st.conflict = &Conflict{p, Blocked, "is " + f.what.String()}
	}
	return []step{st}, err
}

// underneath is wanted where a file, not a folder, stands on the way.
func (s *survey) underneath(st step, f found) ([]step, error) {
	_, ours := s.manifest.Files[f.at]
	if ours && f.what == file {
		return []step{st}, nil // it is no longer rendered, so it goes or is a conflict of its own
	}
	clear := step{kind: remove, path: f.at, perm: f.info.Mode().Perm()}
	clear.conflict = &Conflict{f.at, Foreign, "is " + f.what.String() + " where a folder for " + st.path + " is needed"}
	if f.what == device {
		clear.conflict.Kind = Blocked
		return []step{clear, st}, nil
	}
	var err error
	if f.what == file {
		clear.have, err = s.root.ReadFile(f.at)
	}
	if err == nil {
		clear.state, err = stateOf(s.root, f.at)
	}
	return []step{clear, st}, err
}

// replaced is wanted where a file is already.
func (s *survey) replaced(st step, mode fs.FileMode) (step, error) {
	content, err := s.read(st.path)
	if err != nil {
		return st, err
	}
	if bytes.Equal(content, s.tree[st.path]) {
		st.kind = keep
		return st, nil
	}
	st.kind = alter
	st.load(content, mode)
	switch hash, ours := s.manifest.Files[st.path]; {
	case !ours:
		st.conflict = &Conflict{st.path, Foreign, "was not written by scaffold, and a file of that name is rendered"}
	case !isContent(st.have, hash):
		s.edited(&st, hash)
	}
	return st, nil
}

// edited is replaced where the file holds edits of the user's. Those that were
// merged with the very text that is rendered stay.
func (s *survey) edited(st *step, hash string) {
	rendered, record := s.tree[st.path], s.manifest.Merged[st.path]
	same := hashOf(rendered) == hash
	switch {
	case same && isContent(st.have, record.Hash) && !s.opts.Force:
		st.kind, st.merged = keep, st.have
		return
	case !s.opts.Merge && isContent(st.have, record.Hash):
		st.conflict = &Conflict{st.path, Edited, "holds merged edits of yours, and is rendered differently now"}
		return
	case !s.opts.Merge:
		st.conflict = &Conflict{st.path, Edited, "was edited, and is rendered differently"}
		return
	case same:
		st.kind, st.merged = keep, st.have
		return
	}
	base := s.lastRendered(st.path)
	if base == nil {
		st.conflict = &Conflict{st.path, Edited, "was edited, and what scaffold rendered there last is neither kept here nor the last commit's, so there is nothing to tell the edit from"}
		return
	}
	merged, reason := mergeEdit(base, st.have, rendered)
	if reason != "" {
		st.conflict = &Conflict{st.path, Edited, reason}
		return
	}
	st.merged = merged
	if bytes.Equal(merged, st.have) {
		st.kind = keep
	}
}

// content is what the file of a step is to hold.
func (s *survey) content(st step) []byte {
	if st.merged != nil {
		return st.merged
	}
	return s.tree[st.path]
}

// records are the edits that stay, for the manifest.
func (s *survey) records() map[string]Merged {
	records := map[string]Merged{}
	for p, record := range s.manifest.Merged {
		if !s.covers(p) {
			records[p] = record
		}
	}
	for _, st := range s.steps {
		if st.merged == nil || bytes.Equal(st.merged, s.tree[st.path]) {
			continue
		}
		record := s.manifest.Merged[st.path]
		if !isContent(st.merged, record.Hash) || hashOf(s.tree[st.path]) != s.manifest.Files[st.path] {
			record = newMerged(st.merged, s.tree[st.path])
		}
		records[st.path] = record
	}
	return records
}

// unwanted finds what to do for a path of ours that is no longer rendered.
func (s *survey) unwanted(p string) error {
	if s.root == nil {
		return nil
	}
	f, err := look(s.root, p)
	if err != nil || f.at != p || f.what == nothing {
		return err // gone, or its folder was replaced: nothing of ours is left
	}
	st := step{kind: remove, path: p}
	switch f.what {
	case file:
		content, err := s.read(p)
		if err != nil {
			return err
		}
		st.load(content, f.info.Mode())
		if !isContent(st.have, s.manifest.Files[p]) {
			st.conflict = &Conflict{p, EditedStale, "was edited, and is no longer rendered"}
		}
	case link:
		st.conflict = &Conflict{p, EditedStale, "was replaced by a symbolic link, and is no longer rendered"}
		if st.state, err = stateOf(s.root, p); err != nil {
			return err
		}
	default:
		return nil // what the user put there instead is the user's
	}
	s.steps = append(s.steps, st)
	return nil
}

func (st *step) load(content []byte, mode fs.FileMode) {
	st.have, st.perm, st.state = content, mode.Perm(), hashOf(content)
}

// read reads a file of the folder, never returning nil for an empty one.
// Paths come in order, so keeping the last folder open saves most of the way.
func (s *survey) read(p string) ([]byte, error) {
	if dir := path.Dir(p); s.at == nil || dir != s.atName {
		at, err := s.root.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		if s.at != nil {
			s.at.Close()
		}
		s.at, s.atName = at, dir
	}
	content, err := s.at.ReadFile(path.Base(p))
	if content == nil {
		content = []byte{}
	}
	return content, err
}

// onlyStale reports whether a folder holds nothing but files of ours that are
// no longer rendered, so that it will be gone.
func (s *survey) onlyStale(dir string) (bool, error) {
	_, foreign, err := s.list(dir)
	return !foreign, err
}

// list fingerprints our files below a folder, and reports whether there is
// anything else. It does not descend into folders that hold nothing of ours:
// a provider cache costs one look.
func (s *survey) list(dir string) (prints map[string]print, foreign bool, err error) {
	prints = map[string]print{}
	folders := map[string]bool{}
	for p := range s.manifest.Files {
		for i, c := range p {
			if c == '/' {
				folders[p[:i]] = true
			}
		}
	}
	err = fs.WalkDir(s.root.FS(), dir, func(p string, d fs.DirEntry, err error) error {
		switch _, ours := s.manifest.Files[p]; {
		case err != nil:
			return err
		case d.IsDir() && (p == "." || folders[p]):
			return nil
		case d.Type().IsRegular() && (ours || p == ManifestName):
			// What the tree does not speak for stays where it is, as if it
			// were the user's.
			foreign = foreign || (ours && !s.covers(p))
			info, err := d.Info()
			if err == nil {
				prints[p] = printOf(info)
			}
			return err
		case d.IsDir():
			foreign = foreign || p != baseName
			return fs.SkipDir
		}
		foreign = true
		return nil
	})
	return prints, foreign, err
}

// plan sorts the steps into a plan.
func (s *survey) plan(force bool) Plan {
	var p Plan
	for _, st := range s.steps {
		if c := st.conflict; c != nil {
			if !force || !c.Forceable() {
				p.Conflicts = append(p.Conflicts, *c)
				continue
			}
			p.Overwritten = append(p.Overwritten, *c)
		}
		if st.merged != nil && s.opts.Merge {
			p.Merged = append(p.Merged, st.path)
		}
		switch st.kind {
		case keep:
			p.Unchanged = append(p.Unchanged, st.path)
		case create:
			p.Created = append(p.Created, st.path)
		case alter:
			p.Changed = append(p.Changed, st.path)
		case remove:
			p.Removed = append(p.Removed, st.path)
		}
	}
	slices.Sort(p.Removed)
	byPath := func(a, b Conflict) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(p.Conflicts, byPath)
	slices.SortFunc(p.Overwritten, byPath)
	return p
}
