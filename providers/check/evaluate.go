package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// ephemeralMark is on values that must not be stored.
type ephemeralMark struct{}

// evaluator gives expressions their values: unknown ones for all that only
// exists once Terraform has run.
type evaluator struct {
	c         *checker
	typed     bool // references have the types of the schemas
	functions map[string]function.Function
	locals    map[string]evaluated
}

type evaluated struct {
	value cty.Value
	diags hcl.Diagnostics
}

func (c *checker) newEvaluator(typed bool, functions map[string]function.Function) *evaluator {
	return &evaluator{c: c, typed: typed, functions: functions, locals: map[string]evaluated{}}
}

// expression evaluates one expression whose references were checked.
func (e *evaluator) expression(expr hcl.Expression, s scope) (cty.Value, hcl.Diagnostics) {
	return expr.Value(e.context(expr.Variables(), s))
}

// context has a value for each thing that is named, and no other.
func (e *evaluator) context(traversals []hcl.Traversal, s scope) *hcl.EvalContext {
	t := tree{}
	refs, _ := references(traversals)
	for _, ref := range refs {
		switch ref.kind {
		case toResource:
			value := e.resource(ref)
			switch {
			case ref.mode != managed:
				t.set(value, string(ref.mode), ref.typ, ref.name)
			case ref.traversal.RootName() == "resource":
				t.set(value, "resource", ref.typ, ref.name)
			default:
				t.set(value, ref.typ, ref.name)
			}
		case toSelf:
			t["self"] = e.self(s)
		default:
			t.set(e.named(ref), string(ref.kind), ref.name)
		}
	}
	return &hcl.EvalContext{Variables: t.values(), Functions: e.functions}
}

// tree builds nested objects from paths.
type tree map[string]any // a tree or a cty.Value

func (t tree) set(value cty.Value, path ...string) {
	for _, name := range path[:len(path)-1] {
		next, ok := t[name].(tree)
		if !ok {
			next = tree{}
			t[name] = next
		}
		t = next
	}
	t[path[len(path)-1]] = value
}

func (t tree) values() map[string]cty.Value {
	values := make(map[string]cty.Value, len(t))
	for name, value := range t {
		switch value := value.(type) {
		case tree:
			values[name] = cty.ObjectVal(value.values())
		case cty.Value:
			values[name] = value
		}
	}
	return values
}

func (e *evaluator) named(ref reference) cty.Value {
	switch ref.kind {
	case toVariable:
		return e.variable(ref.name)
	case toLocal:
		return e.local(ref.name).value
	case toEach:
		if ref.name == "key" {
			return cty.UnknownVal(cty.String)
		}
		return cty.DynamicVal
	case toCount:
		return cty.UnknownVal(cty.Number)
	case toPath:
		return known(pathValues, ref.name)
	case toTerraform:
		return known(terraformValues, ref.name)
	default:
		return cty.DynamicVal
	}
}

func known(values map[string]cty.Value, name string) cty.Value {
	if value, ok := values[name]; ok {
		return value
	}
	return cty.DynamicVal
}

// variable is unknown even if there is a default: the caller may give another.
func (e *evaluator) variable(name string) cty.Value {
	v, ok := e.c.module.variables[name]
	if !ok {
		return cty.DynamicVal
	}
	value := cty.UnknownVal(v.typ)
	if v.ephemeral {
		return value.Mark(ephemeralMark{})
	}
	return value
}

// local evaluates a local value once.
func (e *evaluator) local(name string) evaluated {
	if done, ok := e.locals[name]; ok {
		return done
	}
	l, ok := e.c.module.locals[name]
	if !ok {
		return evaluated{value: cty.DynamicVal}
	}
	// Cycles are refused before; this only makes sure that nothing hangs.
	e.locals[name] = evaluated{value: cty.DynamicVal}
	value, diags := e.expression(l.expr, scope{})
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	e.locals[name] = evaluated{value, diags}
	return e.locals[name]
}

func (e *evaluator) resource(ref reference) cty.Value {
	r := e.c.module.resources[ref.address()]
	value := cty.DynamicVal
	if e.typed && r != nil && r.schema != nil {
		typ := r.schema.ImpliedType()
		switch {
		case r.count != nil:
			typ = cty.List(typ)
		case r.forEach != nil:
			typ = cty.Map(typ)
		}
		value = cty.UnknownVal(typ)
	}
	if ref.mode == ephemeral {
		return value.Mark(ephemeralMark{})
	}
	return value
}

func (e *evaluator) self(s scope) cty.Value {
	if !e.typed || s.self == nil || s.self.schema == nil {
		return cty.DynamicVal
	}
	return cty.UnknownVal(s.self.schema.ImpliedType())
}

// both runs a check with typed references and, if that finds something, again
// with untyped ones to see which of it Terraform finds only when it plans.
func (c *checker) both(run func(*evaluator) hcl.Diagnostics) {
	typed := run(c.typed)
	if !typed.HasErrors() {
		c.add(typed...)
		return
	}
	untyped := run(c.untyped)
	c.add(untyped...)
	for _, diag := range typed {
		if diag.Severity == hcl.DiagError && !reported(untyped, diag) {
			c.add(atPlan(diag)...)
		}
	}
}

func reported(diags hcl.Diagnostics, one *hcl.Diagnostic) bool {
	for _, diag := range diags {
		if diag.Summary == one.Summary && (diag.Subject == one.Subject ||
			diag.Subject != nil && one.Subject != nil && *diag.Subject == *one.Subject) {
			return true
		}
	}
	return false
}
