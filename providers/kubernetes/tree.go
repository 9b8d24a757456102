package kubernetes

// treeRules are the rules that span documents.
type treeRules struct{}

func readTreeRules() (*treeRules, error) { return &treeRules{}, nil }

func (s *Schemas) checkTree(docs []Document, values []any) []Problem { return nil }
