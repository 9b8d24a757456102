package blueprints

import "slices"

// manyNames is how many names are compared with a wrong one, one by one. Of more,
// only those are that differ in a letter or two: a blueprint of thousands of
// components may hold as many wrong names, and each about each takes minutes.
const manyNames = 256

// spelling finds the names of a long list that are a letter or two away.
type spelling struct {
	names []string
	at    map[string][]int // by what is left of each name with one letter out, and by the whole
}

func newSpelling(names []string) *spelling {
	s := &spelling{names: names, at: make(map[string][]int, 8*len(names))}
	for i, name := range names {
		for _, rest := range oneOut(name) {
			if known := s.at[rest]; len(known) == 0 || known[len(known)-1] != i {
				s.at[rest] = append(known, i)
			}
		}
	}
	return s
}

// around are the names that are worth comparing with a wrong one, in their order.
func (s *spelling) around(name string) []string {
	var found []int
	for _, rest := range oneOut(name) {
		// A word that thousands of names have in common says nothing about which is meant.
		found = append(found, s.at[rest][:min(len(s.at[rest]), manyNames)]...)
	}
	slices.Sort(found)
	var names []string
	for _, i := range slices.Compact(found) {
		names = append(names, s.names[i])
	}
	return names
}

// oneOut gives a text, and what is left of it without each of its letters.
func oneOut(text string) []string {
	all := []string{text}
	letters := []rune(text)
	for i := range letters {
		all = append(all, string(letters[:i])+string(letters[i+1:]))
	}
	return all
}

// near is the advice to whoever asks an instance for a value that it has not.
func (i *Instance) near(name string) string {
	if len(i.order) <= manyNames {
		return suggest(name, i.order)
	}
	s := i.spelling.Load()
	if s == nil || len(s.names) != len(i.order) {
		s = newSpelling(i.order)
		i.spelling.Store(s)
	}
	return suggest(name, s.around(name))
}
