package check

import (
	"bufio"
	"embed"
	"fmt"
	"math/big"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
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
	pattern  *regexp.Regexp
}

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
	if rule.rule == "matches" {
		rule.pattern = regexp.MustCompile(rule.argument)
	}
	if strings.Contains(cells[0], "*") {
		r.globs = append(r.globs, globRules{cells[0], rule})
		return
	}
	r.exact[cells[0]] = append(r.exact[cells[0]], rule)
}

func (r *valueRules) of(typ string) []*valueRule {
	found := r.exact[typ]
	for _, g := range r.globs {
		if ok, _ := path.Match(g.glob, typ); ok {
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
		c.applyValueRule(rule, body, rule.path)
	}
}

// applyValueRule goes down to the blocks that hold the last name of the path.
func (c *checker) applyValueRule(rule *valueRule, body *hclsyntax.Body, steps []string) {
	if len(steps) == 1 {
		c.judgeValue(rule, body, steps[0])
		return
	}
	if attribute := body.Attributes[steps[0]]; attribute != nil && len(steps) == 2 {
		c.judgeElements(rule, attribute, steps[1])
	}
	for _, block := range body.Blocks {
		inside := block.Body
		if block.Type == "dynamic" && len(block.Labels) == 1 && block.Labels[0] == steps[0] {
			for _, content := range block.Body.Blocks {
				c.applyValueRule(rule, content.Body, steps[1:])
			}
			continue
		}
		if block.Type == steps[0] {
			c.applyValueRule(rule, inside, steps[1:])
		}
	}
}

// present is where a body says something by a name, as an argument or as a block.
func present(body *hclsyntax.Body, name string) (hcl.Range, bool) {
	if attribute := body.Attributes[name]; attribute != nil {
		return attribute.SrcRange, true
	}
	for _, block := range body.Blocks {
		if block.Type == name || block.Type == "dynamic" && len(block.Labels) == 1 && block.Labels[0] == name {
			return block.DefRange(), true
		}
	}
	return hcl.Range{}, false
}

func (c *checker) judgeValue(rule *valueRule, body *hclsyntax.Body, name string) {
	at, here := present(body, name)
	wrong := func(summary, detail string) { c.add(problem(summary, detail+" "+rule.why, at)) }
	switch rule.rule {
	case "required":
		if at = body.MissingItemRange(); !here {
			wrong("Missing argument", fmt.Sprintf("The argument %q has to be set.", name))
		}
	case "forbidden":
		if here {
			wrong("Argument not allowed", fmt.Sprintf("The argument %q must not be set.", name))
		}
	case "excludes":
		if _, other := present(body, rule.argument); here && other {
			wrong("Arguments exclude each other", fmt.Sprintf("%q cannot stand beside %q.", name, rule.argument))
		}
	case "needs":
		if _, other := present(body, rule.argument); here && !other {
			wrong("Argument missing beside another", fmt.Sprintf("%q needs %q.", name, rule.argument))
		}
	default:
		if attribute := body.Attributes[name]; attribute != nil {
			c.judgeText(rule, name, attribute.Expr)
		}
	}
}

// judgeElements holds the values of a map or list against a rule.
func (c *checker) judgeElements(rule *valueRule, attribute *hclsyntax.Attribute, name string) {
	switch expr := attribute.Expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range expr.Items {
			if key, diags := item.KeyExpr.Value(nil); name == "*" || !diags.HasErrors() && key.Type() == cty.String && key.AsString() == name {
				c.judgeText(rule, attribute.Name, item.ValueExpr)
			}
		}
	case *hclsyntax.TupleConsExpr:
		for _, item := range expr.Exprs {
			if name == "*" {
				c.judgeText(rule, attribute.Name, item)
			}
		}
	}
}

// judgeText judges a value that is written out; what only Terraform knows is
// left to it.
func (c *checker) judgeText(rule *valueRule, name string, expr hcl.Expression) {
	value, diags := expr.Value(nil)
	if diags.HasErrors() || !value.IsWhollyKnown() || value.IsNull() || !value.Type().IsPrimitiveType() {
		return
	}
	text, err := convert.Convert(value, cty.String)
	if err != nil {
		return
	}
	if why := rule.refuses(text.AsString()); why != "" {
		c.add(problem("Invalid value for argument", fmt.Sprintf("The value %q of %q %s. %s", text.AsString(), name, why, rule.why), expr.Range()))
	}
}

// refuses says what is wrong with a value, or nothing.
func (r *valueRule) refuses(text string) string {
	switch r.rule {
	case "one_of":
		if choices := strings.Split(r.argument, "|"); !slices.Contains(choices, text) {
			return "is none of " + strings.Join(choices, ", ")
		}
	case "matches":
		if !r.pattern.MatchString(text) {
			return "does not match " + r.argument
		}
	case "range":
		least, most, _ := strings.Cut(r.argument, "..")
		number, ok := new(big.Float).SetString(text)
		if !ok {
			return "is no number"
		}
		if n, ok := new(big.Float).SetString(least); ok && number.Cmp(n) < 0 {
			return "is below " + least
		}
		if n, ok := new(big.Float).SetString(most); ok && number.Cmp(n) > 0 {
			return "is above " + most
		}
	}
	return ""
}
