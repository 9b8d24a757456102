package check_test

import (
	"testing"

	"scaffold/providers/check"
)

// FuzzRoot makes sure that no text brings the check down, and that each
// diagnostic points into the text.
func FuzzRoot(f *testing.F) {
	schemas := toy(f)
	for _, snippet := range snippets() {
		f.Add(snippet)
	}
	f.Add(base + box("size = 1"))
	f.Fuzz(func(t *testing.T, text string) {
		for _, diag := range check.Root(map[string][]byte{"a.tf": []byte(text)}, schemas) {
			if diag.Subject == nil {
				t.Fatalf("%s has no place", diag.Summary)
			}
			// What a template file holds has positions of its own.
			if diag.Subject.Filename == "a.tf" && diag.Subject.End.Byte > len(text) {
				t.Fatalf("%s is outside the text: %v", diag.Summary, diag.Subject)
			}
		}
	})
}
