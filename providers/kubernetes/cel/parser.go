package cel

import (
	"fmt"
	"strconv"
	"strings"
)

type parser struct {
	source    string
	tokens    []token
	next      int
	functions map[string]Function
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != end {
		p.next++
	}
	return t
}

// accept takes the operator when it comes next.
func (p *parser) accept(op string) bool {
	if t := p.peek(); t.kind == operator && t.text == op {
		p.next++
		return true
	}
	return false
}

func (p *parser) expect(op string) error {
	if !p.accept(op) {
		return p.fail("expected %q", op)
	}
	return nil
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%s at %d in %s", fmt.Sprintf(format, args...), p.peek().at, p.source)
}

func (p *parser) ternary() (expr, error) {
	condition, err := p.binary(0)
	if err != nil || !p.accept("?") {
		return condition, err
	}
	yes, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	no, err := p.ternary()
	if err != nil {
		return nil, err
	}
	return func(env *scope) (any, error) {
		truth, err := boolean(condition, env)
		if err != nil {
			return nil, err
		}
		if truth {
			return yes(env)
		}
		return no(env)
	}, nil
}

// levels are the binary operators, loosest first.
var levels = [][]string{{"||"}, {"&&"}, {"==", "!=", "<=", ">=", "<", ">", "in"}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) binary(level int) (expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		op := p.operatorOf(level)
		if op == "" {
			return left, nil
		}
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = combine(op, left, right)
	}
}

func (p *parser) operatorOf(level int) string {
	t := p.peek()
	for _, op := range levels[level] {
		if t.text == op && (t.kind == operator || op == "in" && t.kind == identifier) {
			p.next++
			return op
		}
	}
	return ""
}

func (p *parser) unary() (expr, error) {
	for _, op := range []string{"!", "-"} {
		if !p.accept(op) {
			continue
		}
		operand, err := p.unary()
		if err != nil {
			return nil, err
		}
		if op == "!" {
			return func(env *scope) (any, error) {
				truth, err := boolean(operand, env)
				return !truth, err
			}, nil
		}
		return func(env *scope) (any, error) {
			value, err := operand(env)
			if err != nil {
				return nil, err
			}
			return arithmetic("-", int64(0), value)
		}, nil
	}
	return p.member()
}

