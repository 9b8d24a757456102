package project

import (
	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// Graph is the components of a blueprint and what they refer to.
type Graph struct {
	Nodes []*Node
	Edges []*Edge
}

// Node is a component.
type Node struct {
	ID, Kind, Name string
	Range          hcl.Range
	Patterns       []string
	// In are the folders that have it; nil where all do.
	In []string
}

// Edge says that a component refers to another in one of its inputs.
type Edge struct {
	From, To, Input string
	In              []string // as a node's
}

// NewGraph puts the components of several roots together, in the order of the
// blueprint. What an environment adds comes last.
func NewGraph(roots []*Root) *Graph {
	g := &Graph{}
	nodes, edges := map[string]*Node{}, map[[3]string]*Edge{}
	patterns := map[[2]string]bool{}
	for _, root := range roots {
		for _, c := range root.Model.Components {
			node := nodes[c.Path]
			if node == nil {
				node = &Node{ID: c.Path, Kind: c.Kind, Name: c.Name, Range: c.Range}
				nodes[c.Path] = node
				g.Nodes = append(g.Nodes, node)
			}
			node.In = append(node.In, root.Folder)
			for _, p := range c.Patterns {
				if key := [2]string{c.Path, p.Kind}; !patterns[key] {
					patterns[key] = true
					node.Patterns = append(node.Patterns, p.Kind)
				}
			}
			g.addEdges(edges, c, root.Folder)
		}
	}
	for _, node := range g.Nodes {
		node.In = unlessAll(node.In, roots)
	}
	for _, edge := range g.Edges {
		edge.In = unlessAll(edge.In, roots)
	}
	return g
}

func (g *Graph) addEdges(known map[[3]string]*Edge, c *blueprints.Instance, folder string) {
	for _, ref := range c.References() {
		key := [3]string{c.Path, ref.To.Path, ref.Input}
		edge := known[key]
		if edge == nil {
			edge = &Edge{From: c.Path, To: ref.To.Path, Input: ref.Input}
			known[key] = edge
			g.Edges = append(g.Edges, edge)
		}
		edge.In = append(edge.In, folder)
	}
}

func unlessAll(folders []string, roots []*Root) []string {
	if len(folders) == len(roots) {
		return nil
	}
	return folders
}
