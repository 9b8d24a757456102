package check

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func (c *checker) judgeValue(rule *valueRule, root, p place, name string) {
	here, at := p.find(name)
	wrong := func(summary, detail string) { c.refuseValue(rule, summary, detail, at) }
	switch rule.rule {
	case "required":
		if at = p.body.MissingItemRange(); here == absent {
			wrong("Missing argument", fmt.Sprintf("The argument %q has to be set.", name))
		}
	case "forbidden":
		if here != absent {
			wrong("Argument not allowed", fmt.Sprintf("The argument %q must not be set.", name))
		}
	case "excludes":
		for _, other := range strings.Split(rule.argument, "|") {
			from, label := p, other
			if rest, fromRoot := strings.CutPrefix(other, "/"); fromRoot {
				from, label = root, rest
			}
			if found, _ := from.find(label); here == present && found == present {
				wrong("Arguments exclude each other", fmt.Sprintf("%q cannot stand beside %q.", name, label))
			}
		}
	case "needs":
		for _, other := range strings.Split(rule.argument, "|") {
			if found, _ := p.find(other); here == present && found == absent {
				wrong("Argument missing beside another", fmt.Sprintf("%q needs %q.", name, other))
			}
		}
	case "at_most":
		c.judgeOrder(rule, p, name)
	case "items":
		c.judgeItems(rule, p, name, at)
	default:
		if attribute := p.body.Attributes[name]; attribute != nil {
			c.judgeText(rule, p, name, attribute.Expr)
		}
	}
}

func (c *checker) refuseValue(rule *valueRule, summary, detail string, at hcl.Range) {
	c.add(problem(summary, strings.TrimSpace(detail+" "+rule.why), at))
}

// judgeBlock counts which of a rule's names stand in a block.
func (c *checker) judgeBlock(rule *valueRule, p place) {
	names := strings.Split(rule.argument, "|")
	var set, possible []string
	at := p.body.MissingItemRange()
	for _, name := range names {
		found, where := p.find(name)
		if found != absent {
			possible = append(possible, name)
		}
		if found == present {
			if set = append(set, name); len(set) == 2 {
				at = where
			}
		}
	}
	list := strings.Join(names, ", ")
	switch {
	case len(possible) == 0 && rule.rule == "any_of":
		c.refuseValue(rule, "Missing argument", fmt.Sprintf("At least one of %s has to be set.", list), at)
	case len(possible) == 0 && rule.rule == "exactly_one":
		c.refuseValue(rule, "Missing argument", fmt.Sprintf("One of %s has to be set.", list), at)
	case len(set) > 1 && rule.rule != "any_of":
		c.refuseValue(rule, "Arguments exclude each other", fmt.Sprintf("Only one of %s may be set; %s are.", list, strings.Join(set, " and ")), at)
	}
}

// judgeOrder compares a number with one beside it.
func (c *checker) judgeOrder(rule *valueRule, p place, name string) {
	low, high := p.body.Attributes[name], p.body.Attributes[rule.argument]
	if low == nil || high == nil {
		return
	}
	lowText, lowKnown := p.constant(low.Expr)
	highText, highKnown := p.constant(high.Expr)
	less, lowOK := new(big.Float).SetString(lowText)
	more, highOK := new(big.Float).SetString(highText)
	if lowKnown && highKnown && lowOK && highOK && less.Cmp(more) > 0 {
		c.refuseValue(rule, "Invalid value for argument", fmt.Sprintf("%q is %s, which is above %q, %s.", name, lowText, rule.argument, highText), low.Expr.Range())
	}
}

// judgeItems counts the values of a list that is written out, or the blocks of
// a type.
func (c *checker) judgeItems(rule *valueRule, p place, name string, at hcl.Range) {
	count, exact := 0, true
	if attribute := p.body.Attributes[name]; attribute != nil {
		many, known := p.length(attribute.Expr)
		if !known {
			return
		}
		count = many
	} else {
		for _, block := range p.body.Blocks {
			if block.Type == name {
				count++
			}
			if isDynamic(block, name) {
				made := p.made(block)
				count, exact = count+len(made), exact && made != nil
			}
		}
		if count == 0 {
			return
		}
	}
	switch why := outside(rule.argument, fmt.Sprint(count)); {
	case strings.HasPrefix(why, "is above"), why != "" && exact:
		c.refuseValue(rule, "Invalid number of values", fmt.Sprintf("The number of %q, %d, %s.", name, count, why), at)
	}
}

