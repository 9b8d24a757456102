package output

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// collision is a part of a text that two people changed, each in another way.
type collision struct {
	first, last int // lines of the edited text; last is before first where lines were taken out
}

func (c collision) String() string {
	switch {
	case c.last < c.first:
		return fmt.Sprintf("before line %d", c.first)
	case c.last == c.first:
		return fmt.Sprintf("in line %d", c.first)
	}
	return fmt.Sprintf("in lines %d to %d", c.first, c.last)
}

// merge puts two texts together that were both made from base, line by line.
// Changes that overlap or touch collide unless they are the same; the merged
// text then counts for nothing.
func merge(base, mine, theirs string) (string, []collision) {
	var merged strings.Builder
	var collisions []collision
	ours, others := udiff.Lines(base, mine), udiff.Lines(base, theirs)
	at, shift := 0, 0 // in base; and from there to the same place in mine
	for len(ours)+len(others) > 0 {
		var region region
		region, ours, others = nextRegion(ours, others)
		merged.WriteString(base[at:region.start])
		text, theirText := region.text(base, region.ours), region.text(base, region.others)
		from := region.start + shift
		shift += len(text) - (region.end - region.start)
		switch {
		case len(region.ours) == 0:
			text = theirText
		case len(region.others) > 0 && text != theirText:
			first := strings.Count(mine[:from], "\n") + 1
			collisions = append(collisions, collision{first, first + lines(text) - 1})
		}
		merged.WriteString(text)
		at = region.end
	}
	merged.WriteString(base[at:])
	return merged.String(), collisions
}

// lines counts lines, the last of which may have no end.
func lines(text string) int {
	n := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		n++
	}
	return n
}

// region is a part of a text with the edits that touch each other in it.
type region struct {
	start, end   int
	ours, others []udiff.Edit
}

// nextRegion takes the edits of the next region off both lists.
func nextRegion(ours, others []udiff.Edit) (region, []udiff.Edit, []udiff.Edit) {
	r := region{start: -1}
	take := func(from, into *[]udiff.Edit) bool {
		if len(*from) == 0 || r.start >= 0 && (*from)[0].Start > r.end {
			return false
		}
		e := (*from)[0]
		if r.start < 0 {
			r.start = e.Start
		}
		r.end = max(r.end, e.End)
		*into, *from = append(*into, e), (*from)[1:]
		return true
	}
	if len(others) == 0 || len(ours) > 0 && ours[0].Start <= others[0].Start {
		take(&ours, &r.ours)
	} else {
		take(&others, &r.others)
	}
	for take(&ours, &r.ours) || take(&others, &r.others) {
	}
	return r, ours, others
}

// text is the region as some edits make it.
func (r region) text(base string, edits []udiff.Edit) string {
	var b strings.Builder
	at := r.start
	for _, e := range edits {
		b.WriteString(base[at:e.Start] + e.New)
		at = e.End
	}
	b.WriteString(base[at:r.end])
	return b.String()
}

// mergeEdit merges what the user made of a file with what is rendered now. It
// gives the reason where that cannot be done.
func mergeEdit(base, mine, theirs []byte) (merged []byte, reason string) {
	if slices.ContainsFunc([][]byte{base, mine, theirs}, func(b []byte) bool { return bytes.IndexByte(b, 0) >= 0 }) {
		return nil, "was edited, and is no text that could be merged"
	}
	crlf := bytes.Contains(mine, []byte("\r\n")) && !bytes.Contains(base, []byte("\r\n"))
	if crlf { // git checked it out so
		mine = bytes.ReplaceAll(mine, []byte("\r\n"), []byte("\n"))
	}
	text, collisions := merge(string(base), string(mine), string(theirs))
	if len(collisions) > 0 {
		var where []string
		for _, c := range collisions {
			where = append(where, c.String())
		}
		return nil, "was edited " + strings.Join(where, ", ") + ", where it is rendered differently now"
	}
	if crlf {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text), ""
}
