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
	surveyed sync.Map // of hclsyntax.Expression to *names
}

func (s Scope) file() *File {
	if s.File != nil {
		return s.File
	}
	return &File{}
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
		f.comments, f.ends = s.found, s.ends
	})
}
