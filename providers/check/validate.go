package check

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"golang.org/x/sync/errgroup"

	"scaffold/providers/schema"
)

// validate checks everything that the root declares, as written.
func (c *checker) validate() {
	c.checkRequirements()
	c.checkRemoved()
	for _, node := range c.module.order {
		if r := c.module.resources[node]; r != nil {
			c.resolve(r)
		}
	}
	functions := c.functions()
	c.typed, c.untyped = c.newEvaluator(true, functions), c.newEvaluator(false, functions)
	c.sideBySide(c.module.order, functions)
	for _, block := range c.module.imports {
		c.validateImport(block)
	}
}

// fewNodes are not worth a second goroutine.
const fewNodes = 50

// share is how many of n nodes one of the processors gets.
func share(n int) int {
	return max(fewNodes, (n+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
}

// sideBySide validates nodes by one checker for each processor. By now they only
// read what was loaded; what each has to say is put together in order.
func (c *checker) sideBySide(nodes []address, functions map[string]function.Function) {
	var workers []*checker
	var g errgroup.Group
	for part := range slices.Chunk(nodes, share(len(nodes))) {
		w := &checker{files: c.files, providers: c.providers, module: c.module}
		w.typed, w.untyped = w.newEvaluator(true, functions), w.newEvaluator(false, functions)
		workers = append(workers, w)
		g.Go(func() error {
			for _, node := range part {
				w.validateNode(node)
			}
			return nil
		})
	}
	_ = g.Wait()
	for _, w := range workers {
		c.add(w.diags...)
	}
}

func (c *checker) validateNode(node address) {
	if r := c.module.resources[node]; r != nil {
		c.validateResource(r)
		return
	}
	kind, name, _ := strings.Cut(string(node), ".")
	switch kind {
	case "var":
		for _, validation := range c.module.variables[name].validations {
			c.validateCondition(validation, scope{})
		}
	case "local":
		c.validateLocal(c.module.locals[name])
	case "output":
		c.validateOutput(c.module.outputs[name])
	case "module":
		c.validateCall(c.module.calls[name])
	case "provider":
		c.validateProvider(c.module.configs[name])
	case "check":
		for _, assert := range c.module.checks[name].asserts {
			c.validateCondition(assert, scope{})
		}
	}
}

// refer parses and checks references; false means that evaluation is no use.
func (c *checker) refer(traversals []hcl.Traversal, s scope) bool {
	refs, diags := references(traversals)
	diags = append(diags, c.static(refs, s)...)
	c.add(diags...)
	return !refused(diags)
}

// refused tells whether validation, and not only the plan, would fail.
func refused(diags hcl.Diagnostics) bool {
	return slices.ContainsFunc(diags, func(diag *hcl.Diagnostic) bool {
		return diag.Severity == hcl.DiagError && !OnlyAtPlan(diag)
	})
}

// value evaluates an expression and hands the value to a check.
func (c *checker) value(expr hcl.Expression, s scope, check func(cty.Value) *hcl.Diagnostic) {
	if expr == nil || !c.refer(expr.Variables(), s) {
		return
	}
	c.both(func(e *evaluator) hcl.Diagnostics {
		value, diags := e.expression(expr, s)
		if diags.HasErrors() {
			return diags
		}
		if wrong := check(value); wrong != nil {
			diags = append(diags, wrong)
		}
		return diags
	})
}

func anyValue(cty.Value) *hcl.Diagnostic { return nil }

func (c *checker) validateLocal(l *local) {
	if c.refer(l.expr.Variables(), scope{}) {
		c.both(func(e *evaluator) hcl.Diagnostics { return e.local(l.name).diags })
	}
}

func (c *checker) validateOutput(o *output) {
	c.validateDependsOn(o.dependsOn)
	for _, precondition := range o.preconditions {
		c.validateCondition(precondition, scope{})
	}
	c.value(o.value, scope{}, func(value cty.Value) *hcl.Diagnostic {
		if isEphemeral(value) && !o.ephemeral {
			return problem("Ephemeral value not allowed", "This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.", o.value.Range())
		}
		return nil
	})
}

func isEphemeral(value cty.Value) bool {
	_, marks := value.UnmarkDeep()
	_, ok := marks[ephemeralMark{}]
	return ok
}

// validateCall can't know the inputs of a module that isn't here.
func (c *checker) validateCall(m *call) {
	c.validateRepetition(m.count, m.forEach)
	c.validateDependsOn(m.dependsOn)
	if m.body == nil {
		return
	}
	for name, attribute := range m.body.Attributes {
		if !map[string]bool{"source": true, "version": true, "providers": true, "depends_on": true, "count": true, "for_each": true}[name] {
			c.value(attribute.Expr, scope{each: m.forEach != nil, count: m.count != nil}, anyValue)
		}
	}
}

// validateProvider checks only what some resource uses: Terraform drops the
// other configurations before it looks at them.
func (c *checker) validateProvider(p *providerConfig) {
	schema := c.providers[p.name]
	if schema == nil || !p.used {
		return
	}
	traversals := traversalsOf(p.body, map[string]bool{"alias": true, "version": true})
	if !c.refer(traversals, scope{}) {
		return
	}
	c.both(func(e *evaluator) hcl.Diagnostics {
		return c.newDecoder(e.context(traversals, scope{}), false).decode(p.config, schema.ProviderConfig())
	})
}

// validateCondition checks the type of a condition and of its message.
func (c *checker) validateCondition(cond *condition, s scope) {
	c.value(cond.condition, s, func(value cty.Value) *hcl.Diagnostic {
		unmarked, _ := value.UnmarkDeep()
		converted, err := convert.Convert(unmarked, cty.Bool)
		if err == nil && !converted.IsNull() {
			return nil
		}
		return problem("Invalid condition result", "The condition expression must return either true or false.", cond.condition.Range())
	})
	c.value(cond.errorMessage, s, func(value cty.Value) *hcl.Diagnostic {
		unmarked, _ := value.UnmarkDeep()
		if _, err := convert.Convert(unmarked, cty.String); err != nil {
			return problem("Invalid error message", fmt.Sprintf("Unsuitable value for error message: %s.", err), cond.errorMessage.Range())
		}
		return nil
	})
}

func (c *checker) validateDependsOn(list []hcl.Traversal) {
	for _, traversal := range list {
		ref, wrong := parseReference(traversal)
		if wrong != nil {
			c.add(wrong)
			continue
		}
		diags := c.static([]reference{ref}, scope{each: true, count: true})
		if len(ref.rest) > 0 {
			diags = hcl.Diagnostics{problem("Invalid depends_on reference",
				"References in depends_on must be to a whole object (resource, etc), not to an attribute of an object.", traversal.SourceRange())}
		}
		c.add(diags...)
	}
}

// validateImport checks that there is a resource to import into.
func (c *checker) validateImport(block *importBlock) {
	s := scope{each: block.forEach != nil}
	c.value(block.id, s, anyValue)
	if block.to == nil {
		return
	}
	target, ok := targetAddress(block.to)
	if !ok {
		c.add(problem("Invalid import address", "The \"to\" argument must be the address of a managed resource.", block.to.Range()))
		return
	}
	if c.module.resources[target] == nil {
		// Validation lets it pass: Terraform could write the configuration.
		c.add(atPlan(problem("Configuration for import target does not exist",
			fmt.Sprintf("The configuration for the given import target %s does not exist. All target instances must have an associated configuration to be imported.", target), block.to.Range()))...)
	}
}

// resolve finds a resource's schema and marks its provider as used.
func (c *checker) resolve(r *resource) {
	name := strings.SplitN(r.typ, "_", 2)[0]
	at := r.block.LabelRanges[0]
	if r.provider != nil {
		name, at = r.provider.name, r.provider.at
	}
	if p := c.module.configs[r.providerKey()]; p != nil {
		p.used = true
	} else if r.provider != nil && r.provider.alias != "" {
		c.add(problem("Provider configuration not present",
			fmt.Sprintf("There is no provider block for %q with the alias %q.", name, r.provider.alias), at))
	}
	provider := c.providers[name]
	if provider == nil {
		c.add(problem("Missing required provider", fmt.Sprintf("No schema is known of a provider %q.", name), at))
		return
	}
	find, types, summary, what := r.lookup(provider)
	if block, ok := find(r.typ); ok {
		r.schema = block
		return
	}
	c.add(problem(summary, fmt.Sprintf("The provider %s does not support %s %q.%s", provider.Source(), what, r.typ, suggestion(r.typ, types())), r.block.LabelRanges[0]))
}

func (r *resource) lookup(p *schema.Provider) (find func(string) (*schema.Block, bool), types func() []string, summary, what string) {
	switch r.mode {
	case data:
		return p.DataSource, p.DataSources, "Invalid data source", "data source"
	case ephemeral:
		return p.Ephemeral, p.EphemeralTypes, "Invalid ephemeral resource", "ephemeral resource"
	default:
		return p.Resource, p.ResourceTypes, "Invalid resource type", "resource type"
	}
}

func bodyOf(body hcl.Body) *hclsyntax.Body {
	syntax, _ := body.(*hclsyntax.Body)
	return syntax
}
