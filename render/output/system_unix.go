//go:build unix

package output

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func printOf(info fs.FileInfo) print {
	p := print{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		p.ino = uint64(st.Ino)
	}
	return p
}

func ownerOf(info fs.FileInfo) [2]uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return [2]uint32{st.Uid, st.Gid}
	}
	return [2]uint32{}
}

// mayWrite reports whether files can be put into and taken from a folder.
func mayWrite(dir string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%s is not writable (%w); make it writable, or render to another folder", dir, err)
	}
	return nil
}

// syncDir makes the names in a folder survive a power failure.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
