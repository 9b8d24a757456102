package output

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// Recover finishes or undoes a write that was killed. Every other function
// here does so first; it is for those who are about to read the folder by
// other means. It returns files that were edited since, which stay as they are.
func Recover(ctx context.Context, dir string) (kept []string, err error) {
	f, err := locate(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(f.parent); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	unlock, err := f.lock(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return f.recover()
}

// recover is Recover under the lock.
func (f folder) recover() ([]string, error) {
	parent, err := os.OpenRoot(f.parent)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	kept, err := f.recoverSwap(parent)
	if err != nil {
		return kept, err
	}
	root, err := os.OpenRoot(f.abs)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return kept, err
	}
	defer root.Close()
	more, err := finish(root)
	return append(kept, more...), err
}
