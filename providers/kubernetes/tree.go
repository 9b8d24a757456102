package kubernetes

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsimple"

	"scaffold/providers/kubernetes/cel"
)

//go:embed data/tree.hcl
var treeFile []byte

// treeRules is the decoded data/tree.hcl: what documents say about each other.
type treeRules struct {
	Outside    string        `hcl:"outside"`
	Policies   string        `hcl:"policies"`
	Pods       []podSource   `hcl:"pods,block"`
	Makes      []maker       `hcl:"makes,block"`
	Functions  []function    `hcl:"function,block"`
	References []reference   `hcl:"reference,block"`
	Rules      []crossedRule `hcl:"rule,block"`
}

// podSource says where a kind describes pods: at a template, or, when an
// operator makes them, only by their labels.
type podSource struct {
	Kind     string `hcl:"kind,label"`
	Template string `hcl:"template,optional"`
	Labels   string `hcl:"labels,optional"`
}

// maker says which objects a controller makes out of an object.
type maker struct {
	Kind  string `hcl:"kind,label"`
	Makes string `hcl:"makes,label"`
	Names string `hcl:"names"`
}

// function is an expression with parameters that the others can call.
type function struct {
	Name   string   `hcl:"name,label"`
	Params []string `hcl:"params"`
	Body   string   `hcl:"body"`
}

// reference is a name that must be the name of an object of the tree, in the
// namespace of the one that names it.
type reference struct {
	To string   `hcl:"to,label"`
	In []string `hcl:"in"` // kinds, or "pods"
	At []string `hcl:"at"`
	// Besides are names that exist in every cluster.
	Besides []string `hcl:"besides,optional"`
}

// crossedRule is a condition on the nodes at a place of some kinds, or of the
// pods wherever they are described.
type crossedRule struct {
	Name string   `hcl:"name,label"`
	In   []string `hcl:"in"`
	At   string   `hcl:"at,optional"`
	// When says for which nodes the rule is meant.
	When string `hcl:"when,optional"`
	// Offenders are the names of what breaks the rule; none must be left.
	Offenders string `hcl:"offenders,optional"`
	Condition string `hcl:"condition,optional"`
	Summary   string `hcl:"summary,optional"`
	Message   string `hcl:"message"`
	Fix       string `hcl:"fix,optional"`
}

// pods is what In says for the pods of every kind.
const pods = "pods"

func readTreeRules() (*treeRules, error) {
	rules := new(treeRules)
	if err := hclsimple.Decode("tree.hcl", treeFile, nil, rules); err != nil {
		return nil, fmt.Errorf("reading the rules between documents: %w", err)
	}
	for i := range rules.Rules {
		if rules.Rules[i].Summary == "" {
			rules.Rules[i].Summary = summaryReference
		}
	}
	return rules, nil
}

// library compiles the functions of the data file, each of which may call those
// above it, and adds the ones that need the tree or a loop.
func (t *tree) library() (map[string]cel.Function, error) {
	functions := map[string]cel.Function{
		"all":       t.allFunction,
		"get":       t.getFunction,
		"having":    t.havingFunction,
		"flatten":   flattenFunction,
		"selecting": t.selectingFunction,
		"exists":    t.existsFunction,
		"selects":   selectsFunction,
		"selected":  t.selectedFunction,
		"peers":     t.peersFunction,
		"policies":  t.policiesFunction,
		"service":   serviceFunction,
		"merge":     mergeFunction,
	}
	for _, f := range t.rules.Functions {
		program, err := cel.Compile(f.Body, functions)
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", f.Name, err)
		}
		functions[f.Name] = func(args ...any) (any, error) {
			if len(args) != len(f.Params) {
				return nil, fmt.Errorf("%s takes %d arguments", f.Name, len(f.Params))
			}
			variables := make(map[string]any, len(args))
			for i, name := range f.Params {
				variables[name] = args[i]
			}
			return program.Eval(variables)
		}
	}
	return functions, nil
}

// allFunction returns the objects of a kind.
func (t *tree) allFunction(args ...any) (any, error) {
	kind, ok := args[0].(string)
	if !ok {
		return nil, fmt.Errorf("all takes the name of a kind")
	}
	list := []any{}
	for _, o := range t.byKind[kind] {
		list = append(list, o.plain)
	}
	return list, nil
}

// existsFunction reports whether the tree has an object, or a controller would
// make it: exists(kind, namespace, name).
func (t *tree) existsFunction(args ...any) (any, error) {
	var texts [3]string
	for i := range texts {
		if i >= len(args) {
			return nil, fmt.Errorf("exists takes a kind, a namespace and a name")
		}
		texts[i], _ = args[i].(string)
	}
	return t.has(texts[0], texts[1], texts[2]), nil
}

// selectsFunction applies a label selector to labels.
func selectsFunction(args ...any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("selects takes a selector and labels")
	}
	selector, _ := args[0].(map[string]any)
	labels, _ := args[1].(map[string]any)
	wanted, _ := selector["matchLabels"].(map[string]any)
	for key, value := range wanted {
		if labels[key] != value {
			return false, nil
		}
	}
	expressions, _ := selector["matchExpressions"].([]any)
	for _, item := range expressions {
		e, _ := item.(map[string]any)
		if !expressionHolds(e, labels) {
			return false, nil
		}
	}
	return true, nil
}

func expressionHolds(e, labels map[string]any) bool {
	key, _ := e["key"].(string)
	have, present := labels[key]
	among := false
	values, _ := e["values"].([]any)
	for _, value := range values {
		among = among || present && value == have
	}
	switch e["operator"] {
	case "In":
		return among
	case "NotIn":
		return !among
	case "Exists":
		return present
	}
	return !present
}

// serviceFunction reads a host name as cluster DNS does: service(host, home)
// is the namespace and the name of the service, or an empty list for a host
// outside the cluster.
func serviceFunction(args ...any) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("service takes a host and a namespace")
	}
	host, _ := args[0].(string)
	home, _ := args[1].(string)
	short, inCluster := strings.CutSuffix(host, ".svc.cluster.local")
	if !inCluster {
		short, inCluster = strings.CutSuffix(host, ".svc")
	}
	parts := strings.Split(short, ".")
	switch {
	case inCluster && len(parts) == 2:
		return []any{parts[1], parts[0]}, nil
	case !inCluster && len(parts) == 1 && host != "*":
		return []any{home, host}, nil
	}
	return []any{}, nil
}

// mergeFunction lays objects over each other, the last on top.
func mergeFunction(args ...any) (any, error) {
	merged := map[string]any{}
	for _, arg := range args {
		m, ok := arg.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("merge takes objects")
		}
		for key, value := range m {
			merged[key] = value
		}
	}
	return merged, nil
}
