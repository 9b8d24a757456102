// Package kubernetes says, offline and in milliseconds, what an API server
// would say about finished manifests: Check and CheckFiles look at each
// document alone, CheckTree also at what the documents say about each other.
//
// Everything about particular kinds is data: the schemas and the rules on them
// lie in data/schemas.zip, which the generate command writes, and the rules
// that span documents in data/tree.hcl. The code knows the shape that all
// manifests share (apiVersion, kind, metadata) and nothing else.
//
// It may import its own subpackages, hcl and a YAML parser, and no other
// package of the module.
package kubernetes

import (
	_ "embed"
	"runtime"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/sync/errgroup"

	"scaffold/providers/kubernetes/archive"
	"scaffold/providers/kubernetes/cel"
)

//go:generate go run scaffold/providers/kubernetes/generate -from generate -archive data/schemas.zip

//go:embed data/schemas.zip
var embedded []byte

// Schemas are the schemas of all known kinds, each read when a document first
// needs it. They are safe for concurrent use.
type Schemas struct {
	archive *archive.Reader
	tree    *treeRules

	mu       sync.Mutex
	programs map[string]*cel.Program // by the text of the condition
	patterns patterns
}

// Open reads the list of the known kinds.
func Open() (*Schemas, error) {
	reader, err := archive.Open(embedded)
	if err != nil {
		return nil, err
	}
	tree, err := readTreeRules()
	if err != nil {
		return nil, err
	}
	return &Schemas{archive: reader, tree: tree, programs: map[string]*cel.Program{}}, nil
}

// Check compares one document with the schema of its kind and with the rules
// on that schema, and returns what it finds in the order of the lines.
func (s *Schemas) Check(doc Document) []Problem {
	c := s.checker(doc)
	c.document()
	sortProblems(c.problems)
	return c.problems
}

// CheckFiles parses files and checks every document in them.
func (s *Schemas) CheckFiles(files map[string][]byte) hcl.Diagnostics {
	docs, problems := parseAll(files)
	for _, doc := range docs {
		problems = append(problems, s.Check(doc)...)
	}
	return diagnostics(problems, files)
}

// sideBySide does something for the numbers up to n on all processors.
func sideBySide(n int, do func(i int)) {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() error {
			do(i)
			return nil
		})
	}
	_ = g.Wait()
}

// CheckTree does what CheckFiles does and then checks the rules that span
// documents. The files are taken as everything that will run in their
// namespaces.
func (s *Schemas) CheckTree(files map[string][]byte) hcl.Diagnostics {
	docs, problems := parseAll(files)
	values, found := make([]any, len(docs)), make([][]Problem, len(docs))
	sideBySide(len(docs), func(i int) {
		c := s.checker(docs[i])
		values[i] = c.document()
		found[i] = c.problems
	})
	problems = append(problems, slices.Concat(found...)...)
	problems = append(problems, s.checkTree(docs, values, len(problems) == 0)...)
	return diagnostics(problems, files)
}
