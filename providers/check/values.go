package check

import (
	"bufio"
	"embed"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
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
		rule.pattern = pattern(rule.argument)
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

// patterns are those of all files, each compiled once, when it is first needed.
var patterns sync.Map // of the text to func() *regexp.Regexp

func pattern(text string) func() *regexp.Regexp {
	compile, _ := patterns.LoadOrStore(text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) }))
	return compile.(func() *regexp.Regexp)
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

// validateValues holds a resource against what is known of its values. What
// is wrong with one instance is not said of the others.
func (c *checker) validateValues(r *resource) {
	body := bodyOf(r.block.Body)
	if body == nil || r.mode != managed {
		return
	}
	name, _, _ := strings.Cut(r.typ, "_")
	places := c.placesOf(r, body)
	for _, rule := range valueRulesOf(name).of(r.typ) {
		for _, p := range places {
			before := len(c.diags)
			if c.applyValueRule(rule, p, p, rule.path); len(c.diags) > before {
				break
			}
		}
	}
}

// applyValueRule goes down to the blocks that hold the last name of the path,
// or to those which a rule for whole blocks names.
func (c *checker) applyValueRule(rule *valueRule, root, p place, steps []string) {
	switch whole := slices.Contains(blockRules, rule.rule); {
	case whole && len(steps) == 0:
		if rule.holds(root, p) {
			c.judgeBlock(rule, p)
		}
		return
	case !whole && len(steps) == 1:
		if rule.holds(root, p) {
			c.judgeValue(rule, root, p, steps[0])
		}
		return
	}
	if len(steps) == 2 && rule.rule == "unique" {
		c.judgeUnique(rule, p, steps[0], steps[1])
		return
	}
	if attribute := p.body.Attributes[steps[0]]; attribute != nil && len(steps) == 2 && rule.holds(root, p) {
		c.judgeElements(rule, p, attribute, steps[1])
	}
	for _, inside := range p.blocks(steps[0]) {
		c.applyValueRule(rule, root, inside, steps[1:])
	}
}

// holds is whether the rule's conditions are known to hold in a block of a
// resource.
func (r *valueRule) holds(root, p place) bool {
	for _, condition := range r.when {
		at := root
		if condition.beside {
			at = p
		}
		if !at.holds(condition) {
			return false
		}
	}
	return true
}
