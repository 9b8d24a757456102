// Package parse reads HCL into the tree of hclsyntax, as hclsyntax.ParseConfig
// does, several times faster and with a fraction of the memory: definitions,
// packs and what is rendered are parsed at every run, and are most of its time.
//
// It knows what packs and rendered files are made of. Text with a mistake in it,
// and constructs that are rare (see [Config]), it leaves to hclsyntax, which so
// has the last word on what is HCL and on every diagnostic. A fuzzer holds the
// two against each other. The package imports no other package of scaffold.
package parse

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Config parses the text of a file, or of a part of it that begins at start, and
// gives the same tree and the same diagnostics as hclsyntax.ParseConfig. Its body
// is a *hclsyntax.Body.
//
// Left to hclsyntax are: mistakes, template directives and trim markers, comments
// in /* */, carriage returns, what is not
// UTF-8, names that are not ASCII, functions with a namespace,
// and the two forms of index and splat that HCL has inherited (a.0, a.*.b).
func Config(src []byte, filename string, start hcl.Pos) (*hcl.File, hcl.Diagnostics) {
	if body := quick(string(src), filename, start); body != nil {
		return &hcl.File{Body: body, Bytes: src, Nav: outline{body.Blocks}}, nil
	}
	return hclsyntax.ParseConfig(src, filename, start)
}

// Expression parses the text of an expression, as hclsyntax.ParseExpression does.
func Expression(src []byte, filename string, start hcl.Pos) (hclsyntax.Expression, hcl.Diagnostics) {
	if expr := quickExpression(string(src), filename, start); expr != nil {
		return expr, nil
	}
	return hclsyntax.ParseExpression(src, filename, start)
}

// quick gives nil for what is left to hclsyntax.
func quick(src, filename string, start hcl.Pos) (body *hclsyntax.Body) {
	attempt(src, filename, start, func(p *parser) { body = p.file() })
	return body
}

func quickExpression(src, filename string, start hcl.Pos) (expr hclsyntax.Expression) {
	attempt(src, filename, start, func(p *parser) {
		whole := p.expression()
		p.expect(hclsyntax.TokenEOF)
		expr = whole
	})
	return expr
}

// attempt lets read parse a text, and end early where the text is unusual.
func attempt(src, filename string, start hcl.Pos, read func(*parser)) {
	if strings.Contains(src, "\r") || !utf8.ValidString(src) {
		return
	}
	defer func() {
		if problem := recover(); problem != nil && problem != unusual {
			panic(problem)
		}
	}()
	spare := spares.Get().(*nodes)
	defer spare.putBack()
	read(&parser{scanner{src: src, filename: filename, start: start, line: start.Line, lineStart: 1 - start.Column}, spare})
}

// unusual is what the parser panics with where it leaves the text to hclsyntax.
const unusual = leave("left to hclsyntax")

type leave string

// outline finds the block that a byte of the text stands in, for messages.
type outline struct{ blocks hclsyntax.Blocks }

// ContextString is what hcled asks for: the header of a block of the file, empty
// for a byte outside of all.
func (o outline) ContextString(offset int) string {
	block := o.at(offset)
	if block == nil {
		return ""
	}
	header := block.Type
	for _, label := range block.Labels {
		header += " " + strconv.Quote(label)
	}
	return header
}

// ContextDefRange is where that header stands.
func (o outline) ContextDefRange(offset int) hcl.Range {
	if block := o.at(offset); block != nil {
		return block.DefRange()
	}
	return hcl.Range{}
}

func (o outline) at(offset int) *hclsyntax.Block {
	behind := sort.Search(len(o.blocks), func(i int) bool { return o.blocks[i].TypeRange.Start.Byte > offset })
	if behind == 0 || !o.blocks[behind-1].Range().ContainsOffset(offset) {
		return nil
	}
	return o.blocks[behind-1]
}
