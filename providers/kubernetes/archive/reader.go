package archive

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// Reader reads schemas out of an archive in memory. It is safe for concurrent
// use.
type Reader struct {
	files map[string]*zip.File
	kinds []Kind

	mu      sync.Mutex
	entries map[string]*entry
}

// entry holds the lines of a zip entry and the nodes parsed out of them so far.
type entry struct {
	header header
	lines  [][]byte
	nodes  []atomic.Pointer[Node]
}

// Open reads the directory of an archive and nothing else.
func Open(data []byte) (*Reader, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("reading the schema archive: %w", err)
	}
	r := &Reader{files: map[string]*zip.File{}, entries: map[string]*entry{}}
	for _, f := range z.File {
		r.files[f.Name] = f
		if part := strings.Split(f.Name, "/"); len(part) == 3 {
			k := Kind{Group: part[0], Version: part[1], Kind: part[2]}
			if k.Group == "core" {
				k.Group = ""
			}
			r.kinds = append(r.kinds, k)
		}
	}
	sort.Slice(r.kinds, func(i, j int) bool { return r.kinds[i].String() < r.kinds[j].String() })
	return r, nil
}

// Kinds lists what the archive knows, in the order of the names.
func (r *Reader) Kinds() []Kind { return r.kinds }

// Schema is the schema of one kind: its root node and what that refers to.
type Schema struct {
	Kind    Kind
	Root    Ref
	Cluster bool // the kind has no namespace

	entry, shared *entry
}

// Schema returns the schema of a kind, or nil when the archive has none.
func (r *Reader) Schema(k Kind) (*Schema, error) {
	name := entryName(k)
	if r.files[name] == nil {
		return nil, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := r.load(name)
	if err != nil {
		return nil, err
	}
	shared, err := r.load(common)
	if err != nil {
		return nil, err
	}
	return &Schema{Kind: k, Root: e.header.Root, Cluster: e.header.Cluster, entry: e, shared: shared}, nil
}

// load inflates an entry once; the caller holds the lock.
func (r *Reader) load(name string) (*entry, error) {
	if e := r.entries[name]; e != nil {
		return e, nil
	}
	f, err := r.files[name].Open()
	if err != nil {
		return nil, fmt.Errorf("reading the schema archive: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s of the schema archive: %w", name, err)
	}
	e := &entry{lines: bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))}
	if err := json.Unmarshal(e.lines[0], &e.header); err != nil {
		return nil, fmt.Errorf("reading %s of the schema archive: %w", name, err)
	}
	e.lines = e.lines[1:]
	e.nodes = make([]atomic.Pointer[Node], len(e.lines))
	r.entries[name] = e
	return e, nil
}

// Node parses the node behind a reference, once. A reference out of a damaged
// archive panics: the archive is part of the program, not input.
func (s *Schema) Node(ref Ref) *Node {
	e, line := s.entry, int(ref)
	if ref < 0 {
		e, line = s.shared, int(-ref-1)
	}
	if n := e.nodes[line].Load(); n != nil {
		return n
	}
	n := new(Node)
	if err := json.Unmarshal(e.lines[line], n); err != nil {
		panic(fmt.Sprintf("schema archive: %s, line %d: %s", s.Kind, line, err))
	}
	e.nodes[line].Store(n)
	return n
}

// Each visits every node of the archive. It is for tests.
func (r *Reader) Each(visit func(k Kind, n *Node)) error {
	for _, k := range r.kinds {
		s, err := r.Schema(k)
		if err != nil {
			return err
		}
		seen := map[Ref]bool{}
		var walk func(Ref)
		walk = func(ref Ref) {
			if seen[ref] {
				return
			}
			seen[ref] = true
			n := s.Node(ref)
			visit(k, n)
			for _, below := range references(*n) {
				walk(below)
			}
		}
		walk(s.Root)
	}
	return nil
}
