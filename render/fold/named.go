package fold

// Named is what a label or name of a pack becomes in this scope: "this" and
// "this_x" take the name of the component in hand, others stay.
func (s Scope) Named(name string) string {
	renamed, _ := s.renamed(name)
	return renamed
}
