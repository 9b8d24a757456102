package fold

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// sequence is a ${ } or %{ } of a template, as the lexer sees it.
type sequence struct {
	at          hcl.Range
	trimL, trim bool
	directive   bool
	word        string // of a directive: if, else, endif, for, endfor
}

// holds reports whether a range lies in the sequence.
func (s sequence) holds(r hcl.Range) bool {
	return !s.directive && s.at.Start.Byte < r.Start.Byte && r.End.Byte < s.at.End.Byte
}

func (s sequence) hole() hole {
	return hole{at: s.at, trimL: s.trimL, trim: s.trim}
}

// sequences are those of the template at a range, without the ones of templates
// nested in it.
func (f *folder) sequences(r hcl.Range) []sequence {
	return remembered(&f.file.opened, r.Start.Byte, func() []sequence { return f.findSequences(r) })
}

func (f *folder) findSequences(r hcl.Range) []sequence {
	end := r.End.Byte
	if end < len(f.src) && f.src[end] == '\n' {
		end++ // the lexer knows the end of a heredoc by its newline
	}
	tokens, _ := hclsyntax.LexExpression(f.src[r.Start.Byte:end], r.Filename, r.Start)
	var all []sequence
	depth := 0 // of templates and sequences
	for i, tok := range tokens {
		switch tok.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			depth++
		case hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
			if depth == 2 {
				all = append(all, opened(tokens, i))
			}
		case hclsyntax.TokenTemplateSeqEnd:
			if depth == 2 {
				last := &all[len(all)-1]
				last.at.End = tok.Range.End
				last.trim = bytes.HasPrefix(tok.Bytes, []byte("~"))
			}
			depth--
		}
	}
	return all
}

// opened is the sequence that token i opens.
func opened(tokens hclsyntax.Tokens, i int) sequence {
	tok := tokens[i]
	s := sequence{
		at:        tok.Range,
		trimL:     bytes.HasSuffix(tok.Bytes, []byte("~")),
		directive: tok.Type == hclsyntax.TokenTemplateControl,
	}
	if s.directive && i+1 < len(tokens) {
		s.word = string(tokens[i+1].Bytes)
	}
	return s
}
