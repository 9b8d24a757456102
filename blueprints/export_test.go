package blueprints

// SetFewInstances sets from how many instances on values are computed ahead, and
// gives what it was.
func SetFewInstances(n int) int {
	was := fewInstances
	fewInstances = n
	return was
}
