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
	f.once.Do(func() { f.comments = Comments(src) })
	n := sort.Search(len(f.comments), func(i int) bool { return f.comments[i].End > at })
	return f.comments[:n]
}
