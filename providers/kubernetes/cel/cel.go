// Package cel evaluates the part of the Common Expression Language that rules
// on Kubernetes objects use. A program works on plain values: nil, bool, int64,
// float64, string, []any and map[string]any, and on the durations, quantities
// and URLs that its functions make.
//
// There is no type checker: a rule out of a published resource definition was
// type-checked by the project that published it, and a type error at run time
// is an error of the evaluation. As the language demands, && and || ignore an
// error of one side when the other side decides.
//
// It may import the standard library only.
package cel

import (
	"errors"
	"fmt"
)

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	text string
	run  expr
}

// Function is a function that an expression can call by name, or as a method
// of its first argument.
type Function func(args ...any) (any, error)

// expr evaluates one node of the syntax tree.
type expr func(env *scope) (any, error)

// scope is a chain of variables, the innermost first.
type scope struct {
	name   string
	value  any
	parent *scope
}

var errNoKey = errors.New("no such key")

// Compile parses an expression. Functions come on top of the built-in ones.
func Compile(text string, functions map[string]Function) (*Program, error) {
	p := &parser{functions: functions}
	if err := p.lex(text); err != nil {
		return nil, err
	}
	run, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != end {
		return nil, p.fail("unexpected %q", p.peek().text)
	}
	return &Program{text: text, run: run}, nil
}

// Eval computes the value of the expression.
func (p *Program) Eval(variables map[string]any) (any, error) {
	var env *scope
	for name, value := range variables {
		env = &scope{name: name, value: value, parent: env}
	}
	return p.run(env)
}

// Holds reports whether the expression is true.
func (p *Program) Holds(variables map[string]any) (bool, error) {
	value, err := p.Eval(variables)
	if err != nil {
		return false, err
	}
	truth, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("the value is %s, not a boolean", typeName(value))
	}
	return truth, nil
}

func (env *scope) lookup(name string) (any, error) {
	for ; env != nil; env = env.parent {
		if env.name == name {
			return env.value, nil
		}
	}
	return nil, fmt.Errorf("no variable %s", name)
}
