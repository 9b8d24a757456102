package render

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"scaffold/render/fold"
)

// splice inserts pieces into an output. Pieces for one place keep their order.
func splice(into fold.Output, inserts []insert) fold.Output {
	sort.SliceStable(inserts, func(i, j int) bool { return inserts[i].at < inserts[j].at })
	var out []fold.Segment
	from := 0
	for _, in := range inserts {
		out = append(out, between(into.Segments, from, in.at)...)
		out = append(out, in.text...)
		from = in.at
	}
	out = append(out, between(into.Segments, from, length(into.Segments))...)
	return fold.Output{Segments: out}
}

// between is the part of an output from one byte offset to another.
func between(segments []fold.Segment, from, to int) []fold.Segment {
	var out []fold.Segment
	at := 0
	for _, s := range segments {
		start, end := max(from-at, 0), min(to-at, len(s.Text))
		if start < end {
			out = append(out, part(s, start, end))
		}
		at += len(s.Text)
	}
	return out
}

// part is a piece of a segment. Copied text keeps its place in the source.
func part(s fold.Segment, from, to int) fold.Segment {
	before := s.Text[:from]
	s.Text = s.Text[from:to]
	if s.Expr == nil {
		s.Source.Start.Byte += len(before)
		s.Source.Start.Line += strings.Count(before, "\n")
	}
	return s
}

// trimBlank takes the blank start off an output.
func trimBlank(segments []fold.Segment) []fold.Segment {
	for i, s := range segments {
		if blanks := len(s.Text) - len(strings.TrimLeft(s.Text, " \t\n")); blanks < len(s.Text) {
			return append([]fold.Segment{part(s, blanks, len(s.Text))}, segments[i+1:]...)
		}
	}
	return nil
}

// cut is the part of an output from one byte offset to another without some
// ranges, given as start and end offsets.
func cut(segments []fold.Segment, from, to int, ranges map[int]int) []fold.Segment {
	var out []fold.Segment
	for _, start := range slices.Sorted(maps.Keys(ranges)) {
		out = append(out, between(segments, from, start)...)
		from = ranges[start]
	}
	return append(out, between(segments, from, to)...)
}

func length(segments []fold.Segment) int {
	n := 0
	for _, s := range segments {
		n += len(s.Text)
	}
	return n
}

func blank(segments []fold.Segment) bool {
	for _, s := range segments {
		if strings.TrimSpace(s.Text) != "" {
			return false
		}
	}
	return true
}
