package output

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
)

// The folder that keeps what was rendered last, so that an edit of the user's
// can be told from it and merged. It ignores itself in git: whoever has no copy
// gets one with the next write, and what an accepted edit was made from stands
// in the manifest. Nothing breaks without it, but for merging.
const (
	baseName  = ".scaffold-base"
	baseFiles = "files.zip"
)

// Merged is the record of a file that holds edits of the user's, which the user
// had merged with what is rendered.
type Merged struct {
	// Hash is that of the file with the edits in it.
	Hash string `json:"hash"`
	// Base is what was rendered there, compressed.
	Base string `json:"base"`
}

// newMerged records a file with edits, and what it was made from.
func newMerged(content, base []byte) Merged {
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	w, _ := flate.NewWriter(text, flate.BestCompression)
	_, _ = w.Write(base) // into memory
	_ = w.Close()
	_ = text.Close()
	return Merged{Hash: hashOf(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))), Base: b.String()}
}

func (m Merged) base() []byte {
	text := base64.NewDecoder(base64.StdEncoding, bytes.NewReader([]byte(m.Base)))
	content, err := io.ReadAll(flate.NewReader(text))
	if err != nil {
		return nil
	}
	return content
}

// lastRendered is what was rendered at a path last, nil if it is not known.
func (s *survey) lastRendered(p string) []byte {
	hash := s.manifest.Files[p]
	for _, find := range []func(string) []byte{s.mergedBase, s.keptBase, s.opts.Base} {
		if find == nil {
			continue
		}
		if content := find(p); content != nil && hashOf(content) == hash {
			return content
		}
	}
	return nil
}

func (s *survey) mergedBase(p string) []byte { return s.manifest.Merged[p].base() }

func (s *survey) keptBase(p string) []byte {
	if s.archive == nil {
		s.archive = readBase(s.root)
	}
	file, err := s.archive.Open(p)
	if err != nil {
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil
	}
	return content
}

// readBase opens what is kept; it is empty if nothing is, or nothing readable.
func readBase(root *os.Root) *zip.Reader {
	if root == nil {
		return &zip.Reader{}
	}
	text, err := root.ReadFile(path.Join(baseName, baseFiles))
	if err != nil {
		return &zip.Reader{}
	}
	kept, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		return &zip.Reader{}
	}
	return kept
}

// keepBase keeps the tree for the merge of a later edit. What the tree does not
// speak for is taken from what was kept before.
func (s *survey) keepBase() error {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	deflate, _ := flate.NewWriter(nil, flate.BestSpeed) // one for all: making it costs more than a small file
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		deflate.Reset(w)
		return deflate, nil
	})
	for _, p := range s.tree.Paths() {
		w, err := archive.Create(p)
		if err == nil {
			_, err = w.Write(s.tree[p])
		}
		if err != nil {
			return err
		}
	}
	if len(s.opts.Within) > 0 {
		for _, file := range readBase(s.root).File {
			if _, ours := s.manifest.Files[file.Name]; ours && !s.covers(file.Name) {
				if err := archive.Copy(file); err != nil {
					return err
				}
			}
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	root, err := os.OpenRoot(s.abs)
	if err != nil {
		return err
	}
	defer root.Close()
	return putBase(root, b.Bytes())
}

func putBase(root *os.Root, archive []byte) error {
	if err := root.Mkdir(baseName, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := writeNew(root, path.Join(baseName, ".gitignore"), []byte("*\n"), 0, false); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	draft := path.Join(baseName, baseFiles+".draft")
	_ = root.Remove(draft) // of a run that was killed
	if err := writeNew(root, draft, archive, 0, false); err != nil {
		return err
	}
	return root.Rename(draft, path.Join(baseName, baseFiles))
}
