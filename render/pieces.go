package render

import (
	"bytes"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/blueprints/parse"
)

// piece is a piece of a file that ends with a block, so that it can be parsed by
// itself. Parsing a file piece by piece needs less memory than parsing it at
// once, and pieces that nobody asks for are not parsed at all.
type piece struct {
	text  []byte
	start hcl.Pos // of text in the file
}

// split cuts a file at the lines behind its blocks. ends are where they end.
func split(src []byte, ends []int) []piece {
	var pieces []piece
	at := hcl.InitialPos
	cut := func(end int) {
		text := src[at.Byte:end]
		pieces = append(pieces, piece{text, at})
		at.Line += bytes.Count(text, []byte("\n"))
		at.Byte = end
	}
	for _, end := range ends {
		if line := bytes.IndexByte(src[end:], '\n'); line >= 0 && end >= at.Byte {
			cut(end + line + 1)
		}
	}
	if at.Byte < len(src) {
		cut(len(src))
	}
	return pieces
}

// parse gives what the piece holds, and false if it has mistakes.
func (p piece) parse(filename string) (*hclsyntax.Body, bool) {
	file, diags := parse.Config(p.text, filename, p.start)
	return file.Body.(*hclsyntax.Body), len(diags) == 0
}

var blockHeader = regexp.MustCompile(`(?m)^([a-z_]+)(?: "[^"\n]*")* \{$`)

// blockType is the type of the piece's block, empty if it is not to be told
// without parsing.
func (p piece) blockType() string {
	if header := blockHeader.FindSubmatch(p.text); header != nil {
		return string(header[1])
	}
	return ""
}

// outline finds the block that a byte of a file stands in, for messages.
type outline struct {
	pieces   []piece
	filename string
}

// ContextString is what hcled asks for.
func (o outline) ContextString(offset int) string {
	for _, p := range o.pieces {
		if offset < p.start.Byte+len(p.text) {
			file, _ := parse.Config(p.text, o.filename, p.start)
			return hcled.ContextString(file, offset)
		}
	}
	return ""
}
