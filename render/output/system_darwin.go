package output

import "golang.org/x/sys/unix"

func exchange(a, b string) error { return unix.RenamexNp(a, b, unix.RENAME_SWAP) }

func syncTree(dir string, _ int) error { return syncEach(dir) }
