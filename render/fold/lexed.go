package fold

import (
	"sort"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Lexed holds what was found out about one file, so that folding it again costs
// less. The zero value is ready: the file is lexed when a fold first needs to
// look at comments. It may be shared between goroutines.
type Lexed struct {
	once     sync.Once
	tokens   hclsyntax.Tokens
	surveyed sync.Map // of hclsyntax.Expression to *names
}

func (s Scope) lexed() *Lexed {
	if s.Lexed != nil {
		return s.Lexed
	}
	return &Lexed{}
}

// before are the tokens that end at a position or before it.
func (l *Lexed) before(src []byte, at hcl.Pos) hclsyntax.Tokens {
	l.once.Do(func() { l.tokens, _ = hclsyntax.LexConfig(src, "", hcl.InitialPos) })
	n := sort.Search(len(l.tokens), func(i int) bool { return l.tokens[i].Range.End.Byte > at.Byte })
	return l.tokens[:n]
}
