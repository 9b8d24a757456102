package check

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// metaArguments are what Terraform itself reads in a resource's body.
var metaArguments = map[string]bool{
	"count": true, "for_each": true, "provider": true, "depends_on": true,
	"lifecycle": true, "connection": true, "provisioner": true,
}

// cycles reports each group of declarations that need each other.
func (c *checker) cycles() {
	g := &graph{edges: c.edges(), number: map[address]int{}, low: map[address]int{}, on: map[address]bool{}}
	for _, node := range c.module.order {
		if _, seen := g.number[node]; !seen {
			g.visit(node)
		}
	}
	for _, group := range g.groups {
		names := []string{}
		for _, node := range group {
			names = append(names, string(node))
		}
		slices.Sort(names)
		c.add(problem("Cycle", "These need each other, so none of them can come first: "+strings.Join(names, ", ")+".", c.declaredAt(group[0])))
	}
}

// graph finds strongly connected components, as Tarjan does.
type graph struct {
	edges       map[address][]address
	number, low map[address]int
	on          map[address]bool
	stack       []address
	groups      [][]address
}

func (g *graph) visit(node address) {
	g.number[node] = len(g.number)
	g.low[node] = g.number[node]
	g.stack = append(g.stack, node)
	g.on[node] = true
	for _, next := range g.edges[node] {
		if _, seen := g.number[next]; !seen {
			g.visit(next)
			g.low[node] = min(g.low[node], g.low[next])
		} else if g.on[next] {
			g.low[node] = min(g.low[node], g.number[next])
		}
	}
	if g.low[node] != g.number[node] {
		return
	}
	from := slices.Index(g.stack, node)
	group := slices.Clone(g.stack[from:])
	for _, member := range group {
		g.on[member] = false
	}
	g.stack = g.stack[:from]
	if len(group) > 1 || node.isLocal() && slices.Contains(g.edges[node], node) {
		g.groups = append(g.groups, group)
	}
}

// isLocal tells whether a reference to itself is a cycle; resources that refer
// to themselves get a message of their own.
func (a address) isLocal() bool { return strings.HasPrefix(string(a), "local.") }

// edges lists, for each declaration, what it needs.
func (c *checker) edges() map[address][]address {
	edges := c.resourceEdges()
	link := func(from address, traversals []hcl.Traversal) {
		edges[from] = append(edges[from], named(traversals)...)
	}
	for name, l := range c.module.locals {
		link(address("local."+name), l.expr.Variables())
	}
	for key, p := range c.module.configs {
		link(address("provider."+key), traversalsOf(p.body, nil))
	}
	for name, m := range c.module.calls {
		link(address("module."+name), traversalsOf(m.body, map[string]bool{"providers": true, "depends_on": true}))
		link(address("module."+name), m.dependsOn)
	}
	for name, v := range c.module.variables {
		node := address("var." + name)
		for _, validation := range v.validations {
			link(node, validation.traversals())
		}
		edges[node] = slices.DeleteFunc(edges[node], func(to address) bool { return to == node })
	}
	return edges
}

func named(traversals []hcl.Traversal) []address {
	refs, _ := references(traversals)
	addresses := make([]address, 0, len(refs)+1)
	for _, ref := range refs {
		addresses = append(addresses, ref.address())
	}
	return addresses
}

// resourceEdges lists what each resource needs. They are looked through side by
// side.
func (c *checker) resourceEdges() map[address][]address {
	resources := slices.Collect(maps.Values(c.module.resources))
	needs := make([][]address, len(resources))
	inParts(len(resources), func(i int) {
		r := resources[i]
		needs[i] = append(named(append(r.traversals(), r.dependsOn...)), address("provider."+r.providerKey()))
	})
	edges := make(map[address][]address, len(resources))
	for i, r := range resources {
		edges[r.address()] = needs[i]
	}
	return edges
}

// inParts does something for the numbers up to n, a part of them on each
// processor.
func inParts(n int, do func(i int)) {
	var all sync.WaitGroup
	for from := 0; from < n; from += share(n) {
		all.Go(func() {
			for i := from; i < min(from+share(n), n); i++ {
				do(i)
			}
		})
	}
	all.Wait()
}

func (cond *condition) traversals() []hcl.Traversal {
	list := []hcl.Traversal{}
	for _, expr := range []hcl.Expression{cond.condition, cond.errorMessage} {
		if expr != nil {
			list = append(list, expr.Variables()...)
		}
	}
	return list
}

// traversals lists everything that a resource names, itself excepted where it
// may: in its conditions.
func (r *resource) traversals() []hcl.Traversal {
	list := r.bodyTraversals()
	for _, expr := range append([]hcl.Expression{r.count, r.forEach}, r.triggers...) {
		if expr != nil {
			list = append(list, expr.Variables()...)
		}
	}
	for _, cond := range slices.Concat(r.preconditions, r.postconditions) {
		list = append(list, cond.traversals()...)
	}
	return list
}

// bodyTraversals are looked for once.
func (r *resource) bodyTraversals() []hcl.Traversal {
	if r.named == nil {
		body, _ := r.block.Body.(*hclsyntax.Body)
		r.named = traversalsOf(body, metaArguments)
	}
	return r.named[:len(r.named):len(r.named)]
}

func (r *resource) providerKey() string {
	if r.provider != nil {
		return providerKey(r.provider.name, r.provider.alias)
	}
	name, _, _ := strings.Cut(r.typ, "_")
	return name
}

func (c *checker) declaredAt(node address) hcl.Range {
	if r, ok := c.module.resources[node]; ok {
		return r.block.DefRange
	}
	kind, name, _ := strings.Cut(string(node), ".")
	switch kind {
	case "local":
		return c.module.locals[name].at
	case "provider":
		return c.module.configs[name].declared
	case "module":
		return c.module.calls[name].declared
	default:
		return c.module.variables[name].declared
	}
}
