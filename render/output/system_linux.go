package output

import (
	"os"

	"golang.org/x/sys/unix"
)

func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// manyFiles is from where on flushing the file system once is cheaper than
// flushing each file.
const manyFiles = 32

// syncTree flushes the contents of a tree to the disk.
func syncTree(dir string, files int) error {
	if files < manyFiles {
		return syncEach(dir)
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
