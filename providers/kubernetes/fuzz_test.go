package kubernetes

import "testing"

// FuzzCheckFiles looks for files that make the validator panic, and holds that
// every finding lies inside the file.
func FuzzCheckFiles(f *testing.F) {
	s, err := Open()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		deployment, route, scaler, budget,
		"&a [*a]", "a: &a {b: *a}", "? [a]\n: b\n", "---\n---\n", "kind: [x]\napiVersion: {a: b}\n", "\t", "a: !!binary x", "<<: {a: b}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, diag := range s.CheckTree(map[string][]byte{"a.yaml": text}) {
			if diag.Subject.Start.Byte > len(text) || diag.Subject.End.Byte > len(text) || diag.Subject.Start.Byte > diag.Subject.End.Byte {
				t.Errorf("%s lies outside of the file", diag)
			}
		}
	})
}