// length is how many values a list has that is written out, whatever they are.
func (p place) length(expr hclsyntax.Expression) (int, bool) {
	if list, ok := expr.(*hclsyntax.TupleConsExpr); ok {
		return len(list.Exprs), true
	}
	value := p.value(expr)
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() || value.Type().IsSetType() && !value.IsWhollyKnown() {
		return 0, false
	}
	return value.LengthInt(), true
}

// judgeUnique wants an argument to differ among the blocks of a type.
func (c *checker) judgeUnique(rule *valueRule, p place, block, name string) {
	seen := map[string]bool{}
	for _, inside := range p.blocks(block) {
		attribute := inside.body.Attributes[name]
		if attribute == nil {
			continue
		}
		text, known := inside.constant(attribute.Expr)
		if known && seen[text] {
			c.refuseValue(rule, "Duplicate value", fmt.Sprintf("Another %s has the %s %s already.", block, name, text), attribute.Expr.Range())
		}
		seen[text] = seen[text] || known
	}
}

// judgeElements holds the values of a map or list against a rule.
func (c *checker) judgeElements(rule *valueRule, p place, attribute *hclsyntax.Attribute, name string) {
	switch expr := attribute.Expr.(type) {
	case *hclsyntax.ObjectConsExpr:
		for _, item := range expr.Items {
			key, diags := item.KeyExpr.Value(nil)
			if name != "*" && (diags.HasErrors() || key.Type() != cty.String || key.AsString() != name) {
				continue
			}
			if rule.rule == "forbidden" {
				c.refuseValue(rule, "Argument not allowed", fmt.Sprintf("%q must not have %q.", attribute.Name, name), item.KeyExpr.Range())
				continue
			}
			c.judgeText(rule, p, attribute.Name, item.ValueExpr)
		}
	case *hclsyntax.TupleConsExpr:
		for _, item := range expr.Exprs {
			if name == "*" {
				c.judgeText(rule, p, attribute.Name, item)
			}
		}
	}
}

func (c *checker) judgeText(rule *valueRule, p place, name string, expr hcl.Expression) {
	text, known := p.constant(expr)
	if !known {
		return
	}
	if why := rule.refuses(text); why != "" {
		c.refuseValue(rule, "Invalid value for argument", fmt.Sprintf("The value %q of %q %s.", text, name, why), expr.Range())
	}
}

// refuses says what is wrong with a value, or nothing.
func (r *valueRule) refuses(text string) string {
	switch r.rule {
	case "one_of":
		if choices := strings.Split(r.argument, "|"); !slices.Contains(choices, text) {
			return "is none of " + strings.Join(slices.DeleteFunc(choices, func(s string) bool { return s == "" }), ", ")
		}
	case "matches":
		if !r.pattern().MatchString(text) {
			return "does not match " + r.argument
		}
	case "avoids":
		if r.pattern().MatchString(text) {
			return "matches " + r.argument + ", which it must not"
		}
	case "range":
		return outside(r.argument, text)
	case "seconds":
		number, ok := strings.CutSuffix(text, "s")
		limits, step, _ := strings.Cut(r.argument, "/")
		if !ok || outside(limits, number) == "is no number" {
			return "is no duration such as 60s"
		}
		if why := outside(limits, number); why != "" {
			return why + " seconds"
		}
		if n, err := strconv.Atoi(number); step != "" && (err != nil || !divides(step, n)) {
			return "is no multiple of " + step + " seconds"
		}
	case "length":
		if why := outside(r.argument, fmt.Sprint(utf8.RuneCountInString(text))); why != "" {
			return "has a number of characters that " + why
		}
	case "json":
		if !json.Valid([]byte(text)) {
			return "is no JSON"
		}
	case "cidr":
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return "is no range of addresses such as 10.0.0.0/20"
		}
		if r.argument != "" && outside(r.argument, fmt.Sprint(prefix.Bits())) != "" {
			return "has a prefix outside " + r.argument
		}
	}
	return ""
}

func divides(step string, n int) bool {
	by, err := strconv.Atoi(step)
	return err == nil && by > 0 && n%by == 0
}

// outside says how a number is outside a range, or nothing.
func outside(limits, text string) string {
	least, most, _ := strings.Cut(limits, "..")
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
	return ""
}
