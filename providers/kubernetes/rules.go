package kubernetes

import (
	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/archive"
	"scaffold/providers/kubernetes/cel"
)

// rules evaluates the conditions that the schema puts on a value.
func (c *checker) rules(node *yaml.Node, at *path, n *archive.Node, plain any) {
	for _, rule := range n.Rules {
		holds, err := c.schemas.program(rule.Condition).Holds(map[string]any{"self": plain})
		if holds && err == nil {
			continue
		}
		message := rule.Message
		if rule.Expression != "" {
			value, err := c.schemas.program(rule.Expression).Eval(map[string]any{"self": plain})
			if text, ok := value.(string); ok && err == nil {
				message = text
			}
		}
		if message == "" {
			message = "the condition " + rule.Condition + " does not hold"
		}
		if err != nil {
			message += " (" + err.Error() + ")"
		}
		c.report(c.keyOf(node), at, summaryRule, message, rule.Fix)
	}
}

// program compiles a condition once. The conditions are part of the program,
// and a test compiles all of them.
func (s *Schemas) program(text string) *cel.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.programs[text]; p != nil {
		return p
	}
	p, err := cel.Compile(text, nil)
	if err != nil {
		panic(err)
	}
	s.programs[text] = p
	return p
}
