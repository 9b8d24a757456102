package archive

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
)

// Writer collects schemas and writes them as one archive.
type Writer struct {
	ids     map[string]int // text of a node to its number
	nodes   []Node         // with global numbers as references
	schemas []written
}

type written struct {
	kind    Kind
	cluster bool
	root    int
}

// NewWriter returns an empty archive.
func NewWriter() *Writer { return &Writer{ids: map[string]int{}} }

// Add stores one node whose references came from Add, and returns its number.
// An equal node gets the same number.
func (w *Writer) Add(n Node) (Ref, error) {
	text, err := json.Marshal(n)
	if err != nil {
		return 0, err
	}
	if id, ok := w.ids[string(text)]; ok {
		return Ref(id), nil
	}
	id := len(w.nodes)
	w.ids[string(text)] = id
	w.nodes = append(w.nodes, n)
	return Ref(id), nil
}

// AddKind stores the root of a kind.
func (w *Writer) AddKind(k Kind, cluster bool, root Ref) {
	w.schemas = append(w.schemas, written{kind: k, cluster: cluster, root: int(root)})
}

// WriteTo writes the archive. The same schemas give the same bytes.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	sort.Slice(w.schemas, func(i, j int) bool {
		return w.schemas[i].kind.String() < w.schemas[j].kind.String()
	})
	users := make([]int, len(w.nodes))
	reached := make([][]int, len(w.schemas))
	for i, s := range w.schemas {
		reached[i] = w.reach(s.root)
		for _, id := range reached[i] {
			users[id]++
		}
	}
	shared := map[int]Ref{}
	var sharedIDs []int
	for _, ids := range reached {
		for _, id := range ids {
			if _, done := shared[id]; users[id] > 1 && !done {
				sharedIDs = append(sharedIDs, id)
				shared[id] = Ref(-len(sharedIDs))
			}
		}
	}

	count := &counter{w: out}
	z := zip.NewWriter(count)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	if err := w.writeEntry(z, common, header{}, sharedIDs, shared); err != nil {
		return count.n, err
	}
	for i, s := range w.schemas {
		refs := map[int]Ref{}
		var own []int
		for _, id := range reached[i] {
			if ref, ok := shared[id]; ok {
				refs[id] = ref
				continue
			}
			refs[id] = Ref(len(own))
			own = append(own, id)
		}
		head := header{Root: refs[s.root], Cluster: s.cluster}
		if err := w.writeEntry(z, entryName(s.kind), head, own, refs); err != nil {
			return count.n, err
		}
	}
	return count.n, z.Close()
}

func (w *Writer) writeEntry(z *zip.Writer, name string, head header, ids []int, refs map[int]Ref) error {
	var text bytes.Buffer
	line := json.NewEncoder(&text)
	line.SetEscapeHTML(false)
	if err := line.Encode(head); err != nil {
		return err
	}
	for _, id := range ids {
		if err := line.Encode(renumber(w.nodes[id], refs)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	_, err = f.Write(text.Bytes())
	return err
}

// reach lists the nodes below a root, each once, parents first.
func (w *Writer) reach(root int) []int {
	seen := map[int]bool{}
	var order []int
	var visit func(int)
	visit = func(id int) {
		if seen[id] {
			return
		}
		seen[id] = true
		order = append(order, id)
		for _, ref := range references(w.nodes[id]) {
			visit(int(ref))
		}
	}
	visit(root)
	return order
}

func references(n Node) []Ref {
	var refs []Ref
	names := make([]string, 0, len(n.Properties))
	for name := range n.Properties {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		refs = append(refs, n.Properties[name])
	}
	for _, ref := range []*Ref{n.Values, n.Items, n.Not} {
		if ref != nil {
			refs = append(refs, *ref)
		}
	}
	return slices.Concat(refs, n.AllOf, n.AnyOf, n.OneOf)
}

func renumber(n Node, refs map[int]Ref) Node {
	one := func(ref *Ref) *Ref {
		if ref == nil {
			return nil
		}
		to := refs[int(*ref)]
		return &to
	}
	list := func(from []Ref) []Ref {
		var to []Ref
		for _, ref := range from {
			to = append(to, refs[int(ref)])
		}
		return to
	}
	properties := n.Properties
	n.Properties = nil
	if len(properties) > 0 {
		n.Properties = make(map[string]Ref, len(properties))
	}
	for name, ref := range properties {
		n.Properties[name] = refs[int(ref)]
	}
	n.Values, n.Items, n.Not = one(n.Values), one(n.Items), one(n.Not)
	n.AllOf, n.AnyOf, n.OneOf = list(n.AllOf), list(n.AnyOf), list(n.OneOf)
	return n
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
