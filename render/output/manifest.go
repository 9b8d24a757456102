package output

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// ManifestName is the file, in the output folder, that lists scaffold's files.
const ManifestName = ".scaffold.json"

const (
	manifestFormat = 1
	manifestNote   = "Which files here scaffold wrote. Commit it and leave it to scaffold: " +
		"it is how an edit of yours is told from scaffold's own text."
)

// Manifest is the content of [ManifestName]. It has no times and no absolute
// paths: the same render writes the same bytes everywhere.
type Manifest struct {
	Note   string `json:"note"`
	Format int    `json:"format"`

	// Tool is the version of scaffold that last changed a file here.
	Tool string `json:"scaffold,omitempty"`

	// Files has "sha256:…" by path. Keys are written in sorted order.
	Files map[string]string `json:"files"`

	// Merged are those of them that hold edits which the user had merged.
	Merged map[string]Merged `json:"merged,omitempty"`
}

// ReadManifest reads the manifest of a folder. A folder without one, or no
// folder at all, gives an empty manifest.
func ReadManifest(dir string) (Manifest, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, nil
	}
	if err != nil {
		return Manifest{}, err
	}
	defer root.Close()
	return readManifest(root)
}

func readManifest(root *os.Root) (Manifest, error) {
	fail := func(reason string) (Manifest, error) {
		return Manifest{}, fmt.Errorf("%s: %s; restore it from version control, or delete it: scaffold then takes over "+
			"the files that are exactly what it renders and names the others", filepath.Join(root.Name(), ManifestName), reason)
	}
	info, err := root.Lstat(ManifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, nil
	}
	if err != nil {
		return Manifest{}, err
	}
	if !info.Mode().IsRegular() {
		return fail("is not a regular file")
	}
	text, err := root.ReadFile(ManifestName)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return fail("is damaged (" + err.Error() + ")")
	}
	if m.Format > manifestFormat {
		return Manifest{}, fmt.Errorf("%s: written by a newer scaffold (%s); install that version or a later one",
			filepath.Join(root.Name(), ManifestName), m.Tool)
	}
	if reason := m.problem(); reason != "" {
		return fail(reason)
	}
	return m, nil
}

var hashPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// problem says what is wrong with a manifest that was read. Its paths lead to
// files that are removed, so they are held to the same rules as rendered ones.
func (m Manifest) problem() string {
	if m.Format != manifestFormat {
		return fmt.Sprintf("has no known format (%d)", m.Format)
	}
	for p, hash := range m.Files {
		if reason := badPath(p); reason != "" {
			return fmt.Sprintf("lists the path %q, which %s", p, reason)
		}
		if !hashPattern.MatchString(hash) {
			return fmt.Sprintf("has a malformed hash for %q", p)
		}
	}
	for p, merged := range m.Merged {
		if m.Files[p] == "" {
			return fmt.Sprintf("has an edit of %q, which it does not list", p)
		}
		if !hashPattern.MatchString(merged.Hash) {
			return fmt.Sprintf("has a malformed hash for the edit of %q", p)
		}
	}
	return ""
}

// holds reports whether a file is as it was written, or as a merge left it.
func (m Manifest) holds(p string, content []byte) bool {
	return isContent(content, m.Files[p]) || isContent(content, m.Merged[p].Hash)
}

// encode writes the manifest as it stands in the folder.
func (m Manifest) encode() []byte {
	m.Note, m.Format = manifestNote, manifestFormat
	if m.Files == nil {
		m.Files = map[string]string{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		panic(err) // strings and a map of strings always encode
	}
	return b.Bytes()
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// isContent reports whether content is what hash was made from. Git may have
// turned the line ends of a checkout into CRLF; that is no edit.
func isContent(content []byte, hash string) bool {
	if hashOf(content) == hash {
		return true
	}
	crlf := []byte("\r\n")
	return bytes.Contains(content, crlf) && hashOf(bytes.ReplaceAll(content, crlf, []byte("\n"))) == hash
}
