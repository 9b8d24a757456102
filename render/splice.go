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
			piece := s
			piece.Text = s.Text[start:end]
			out = append(out, piece)
		}
		at += len(s.Text)
	}
	return out
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
