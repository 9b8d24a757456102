package fold

import (
	"sort"
	"sync"
)

// File holds what was found out about one file, so that folding it again costs
// less. The zero value is ready. It may be shared between goroutines.
type File struct {
	once     sync.Once
	comments []Comment
	ends     []int
	text     string
	surveyed sync.Map // of hclsyntax.Expression to *names
	opened   sync.Map // of the first byte of a template to its []sequence
	ordered  sync.Map // of *hclsyntax.Body to its []item
}

// remembered gives what a map has of a key, and finds it out where it has nothing.
func remembered[K, V any](m *sync.Map, key K, find func() V) V {
	if found, ok := m.Load(key); ok {
		return found.(V)
	}
	found := find()
	m.Store(key, found)
	return found
}

func (s Scope) folder(src []byte) *folder {
	file := s.File
	if file == nil {
		file = &File{}
	}
	file.scan(src)
	return &folder{src: src, file: file}
}

// before are the comments of the file that end before a byte.
func (f *File) before(src []byte, at int) []Comment {
	f.scan(src)
	n := sort.Search(len(f.comments), func(i int) bool { return f.comments[i].End > at })
	return f.comments[:n]
}

// Ends are the bytes behind the blocks of the file, and behind whatever else in
// it ends with a brace. A file with mistakes may have them anywhere.
func (f *File) Ends(src []byte) []int {
	f.scan(src)
	return f.ends
}

func (f *File) scan(src []byte) {
	f.once.Do(func() {
		s := &scanner{src: src}
		s.code(false)
		f.text, f.comments, f.ends = string(src), s.found, s.ends
	})
}
