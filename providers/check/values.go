package check

import (
	"bufio"
	"embed"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A provider's schema knows types, and its program knows values: what may be
// chosen, how long a name may be, what excludes what. Terraform asks the program
// when it plans, and some providers ask their cloud only. The files in data say
// what is known of that, one for each provider, and are held against what is
// written out in a configuration.

//go:embed data/*.tsv
var valueFiles embed.FS

// valueRule is a row of such a file.
type valueRule struct {
	path     []string // to the argument or block; the last may be "*"
	rule     string
	argument string
	why      string
	when     []*valueCondition
	pattern  func() *regexp.Regexp // compiled when it is first asked for
}

// valueCondition says for which blocks a rule holds: those where an argument
// has one of the values, or none of them. An argument that is not set has the
// value "", so "!=" and nothing is any other. One that only Terraform knows has
// no other value: the rule is then not applied.
type valueCondition struct {
	path   []string
	beside bool // the path starts where the rule is applied, not at the resource
	not    bool
	values []string
}

// The rules, by what they speak of: a value, the presence of an argument or
// block, or a whole block and what stands in it.
var (
	textRules     = []string{"one_of", "matches", "avoids", "range", "seconds", "length", "json", "cidr"}
	presenceRules = []string{"required", "forbidden", "excludes", "needs", "at_most", "items", "unique"}
	blockRules    = []string{"any_of", "exactly_one", "at_most_one"}
)

// valueRules finds the rules for a type of resource of a provider.
type valueRules struct {
	exact map[string][]*valueRule
	globs []globRules
}

type globRules struct {
	glob string
	rule *valueRule
}

var (
	valuesMu sync.Mutex
	values   = map[string]*valueRules{}
)

// valueRulesOf reads the file of a provider when it is first asked for; a
// provider without one has no rules.
func valueRulesOf(provider string) *valueRules {
	valuesMu.Lock()
	defer valuesMu.Unlock()
	if known := values[provider]; known != nil {
		return known
	}
	rules := &valueRules{exact: map[string][]*valueRule{}}
	values[provider] = rules
	file, err := valueFiles.Open(path.Join("data", provider+".tsv"))
	if err != nil {
		return rules
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "type\t") {
			rules.add(strings.Split(line, "\t"))
		}
	}
	return rules
}

func (r *valueRules) add(cells []string) {
	rule := &valueRule{path: strings.Split(cells[1], "."), rule: cells[2], argument: cells[3], why: cells[4]}
	if cells[1] == "." {
		rule.path = nil
	}
	if rule.rule == "matches" || rule.rule == "avoids" {
		rule.pattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(rule.argument) })
	}
	if len(cells) > 5 {
		for _, text := range strings.Split(cells[5], "&") {
			rule.when = append(rule.when, parseCondition(text))
		}
	}
	if strings.Contains(cells[0], "*") {
		r.globs = append(r.globs, globRules{cells[0], rule})
		return
	}
	r.exact[cells[0]] = append(r.exact[cells[0]], rule)
}

// parseCondition reads one of the conditions that a row may have after its
// reason: "a.b=x|y", "a.b!=x" or, for an argument beside the one that the rule
// speaks of, ".b=x".
func parseCondition(text string) *valueCondition {
	name, values, _ := strings.Cut(text, "=")
	c := &valueCondition{values: strings.Split(values, "|")}
	name, c.not = strings.CutSuffix(name, "!")
	name, c.beside = strings.CutPrefix(name, ".")
	c.path = strings.Split(name, ".")
	return c
}

func (r *valueRules) of(typ string) []*valueRule {
	found := r.exact[typ]
	for _, g := range r.globs {
		own := func(rule *valueRule) bool { return rule.rule == g.rule.rule && slices.Equal(rule.path, g.rule.path) }
		if ok, _ := path.Match(g.glob, typ); ok && !slices.ContainsFunc(r.exact[typ], own) {
			found = append(found[:len(found):len(found)], g.rule)
		}
	}
	return found
}

// validateValues holds a resource against what is known of its values.
func (c *checker) validateValues(r *resource) {
	body := bodyOf(r.block.Body)
	if body == nil || r.mode != managed {
		return
	}
	name, _, _ := strings.Cut(r.typ, "_")
	for _, rule := range valueRulesOf(name).of(r.typ) {
		c.applyValueRule(rule, body, body, rule.path)
	}
}

// applyValueRule goes down to the blocks that hold the last name of the path,
// or to those which a rule for whole blocks names.
func (c *checker) applyValueRule(rule *valueRule, root, body *hclsyntax.Body, steps []string) {
	switch whole := slices.Contains(blockRules, rule.rule); {
	case whole && len(steps) == 0:
		if rule.holds(root, body) {
			c.judgeBlock(rule, body)
		}
		return
	case !whole && len(steps) == 1:
		if rule.holds(root, body) {
			c.judgeValue(rule, root, body, steps[0])
		}
		return
	}
	if len(steps) == 2 && rule.rule == "unique" {
		c.judgeUnique(rule, body, steps[0], steps[1])
		return
	}
	if attribute := body.Attributes[steps[0]]; attribute != nil && len(steps) == 2 && rule.holds(root, body) {
		c.judgeElements(rule, attribute, steps[1])
	}
	for _, inside := range blocksOf(body, steps[0]) {
		c.applyValueRule(rule, root, inside, steps[1:])
	}
}

// holds is whether the rule's conditions are known to hold in a block of a
// resource.
func (r *valueRule) holds(root, body *hclsyntax.Body) bool {
	for _, condition := range r.when {
		at := root
		if condition.beside {
			at = body
		}
		if !condition.holds(at) {
			return false
		}
	}
	return true
}

// blocksOf are the bodies of a body's blocks of a type, those that a dynamic
// block makes among them.
func blocksOf(body *hclsyntax.Body, name string) []*hclsyntax.Body {
	var found []*hclsyntax.Body
	for _, block := range body.Blocks {
		if block.Type == name {
			found = append(found, block.Body)
		}
		if isDynamic(block, name) {
			for _, content := range block.Body.Blocks {
				found = append(found, content.Body)
			}
		}
	}
	return found
}

func isDynamic(block *hclsyntax.Block, name string) bool {
	return block.Type == "dynamic" && len(block.Labels) == 1 && block.Labels[0] == name
}