func (p *parser) member() (expr, error) {
	value, err := p.primary()
	if err != nil {
		return nil, err
	}
	for {
		switch {
		case p.accept("."):
			value, err = p.selection(value)
		case p.accept("["):
			value, err = p.index(value)
		default:
			return value, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) selection(of expr) (expr, error) {
	t := p.take()
	if t.kind != identifier {
		return nil, p.fail("expected a name")
	}
	if p.accept("(") {
		return p.call(t.text, of)
	}
	name := unescape(t.text)
	return func(env *scope) (any, error) {
		value, err := of(env)
		if err != nil {
			return nil, err
		}
		return selectField(value, name)
	}, nil
}

func (p *parser) index(of expr) (expr, error) {
	key, err := p.ternary()
	if err != nil {
		return nil, err
	}
	return func(env *scope) (any, error) {
		value, err := of(env)
		if err != nil {
			return nil, err
		}
		k, err := key(env)
		if err != nil {
			return nil, err
		}
		return indexValue(value, k)
	}, p.expect("]")
}

func (p *parser) primary() (expr, error) {
	t := p.take()
	switch t.kind {
	case text:
		return constant(t.text), nil
	case whole:
		i, err := strconv.ParseInt(t.text, 0, 64)
		return constant(i), err
	case decimal:
		f, err := strconv.ParseFloat(t.text, 64)
		return constant(f), err
	case identifier:
		return p.name(t.text)
	case operator:
		switch t.text {
		case "(":
			inner, err := p.ternary()
			if err != nil {
				return nil, err
			}
			return inner, p.expect(")")
		case "[":
			return p.listLiteral()
		case "{":
			return p.mapLiteral()
		}
	}
	return nil, p.fail("unexpected %q", t.text)
}

func (p *parser) name(name string) (expr, error) {
	switch name {
	case "true":
		return constant(true), nil
	case "false":
		return constant(false), nil
	case "null":
		return constant(nil), nil
	}
	if p.accept("(") {
		if name == "has" {
			return p.has()
		}
		return p.call(name, nil)
	}
	return func(env *scope) (any, error) { return env.lookup(name) }, nil
}

func constant(value any) expr {
	return func(*scope) (any, error) { return value, nil }
}

func (p *parser) listLiteral() (expr, error) {
	items, err := p.arguments("]")
	if err != nil {
		return nil, err
	}
	return func(env *scope) (any, error) {
		list := make([]any, len(items))
		for i, item := range items {
			value, err := item(env)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	}, nil
}

func (p *parser) mapLiteral() (expr, error) {
	var keys, values []expr
	for !p.accept("}") {
		key, err := p.ternary()
		if err != nil {
			return nil, err
		}
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		value, err := p.ternary()
		if err != nil {
			return nil, err
		}
		keys, values = append(keys, key), append(values, value)
		if !p.accept(",") {
			if err := p.expect("}"); err != nil {
				return nil, err
			}
			break
		}
	}
	return func(env *scope) (any, error) {
		m := make(map[string]any, len(keys))
		for i := range keys {
			key, err := keys[i](env)
			if err != nil {
				return nil, err
			}
			name, ok := key.(string)
			if !ok {
				return nil, fmt.Errorf("a key is %s, not a string", typeName(key))
			}
			if m[name], err = values[i](env); err != nil {
				return nil, err
			}
		}
		return m, nil
	}, nil
}

// arguments parses expressions up to the closing operator.
func (p *parser) arguments(closing string) ([]expr, error) {
	var list []expr
	for !p.accept(closing) {
		item, err := p.ternary()
		if err != nil {
			return nil, err
		}
		list = append(list, item)
		if !p.accept(",") {
			return list, p.expect(closing)
		}
	}
	return list, nil
}

// has parses has(a.b): whether the object a has a field b.
func (p *parser) has() (expr, error) {
	// The operand is parsed without its last selection.
	start := p.next
	depth, lastDot := 0, -1
	for i := p.next; i < len(p.tokens); i++ {
		switch t := p.tokens[i]; {
		case t.kind == operator && (t.text == "(" || t.text == "["):
			depth++
		case t.kind == operator && (t.text == ")" || t.text == "]"):
			depth--
		case t.kind == operator && t.text == "." && depth == 0:
			lastDot = i
		}
		if depth < 0 {
			break
		}
	}
	if lastDot < 0 || p.tokens[lastDot+1].kind != identifier {
		return nil, p.fail("has needs a field selection")
	}
	inner := &parser{source: p.source, functions: p.functions}
	inner.tokens = append(append([]token{}, p.tokens[start:lastDot]...), token{kind: end, at: p.tokens[lastDot].at})
	of, err := inner.ternary()
	if err != nil {
		return nil, err
	}
	name := unescape(p.tokens[lastDot+1].text)
	p.next = lastDot + 2
	return func(env *scope) (any, error) {
		value, err := of(env)
		if err != nil {
			return nil, err
		}
		m, ok := value.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("has(.%s) of %s", name, typeName(value))
		}
		inside, present := m[name]
		return present && inside != nil, nil
	}, p.expect(")")
}

// unescape undoes the escaping of field names that are no identifiers or that
// the language reserves.
func unescape(name string) string {
	if !strings.Contains(name, "__") {
		return name
	}
	if strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") && len(name) > 4 && !strings.Contains(name[2:len(name)-2], "__") {
		return name[2 : len(name)-2]
	}
	return strings.NewReplacer("__underscores__", "__", "__dot__", ".", "__dash__", "-", "__slash__", "/").Replace(name)
}
