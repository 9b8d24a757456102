package output

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// folder is an output folder, with every link on the way to it resolved: the
// user may point at it through a link, but inside it none is followed.
type folder struct {
	abs, parent, base string
}

func locate(dir string) (folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return folder{}, err
	}
	_, err = os.Lstat(abs)
	switch {
	case err == nil:
		if abs, err = filepath.EvalSymlinks(abs); err != nil {
			return folder{}, fmt.Errorf("output folder %s is a link that leads nowhere; make the folder, or name another", dir)
		}
		var info fs.FileInfo
		if info, err = os.Stat(abs); err == nil && !info.IsDir() {
			err = fmt.Errorf("output folder %s is a file; name a folder, or move the file away", dir)
		}
		if err != nil {
			return folder{}, err
		}
	case errors.Is(err, fs.ErrNotExist):
		if parent, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
			abs = filepath.Join(parent, filepath.Base(abs))
		}
	case errors.Is(err, syscall.ENOTDIR):
		return folder{}, fmt.Errorf("output folder %s cannot be: a part of that path is a file", dir)
	default:
		return folder{}, fmt.Errorf("output folder: %w", err)
	}
	f := folder{abs: abs, parent: filepath.Dir(abs), base: filepath.Base(abs)}
	if f.parent == f.abs {
		return folder{}, fmt.Errorf("output folder %s is the root of the file system; name a folder in it", dir)
	}
	return f, nil
}

// inUse reports whether this process, or the shell that started it, stands in
// the folder. Exchanging the folder would leave it standing in the old one.
func (f folder) inUse() bool {
	wd, _ := os.Getwd()
	for _, at := range []string{wd, os.Getenv("PWD")} {
		if real, err := filepath.EvalSymlinks(at); err == nil && at != "" {
			if real == f.abs || strings.HasPrefix(real, f.abs+string(filepath.Separator)) {
				return true
			}
		}
	}
	return false
}

// thing is what stands at a path.
type thing int

const (
	nothing thing = iota
	file
	link
	directory
	device // or a pipe, or a socket
)

func thingOf(info fs.FileInfo) thing {
	switch m := info.Mode(); {
	case m.IsRegular():
		return file
	case m&fs.ModeSymlink != 0:
		return link
	case m.IsDir():
		return directory
	}
	return device
}

func (t thing) String() string {
	return [...]string{"nothing", "a file", "a symbolic link", "a folder", "a device, pipe or socket"}[t]
}

// found is what looking for a path came to. Where a part of the way to it is
// not a folder, at is that part.
type found struct {
	at   string
	what thing
	info fs.FileInfo
}

// look finds what stands at p without following links on the way.
func look(root *os.Root, p string) (found, error) {
	for i, c := range p {
		if c != '/' {
			continue
		}
		if f, err := lookAt(root, p[:i]); err != nil || f.what != directory {
			return f, err
		}
	}
	return lookAt(root, p)
}

func lookAt(root *os.Root, p string) (found, error) {
	info, err := root.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return found{at: p}, nil
	}
	if err != nil {
		return found{}, err
	}
	return found{at: p, what: thingOf(info), info: info}, nil
}

// stateOf names what stands at p precisely enough to tell later whether it is
// still the same: "" for nothing, a hash for a file.
func stateOf(root *os.Root, p string) (string, error) {
	f, err := look(root, p)
	switch {
	case err != nil:
		return "", err
	case f.what == nothing:
		return "", nil
	case f.at != p:
		return "blocked by " + f.at, nil
	case f.what == file:
		content, err := root.ReadFile(p)
		return hashOf(content), err
	case f.what == link:
		target, err := root.Readlink(p)
		return "link to " + target, err
	}
	return f.what.String(), nil
}

// writeNew writes a file that must not exist yet. The mode of a file that it replaces is kept.
func writeNew(root *os.Root, p string, content []byte, perm fs.FileMode, sync bool) error {
	f, err := root.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && perm != 0 {
		err = f.Chmod(perm)
	}
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// prune removes the folders above p that have become empty. A folder that is
// gone already is no reason to stop: a kill may have come between the two.
func prune(root *os.Root, p string) {
	for d := path.Dir(p); d != "."; d = path.Dir(d) {
		if err := root.Remove(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}
