package archive

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRoundTrip writes two kinds that share a node and reads them back.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	data := write(t)
	if !bytes.Equal(data, write(t)) {
		t.Error("the same schemas gave other bytes")
	}
	r, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	want := []Kind{{Group: "example.com", Version: "v1", Kind: "Large"}, {Version: "v1", Kind: "Small"}}
	if diff := cmp.Diff(want, r.Kinds()); diff != "" {
		t.Error(diff)
	}
	for _, k := range want {
		s, err := r.Schema(k)
		if err != nil {
			t.Fatal(err)
		}
		if s.Cluster != (k.Kind == "Large") {
			t.Errorf("%s: cluster is %t", k, s.Cluster)
		}
		root := s.Node(s.Root)
		name := s.Node(root.Properties["name"])
		if root.Type != "object" || name.Type != "string" || name.Pattern != k.Kind && name.Pattern != "shared" {
			t.Errorf("%s: %+v with %+v", k, root, name)
		}
	}
	if s, err := r.Schema(Kind{Version: "v2", Kind: "Small"}); s != nil || err != nil {
		t.Errorf("an unknown kind has a schema: %v %v", s, err)
	}
}

func write(t *testing.T) []byte {
	t.Helper()
	w := NewWriter()
	add := func(n Node) Ref {
		ref, err := w.Add(n)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	for _, kind := range []string{"Small", "Large"} {
		name := add(Node{Type: "string", Pattern: "shared"})
		own := add(Node{Type: "string", Pattern: kind})
		list := add(Node{Type: "array", Items: &own, AnyOf: []Ref{name}})
		root := add(Node{Type: "object", Properties: map[string]Ref{"name": name, "own": own, "list": list}})
		k := Kind{Version: "v1", Kind: kind}
		if kind == "Large" {
			k.Group = "example.com"
		}
		w.AddKind(k, kind == "Large", root)
	}
	var data bytes.Buffer
	if _, err := w.WriteTo(&data); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	if _, err := Open([]byte("nothing")); err == nil {
		t.Error("no error for bytes that are no archive")
	}
}
