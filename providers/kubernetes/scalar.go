package kubernetes

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/archive"
)

// scalar checks a node that must be a string, a number or a boolean.
func (c *checker) scalar(node *yaml.Node, at *path, n *archive.Node) any {
	if node.Kind != yaml.ScalarNode {
		c.wrongType(node, at, n)
		return nil
	}
	before := len(c.problems)
	plain := c.plainScalar(node, at)
	if len(c.problems) > before {
		return nil // a spelling with two meanings has no type yet
	}
	if !fits(plain, n) {
		c.wrongType(node, at, n)
		return nil
	}
	c.limits(node, at, n, plain)
	return plain
}

func fits(plain any, n *archive.Node) bool {
	_, text := plain.(string)
	_, whole := plain.(int64)
	_, fraction := plain.(float64)
	_, truth := plain.(bool)
	switch {
	case n.IntOrString:
		// A quantity may be written as any number.
		return text || whole || fraction && n.Format == "quantity"
	case n.Type == "string":
		return text
	case n.Type == "integer":
		return whole
	case n.Type == "number":
		return whole || fraction
	case n.Type == "boolean":
		return truth
	}
	return true
}

// plainScalar reads a scalar as the API server would and reports spellings
// that YAML 1.1 and 1.2 read differently.
func (c *checker) plainScalar(node *yaml.Node, at *path) any {
	if c.trap(node, at) {
		return node.Value
	}
	switch node.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return node.Value == "true" || node.Value == "True" || node.Value == "TRUE"
	case "!!int":
		text := strings.ReplaceAll(node.Value, "_", "")
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(strings.ReplaceAll(node.Value, "_", ""), 64); err == nil {
			return f
		}
	}
	return node.Value
}

var (
	oldBoolean = regexp.MustCompile(`^(y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$`)
	oldOctal   = regexp.MustCompile(`^[-+]?0[0-7_]+$`)
)

// trap reports an unquoted scalar that is a text to one reader and a boolean
// or another number to the next. kubectl and the API server read YAML 1.1.
func (c *checker) trap(node *yaml.Node, at *path) bool {
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return false
	}
	switch {
	case c.loose:
	case oldBoolean.MatchString(node.Value):
		truth := strings.ContainsAny(node.Value[:1], "yY") || strings.EqualFold(node.Value, "on")
		c.report(node, at, summaryAmbiguous,
			fmt.Sprintf("unquoted %s is the boolean %t to the API server, which reads YAML 1.1", node.Value, truth),
			fmt.Sprintf("write %q, or %t if the boolean is meant", node.Value, truth))
		return true
	case oldOctal.MatchString(node.Value):
		value, _ := strconv.ParseInt(strings.ReplaceAll(node.Value, "_", ""), 0, 64)
		c.report(node, at, summaryAmbiguous,
			fmt.Sprintf("unquoted %s is the octal number %d", node.Value, value),
			fmt.Sprintf("write %d, or quote it if a text is meant", value))
		return true
	}
	return false
}

// wrongType reports a value of another type, and for a text that was not
// quoted what to do about it.
func (c *checker) wrongType(node *yaml.Node, at *path, n *archive.Node) {
	fix := ""
	if node.Kind == yaml.ScalarNode && n.Type == "string" {
		fix = fmt.Sprintf("quote it: %q", node.Value)
	}
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" && (n.Type == "integer" || n.Type == "number" || n.Type == "boolean") {
		quoted := node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
		var other yaml.Node
		if err := yaml.Unmarshal([]byte(node.Value), &other); err == nil && quoted && len(other.Content) == 1 && other.Content[0].ShortTag() != "!!str" {
			fix = "remove the quotes"
		}
	}
	c.report(node, at, summaryType, fmt.Sprintf("this is %s, and %s is wanted", typeOf(node), wanted(n)), fix)
}

func typeOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	switch node.ShortTag() {
	case "!!int":
		return "the whole number " + node.Value
	case "!!float":
		return "the number " + node.Value
	case "!!bool":
		return "the boolean " + node.Value
	case "!!null":
		return "empty"
	}
	return fmt.Sprintf("the string %q", node.Value)
}

func wanted(n *archive.Node) string {
	switch {
	case n.IntOrString && n.Format == "quantity":
		return "a quantity"
	case n.IntOrString:
		return "a whole number or a string"
	}
	switch n.Type {
	case "object":
		return "an object"
	case "array":
		return "a list"
	case "integer":
		return "a whole number"
	case "number":
		return "a number"
	case "boolean":
		return "true or false"
	case "string":
		return "a string"
	}
	return "a value"
}

// limits checks bounds, length, pattern and format of a scalar.
func (c *checker) limits(node *yaml.Node, at *path, n *archive.Node, plain any) {
	switch plain := plain.(type) {
	case int64:
		c.bounds(node, at, n, float64(plain))
		if n.Format == "quantity" {
			c.format(node, at, n.Format, node.Value)
		} else if n.Format == "int32" && (plain > math.MaxInt32 || plain < math.MinInt32) {
			c.report(node, at, summaryValue, "the number does not fit into 32 bits", "")
		}
	case float64:
		c.bounds(node, at, n, plain)
	case string:
		c.length(node, at, n, plain)
		c.pattern(node, at, n, plain)
		c.format(node, at, n.Format, plain)
	}
}

func (c *checker) bounds(node *yaml.Node, at *path, n *archive.Node, value float64) {
	if n.Minimum != nil && (value < *n.Minimum || n.ExclusiveMinimum && value == *n.Minimum) {
		c.report(node, at, summaryValue, fmt.Sprintf("%s is below the minimum %s", node.Value, decimal(*n.Minimum)), "")
	}
	if n.Maximum != nil && (value > *n.Maximum || n.ExclusiveMaximum && value == *n.Maximum) {
		c.report(node, at, summaryValue, fmt.Sprintf("%s is above the maximum %s", node.Value, decimal(*n.Maximum)), "")
	}
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (c *checker) length(node *yaml.Node, at *path, n *archive.Node, value string) {
	length := utf8.RuneCountInString(value)
	switch {
	case n.MinLength != nil && length < *n.MinLength && length == 0:
		c.report(node, at, summaryValue, "the text is empty", "")
	case n.MinLength != nil && length < *n.MinLength:
		c.report(node, at, summaryValue, fmt.Sprintf("the text has %d characters, and at least %d are needed", length, *n.MinLength), "")
	case n.MaxLength != nil && length > *n.MaxLength:
		c.report(node, at, summaryValue, fmt.Sprintf("the text has %d characters, and at most %d are allowed", length, *n.MaxLength), "")
	}
}

func (c *checker) pattern(node *yaml.Node, at *path, n *archive.Node, value string) {
	if n.Pattern == "" {
		return
	}
	if re := c.schemas.patterns.compile(n.Pattern); re != nil && !re.MatchString(value) {
		c.report(node, at, summaryValue, fmt.Sprintf("%q does not match %s", value, n.Pattern), "")
	}
}

// patterns are compiled once, when a value first meets them.
type patterns struct{ compiled sync.Map }

// compile returns nil for a pattern that Go cannot express; none of the
// embedded ones is, which a test holds.
func (p *patterns) compile(pattern string) *regexp.Regexp {
	if re, ok := p.compiled.Load(pattern); ok {
		return re.(*regexp.Regexp)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil
	}
	p.compiled.Store(pattern, re)
	return re
}
