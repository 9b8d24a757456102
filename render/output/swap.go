package output

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strconv"
)

// errNoSwap says that the folder cannot be exchanged here; nothing happened.
var errNoSwap = errors.New("folders cannot be exchanged here")

// The folder next to the output folder in which a tree is built:
//
//	.NAME.scaffold-swap/tree      the new tree; after the exchange, the old one
//	.NAME.scaffold-swap/building  the inode of tree while it is the new one
const (
	swapTree     = "tree"
	swapBuilding = "building"
)

func (f folder) swapName() string { return "." + f.base + ".scaffold-swap" }

// place puts the tree where there is no folder yet.
func (w *writer) place() error {
	parent, err := os.OpenRoot(w.parent)
	if err != nil {
		return err
	}
	defer parent.Close()
	defer parent.RemoveAll(w.swapName())
	if err := w.build(parent); err != nil {
		return err
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := parent.Rename(path.Join(w.swapName(), swapTree), w.base); err != nil {
		return err
	}
	return syncDir(w.parent)
}

// swap builds the whole tree beside the folder and exchanges the two.
//
// Looking again right before and right after the exchange closes the gap in
// which somebody saves a file: what was not there when the plan was made is
// exchanged back, and the plan is made again.
func (w *writer) swap() error {
	parent, err := os.OpenRoot(w.parent)
	if err != nil {
		return errors.Join(errNoSwap, err)
	}
	defer parent.Close()
	defer parent.RemoveAll(w.swapName())
	if err := w.build(parent); err != nil {
		return errors.Join(errNoSwap, err)
	}
	if !w.sameOwner() {
		return errNoSwap
	}
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if !w.same() {
		return errMoved
	}
	built := filepath.Join(w.parent, w.swapName(), swapTree)
	if err := exchange(built, w.abs); err != nil {
		return errors.Join(errNoSwap, err)
	}
	if !w.same() { // w.root is still the old folder, by its new name
		if err := exchange(built, w.abs); err != nil {
			return err
		}
		return errMoved
	}
	return errors.Join(syncDir(w.parent), w.disown(parent))
}

// disown drops the record that makes the swap folder worth a look: without it
// the old tree in it is as disposable as one that was never finished. It goes
// first, since a kill may leave the old tree half deleted.
func (f folder) disown(parent *os.Root) error {
	return parent.Remove(path.Join(f.swapName(), swapBuilding))
}

// same reports whether the old folder is as it was.
func (w *writer) same() bool {
	now, foreign, err := w.list(".")
	return err == nil && !foreign && maps.Equal(now, w.before)
}

// build makes the new tree in full. What does not change is a hard link to the
// file that is there: same inode, same time, no bytes copied.
func (w *writer) build(parent *os.Root) error {
	if err := parent.Mkdir(w.swapName(), 0o700); err != nil {
		return err
	}
	top := path.Join(w.swapName(), swapTree)
	if err := w.mkdir(parent, top, "."); err != nil {
		return err
	}
	info, err := parent.Lstat(top)
	if err != nil {
		return err
	}
	ino := strconv.FormatUint(printOf(info).ino, 10)
	if err := parent.WriteFile(path.Join(w.swapName(), swapBuilding), []byte(ino), 0o600); err != nil {
		return err
	}
	if err := w.fill(parent, top); err != nil {
		return err
	}
	return syncTree(filepath.Join(w.parent, top), len(w.steps))
}

func (w *writer) fill(parent *os.Root, top string) error {
	made := map[string]bool{".": true}
	var mkdirs func(d string) error
	mkdirs = func(d string) error {
		if made[d] {
			return nil
		}
		made[d] = true
		if err := mkdirs(path.Dir(d)); err != nil {
			return err
		}
		return w.mkdir(parent, path.Join(top, d), d)
	}
	for _, st := range w.steps {
		if st.kind == remove {
			continue
		}
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := mkdirs(path.Dir(st.path)); err != nil {
			return err
		}
		target := path.Join(top, st.path)
		var err error
		if st.kind == keep {
			err = parent.Link(path.Join(w.base, st.path), target)
		} else {
			err = writeNew(parent, target, w.content(st), st.perm, false)
		}
		if err != nil {
			return err
		}
	}
	return writeNew(parent, path.Join(top, ManifestName), w.manifest, w.manifestPerm(), false)
}

// mkdir makes a folder of the new tree with the mode of the one it replaces.
func (w *writer) mkdir(parent *os.Root, name, old string) error {
	if err := parent.Mkdir(name, 0o755); err != nil || w.root == nil {
		return err
	}
	info, err := w.root.Lstat(old)
	if err != nil || !info.IsDir() {
		return nil
	}
	return parent.Chmod(name, info.Mode()&(fs.ModePerm|fs.ModeSetgid|fs.ModeSticky))
}

// sameOwner reports whether the new folder belongs to whom the old one does.
// Root, writing into a colleague's folder, must not take it from them.
func (w *writer) sameOwner() bool {
	old, err1 := os.Lstat(w.abs)
	built, err2 := os.Lstat(filepath.Join(w.parent, w.swapName(), swapTree))
	return err1 == nil && err2 == nil && ownerOf(old) == ownerOf(built)
}

// recoverSwap cleans up after a write that was stopped around an exchange.
// It returns where files are that were edited in that very moment.
func (f folder) recoverSwap(parent *os.Root) ([]string, error) {
	info, err := parent.Lstat(f.swapName())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is in the way of scaffold's own folder; move it away", filepath.Join(f.parent, f.swapName()))
	}
	built, err := f.unexchanged(parent)
	if err != nil {
		return nil, err
	}
	var kept []string
	if !built {
		if kept, err = f.rescue(parent); err == nil {
			err = f.disown(parent)
		}
		if err != nil {
			return kept, err
		}
	}
	return kept, parent.RemoveAll(f.swapName())
}

// unexchanged reports whether the tree in the swap folder is one that was
// being built, and not the old tree, which may hold an edit.
func (f folder) unexchanged(parent *os.Root) (bool, error) {
	recorded, err := parent.ReadFile(path.Join(f.swapName(), swapBuilding))
	if err != nil {
		return true, nil // killed before the record, so before the exchange
	}
	info, err := parent.Lstat(path.Join(f.swapName(), swapTree))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return strconv.FormatUint(printOf(info).ino, 10) == string(recorded), nil
}

// rescue keeps the old tree under a visible name if anything in it is not what
// its manifest says.
func (f folder) rescue(parent *os.Root) ([]string, error) {
	old, err := parent.OpenRoot(path.Join(f.swapName(), swapTree))
	if err != nil {
		return nil, err
	}
	defer old.Close()
	if pristine(old) {
		return nil, nil
	}
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s.scaffold-kept-%d", f.base, n)
		if _, err := parent.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			err := parent.Rename(path.Join(f.swapName(), swapTree), name)
			return []string{filepath.Join(f.parent, name)}, err
		}
	}
}

// pristine reports whether a folder holds just what its manifest lists.
func pristine(root *os.Root) bool {
	m, err := readManifest(root)
	if err != nil {
		return false
	}
	s := survey{root: root, manifest: m}
	prints, foreign, err := s.list(".")
	if err != nil || foreign {
		return false
	}
	for p := range prints {
		if p == ManifestName {
			continue
		}
		if content, err := root.ReadFile(p); err != nil || !m.holds(p, content) {
			return false
		}
	}
	return true
}
