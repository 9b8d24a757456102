package output

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Tree is what a folder should hold: content by slash-separated relative path.
type Tree map[string][]byte

// A PathError says why a path cannot be part of a tree.
type PathError struct {
	Path   string
	Reason string
}

func (e *PathError) Error() string { return fmt.Sprintf("path %q: %s", e.Path, e.Reason) }

// Paths returns the paths in the order in which everything here reports them.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// Validate reports every path that could not be written on each system, or
// that would reach out of the folder. A tree that passes on one machine passes
// on all, so a blueprint cannot work for one colleague only.
func (t Tree) Validate() error {
	var errs []error
	for _, p := range t.Paths() {
		if reason := badPath(p); reason != "" {
			errs = append(errs, &PathError{p, reason})
		}
	}
	return errors.Join(append(errs, t.clashes()...)...)
}

// clashes finds paths that differ only in case, and files that another path
// needs to be a folder.
func (t Tree) clashes() []error {
	var errs []error
	files := make(map[string]string, len(t))
	folders := make(map[string]string)
	for _, p := range t.Paths() {
		if other, ok := files[folded(p)]; ok {
			errs = append(errs, &PathError{p, fmt.Sprintf("is the same file as %q where case does not count", other)})
		}
		files[folded(p)] = p
		for d := path.Dir(p); d != "." && d != "/"; d = path.Dir(d) {
			if other, ok := folders[folded(d)]; ok && other != d {
				errs = append(errs, &PathError{p, fmt.Sprintf("its folder is the same as %q where case does not count", other)})
			}
			folders[folded(d)] = d
		}
	}
	for _, p := range t.Paths() {
		if d, ok := folders[folded(p)]; ok {
			errs = append(errs, &PathError{p, fmt.Sprintf("is a file, but other files are in a folder %q", d)})
		}
	}
	return errs
}

// folded is what a file system that ignores case and normal forms compares.
func folded(p string) string { return strings.ToLower(norm.NFC.String(p)) }

// badPath says what is wrong with a path, or "".
func badPath(p string) string {
	switch {
	case p == "":
		return "is empty"
	case !utf8.ValidString(p):
		return "is not UTF-8"
	case strings.ContainsRune(p, 0):
		return "contains a NUL byte"
	case strings.Contains(p, `\`):
		return "contains a backslash; separate folders with a slash"
	case strings.HasPrefix(p, "/"):
		return "is absolute; it must be relative to the output folder"
	case path.Clean(p) != p || p == "." || p == ".." || strings.HasPrefix(p, "../"):
		return "has an empty, \".\" or \"..\" part; it must stay inside the output folder"
	}
	first, _, _ := strings.Cut(p, "/")
	if slices.Contains([]string{ManifestName, stagingName, baseName}, folded(first)) {
		return "is a name that scaffold keeps for itself"
	}
	for part := range strings.SplitSeq(p, "/") {
		if reason := badName(part); reason != "" {
			return reason
		}
	}
	return ""
}

// badName says why one part of a path is not a file name everywhere, or "".
func badName(name string) string {
	if len(name) > 255 {
		return "has a part longer than 255 bytes"
	}
	for _, r := range name {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return fmt.Sprintf("contains %q, which Windows does not allow in a file name", r)
		}
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return "has a part that ends in a dot or a space, which Windows drops"
	}
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	if reservedNames[strings.TrimRight(stem, " ")] {
		return fmt.Sprintf("%q is a device on Windows", name)
	}
	return ""
}

// reservedNames are devices on Windows, with any extension.
var reservedNames = func() map[string]bool {
	names := map[string]bool{"CON": true, "PRN": true, "AUX": true, "NUL": true, "CONIN$": true, "CONOUT$": true}
	for _, n := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"} {
		names["COM"+n], names["LPT"+n] = true, true
	}
	return names
}()
