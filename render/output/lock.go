package output

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// defaultWait is how long to wait for another process.
const defaultWait = 30 * time.Second

// lock holds the folder for this process and returns what lets it go.
//
// The parent directory itself is locked: it stays when the folder is
// exchanged, needs no write permission, and leaves no file behind. Where a
// directory cannot be locked (Windows, some network file systems) a file in
// the system's temporary folder stands in for it.
func (f folder) lock(ctx context.Context, wait time.Duration) (func(), error) {
	if wait <= 0 {
		wait = defaultWait
	}
	l := flock.New(f.parent, flock.SetFlag(os.O_RDONLY))
	err := f.await(ctx, l, wait)
	var locked *LockedError
	if err == nil || errors.As(err, &locked) || ctx.Err() != nil {
		return func() { _ = l.Unlock() }, err
	}
	sum := sha256.Sum256([]byte(f.parent))
	l = flock.New(filepath.Join(os.TempDir(), "scaffold-"+hex.EncodeToString(sum[:8])+".lock"), flock.SetPermissions(0o666))
	return func() { _ = l.Unlock() }, f.await(ctx, l, wait)
}

// await polls, because a blocking lock could not be cancelled.
func (f folder) await(ctx context.Context, l *flock.Flock, wait time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ok, err := l.TryLockContext(bounded, 5*time.Millisecond)
	switch {
	case ok:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case bounded.Err() != nil:
		return &LockedError{Dir: f.abs, Wait: wait}
	}
	return err
}
