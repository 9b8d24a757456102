package output

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// The folder in which a write in place is staged:
//
//	.scaffold-staging/0, 1, …  contents
//	.scaffold-staging/commit   once it is there the write is decided
const (
	stagingName = ".scaffold-staging"
	commitName  = "commit"
)

// commitRecord is everything that finishing a write takes. Carrying it out
// twice, or half and then whole, comes to the same.
type commitRecord struct {
	Format  int          `json:"format"`
	Removes []recordStep `json:"removes"`
	Writes  []recordStep `json:"writes"`
}

// recordStep is one file; State is what stood there when the write was
// planned. Anything else that stands there was put there since, and stays.
type recordStep struct {
	Path   string `json:"path"`
	State  string `json:"state"`
	Staged string `json:"staged,omitempty"`
}

// journal writes in place: stage, decide, carry out.
func (w *writer) journal() error {
	if err := w.stage(); err != nil {
		return errors.Join(err, w.root.RemoveAll(stagingName))
	}
	kept, err := finish(w.root)
	w.kept = kept
	return err
}

// stage does everything that can fail for lack of space or permission, and
// ends with the one rename that decides.
func (w *writer) stage() error {
	if err := w.root.Mkdir(stagingName, 0o700); err != nil {
		return err
	}
	rec := commitRecord{Format: 1}
	for _, st := range w.steps {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if st.kind == keep {
			continue
		}
		if err := w.writable(st.path); err != nil {
			return err
		}
		if st.kind == remove {
			rec.Removes = append(rec.Removes, recordStep{Path: st.path, State: st.state})
			continue
		}
		if err := w.stageFile(&rec, st.path, st.state, w.content(st), st.perm); err != nil {
			return err
		}
	}
	state, err := stateOf(w.root, ManifestName)
	if err != nil {
		return err
	}
	if err := w.stageFile(&rec, ManifestName, state, w.manifest, w.manifestPerm()); err != nil {
		return err
	}
	if err := syncTree(filepath.Join(w.abs, stagingName), len(rec.Writes)); err != nil {
		return err
	}
	return w.decide(rec)
}

func (w *writer) stageFile(rec *commitRecord, p, state string, content []byte, perm fs.FileMode) error {
	name := strconv.Itoa(len(rec.Writes))
	rec.Writes = append(rec.Writes, recordStep{Path: p, State: state, Staged: name})
	return writeNew(w.root, path.Join(stagingName, name), content, perm, false)
}

// writable fails now where a rename would fail after the decision.
func (w *writer) writable(p string) error {
	for d := path.Dir(p); ; d = path.Dir(d) {
		f, err := look(w.root, d)
		if err != nil {
			return err
		}
		if f.what == directory && f.at == d {
			return mayWrite(filepath.Join(w.abs, filepath.FromSlash(d)))
		}
		if d == "." {
			return nil
		}
	}
}

func (w *writer) decide(rec commitRecord) error {
	text, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	draft := path.Join(stagingName, commitName+".draft")
	if err := writeNew(w.root, draft, text, 0o600, true); err != nil {
		return err
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := w.root.Rename(draft, path.Join(stagingName, commitName)); err != nil {
		return err
	}
	return syncDir(filepath.Join(w.abs, stagingName))
}

// finish carries out a decided write, or throws away one that is not decided.
// It returns the files it left alone because they changed since the decision.
func finish(root *os.Root) ([]string, error) {
	info, err := root.Lstat(stagingName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	where := filepath.Join(root.Name(), stagingName)
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is in the way of scaffold's own folder; move it away", where)
	}
	rec, decided, err := readRecord(root)
	if err != nil {
		return nil, fmt.Errorf("%s: an interrupted write cannot be finished: %w; delete that folder, then render again", where, err)
	}
	if !decided {
		return nil, root.RemoveAll(stagingName)
	}
	kept, err := rec.carryOut(root)
	if err != nil {
		return kept, fmt.Errorf("%w; the write of %s is decided but not finished, and the next run goes on with it "+
			"once this is repaired", err, root.Name())
	}
	if err := errors.Join(syncDir(root.Name()), root.Remove(path.Join(stagingName, commitName))); err != nil {
		return kept, err
	}
	return kept, root.RemoveAll(stagingName)
}

// readRecord reads the commit record. It may come from anywhere a folder can
// be copied from, so its paths are checked like rendered ones.
func readRecord(root *os.Root) (rec commitRecord, decided bool, err error) {
	name := path.Join(stagingName, commitName)
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return rec, false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return rec, false, errors.Join(err, errors.New("its commit record is not a regular file"))
	}
	text, err := root.ReadFile(name)
	if err != nil {
		return rec, false, err
	}
	if err := json.Unmarshal(text, &rec); err != nil {
		return rec, false, err
	}
	if rec.Format != 1 {
		return rec, false, fmt.Errorf("its format %d is not known", rec.Format)
	}
	for _, st := range slices.Concat(rec.Removes, rec.Writes) {
		if reason := badPath(st.Path); reason != "" && st.Path != ManifestName {
			return rec, false, &PathError{st.Path, reason}
		}
	}
	for _, st := range rec.Writes {
		if n, err := strconv.Atoi(st.Staged); err != nil || n < 0 {
			return rec, false, fmt.Errorf("it stages %q, which is not a number", st.Staged)
		}
	}
	return rec, true, nil
}

// carryOut removes first, so that a file can become a folder and the reverse.
func (rec commitRecord) carryOut(root *os.Root) (kept []string, err error) {
	for _, st := range rec.Removes {
		state, err := stateOf(root, st.Path)
		switch {
		case err != nil:
			return kept, err
		case state == "":
			prune(root, st.Path)
			continue
		case state == directory.String(), state != st.State && st.done(root, rec):
			continue
		case state != st.State:
			kept = append(kept, st.Path)
			continue
		}
		if err := root.Remove(st.Path); err != nil {
			return kept, err
		}
		prune(root, st.Path)
	}
	for _, st := range rec.Writes {
		ok, err := st.put(root)
		if err != nil {
			return kept, err
		}
		if !ok {
			kept = append(kept, st.Path)
		}
	}
	return kept, nil
}

// done reports whether a removed path is blocked by a file that this same
// write has put in place of its folder.
func (st recordStep) done(root *os.Root, rec commitRecord) bool {
	f, err := look(root, st.Path)
	return err == nil && f.at != st.Path && slices.ContainsFunc(rec.Writes, func(w recordStep) bool { return w.Path == f.at })
}

// put moves a staged file into place. It reports false where something else
// came to stand there, which stays.
func (st recordStep) put(root *os.Root) (bool, error) {
	staged := path.Join(stagingName, st.Staged)
	if _, err := root.Lstat(staged); errors.Is(err, fs.ErrNotExist) {
		return true, nil // done before the interruption
	}
	state, err := stateOf(root, st.Path)
	if err != nil {
		return false, err
	}
	if state != "" && state != st.State {
		return false, root.Remove(staged)
	}
	if err := root.MkdirAll(path.Dir(st.Path), 0o755); err != nil {
		return false, err
	}
	return true, root.Rename(staged, st.Path)
}
