package output

import "io/fs"

func printOf(info fs.FileInfo) print {
	return print{size: info.Size(), mtime: info.ModTime().UnixNano(), mode: info.Mode()}
}

func ownerOf(fs.FileInfo) [2]uint32 { return [2]uint32{} }

// mayWrite leaves it to the attempt: access on Windows is not a mode.
func mayWrite(string) error { return nil }

// syncDir has nothing to do: NTFS journals names by itself.
func syncDir(string) error { return nil }
