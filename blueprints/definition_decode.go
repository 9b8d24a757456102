package blueprints

import (
	"regexp"
	"regexp/syntax"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// decoder reads the attributes of one definition block and complains about
// those that nobody asked for.
type decoder struct {
	body  *hclsyntax.Body
	used  map[string]bool
	diags hcl.Diagnostics
}

func newDecoder(body *hclsyntax.Body) *decoder {
	return &decoder{body: body, used: map[string]bool{}}
}

func (d *decoder) expr(name string) hcl.Expression {
	d.used[name] = true
	if attr := d.body.Attributes[name]; attr != nil {
		return attr.Expr
	}
	return nil
}

func (d *decoder) constant(name string, t cty.Type) cty.Value {
	expr := d.expr(name)
	if expr == nil {
		return cty.NullVal(t)
	}
	v, diags := expr.Value(nil)
	if len(expr.Variables()) > 0 {
		diags = fail(expr.Range(), "Computed value", name+" is read before anything is computed, so no name can stand here. Write the value itself.")
	}
	d.diags = append(d.diags, diags...)
	if diags.HasErrors() {
		return cty.NullVal(t)
	}
	v, err := convert.Convert(v, t)
	if err != nil {
		d.diags = append(d.diags, problem(expr.Range(), "Invalid value", "The value of "+name+" does not fit: "+err.Error()+"."))
		return cty.NullVal(t)
	}
	return v
}

func (d *decoder) text(name string) string {
	if v := d.constant(name, cty.String); !v.IsNull() {
		return v.AsString()
	}
	return ""
}

func (d *decoder) number(name string) int {
	if v := d.constant(name, cty.Number); !v.IsNull() {
		n, _ := v.AsBigFloat().Int64()
		return int(n)
	}
	return 0
}

func (d *decoder) flag(name string) bool {
	v := d.constant(name, cty.Bool)
	return !v.IsNull() && v.True()
}

func (d *decoder) texts(name string) []string {
	v := d.constant(name, cty.List(cty.String))
	if v.IsNull() {
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		if e.IsNull() {
			d.diags = append(d.diags, problem(d.expr(name).Range(), "Invalid value", "No element of "+name+" can be null."))
			continue
		}
		out = append(out, e.AsString())
	}
	return out
}

// keywords reads a list of bare words, such as [database, cache].
func (d *decoder) keywords(name string) []string {
	expr := d.expr(name)
	if expr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(expr)
	d.diags = append(d.diags, diags...)
	var out []string
	for _, e := range exprs {
		word := hcl.ExprAsKeyword(e)
		if word == "" {
			d.diags = append(d.diags, problem(e.Range(), "Invalid definition", "A bare word is needed here, such as database."))
			continue
		}
		out = append(out, word)
	}
	return out
}

// unknown complains about attributes that were not asked for, and about blocks
// of types that are not listed.
func (d *decoder) unknown(blocks ...string) {
	names := mapKeys(d.used)
	for _, attr := range sortedAttributes(d.body) {
		if !d.used[attr.Name] {
			d.diags = append(d.diags, problem(attr.NameRange, "Unknown argument",
				"There is no argument "+attr.Name+" here."+suggest(attr.Name, names)))
		}
	}
	for _, block := range d.body.Blocks {
		if !contains(blocks, block.Type) {
			d.diags = append(d.diags, problem(block.TypeRange, "Unknown block",
				"There is no block "+block.Type+" here."+suggest(block.Type, blocks)))
		}
	}
}

func decodeDefinition(role, id string, block *hclsyntax.Block) (*Definition, hcl.Diagnostics) {
	d := newDecoder(block.Body)
	def := &Definition{Role: role, ID: id, Range: block.DefRange()}
	def.Title, def.Summary = d.text("title"), d.text("summary")
	switch role {
	case "component":
		def.Plural = d.text("plural")
		if def.Plural == "" {
			def.Plural = id + "s"
		}
	case "pattern":
		decodePattern(d, def)
	}
	decodeMembers(d, def)
	if role == "component" {
		def.Inputs = append(def.Inputs, formerName(def.Range))
	}
	d.unknown("input", "derived", "block", "check", "metrics", "point")
	return def, d.diags
}

// formerName is an input that every component has: a component that was renamed
// keeps its resources if it says what it was called.
func formerName(decl hcl.Range) *Input {
	return &Input{
		Name: "was", Type: &Type{plain: cty.String, Name: "string"}, Nullable: true, Decl: decl,
		Default: hcl.StaticExpr(cty.NullVal(cty.DynamicPseudoType), decl),
		Matches: wholly(namePattern.String()), Hint: "a name that the component had",
		Summary: "The name that it had before it was renamed. Terraform then moves what it made instead of making it anew.",
	}
}

func decodePattern(d *decoder, def *Definition) {
	def.Attaches = d.keywords("attaches")
	def.Extends = d.text("extends")
	def.Quality, def.Difficulty = d.number("quality"), d.number("difficulty")
	def.Performance = d.text("performance")
	def.When = d.texts("when")
	decodeFit(d, def)
	for _, block := range d.body.Blocks {
		sub := newDecoder(block.Body)
		switch block.Type {
		case "metrics":
			decodeMetrics(sub, def)
		case "point":
			if len(block.Labels) == 1 {
				def.Points = append(def.Points, Point{ID: block.Labels[0], Summary: sub.text("summary")})
			}
		default:
			continue
		}
		sub.unknown()
		d.diags = append(d.diags, sub.diags...)
	}
}

func decodeMembers(d *decoder, def *Definition) {
	for _, block := range d.body.Blocks {
		if block.Type == "metrics" || block.Type == "point" {
			continue
		}
		if len(block.Labels) != 1 {
			d.diags = append(d.diags, problem(block.DefRange(), "Invalid definition", "A block "+block.Type+" of a definition takes one label, its name."))
			continue
		}
		sub := newDecoder(block.Body)
		switch block.Type {
		case "input":
			def.Inputs = append(def.Inputs, decodeInput(sub, block))
		case "derived":
			def.Derived = append(def.Derived, &Derived{Name: block.Labels[0], Value: sub.expr("value"), Summary: sub.text("summary"), Decl: block.DefRange()})
			if sub.expr("value") == nil {
				sub.diags = append(sub.diags, problem(block.DefRange(), "Invalid definition", "A derived value needs an argument value."))
			}
		case "check":
			def.Checks = append(def.Checks, decodeCheck(sub, block))
		case "block":
			def.Blocks = append(def.Blocks, decodeBlock(sub, block))
			d.diags = append(d.diags, sub.diags...)
			continue
		default:
			continue
		}
		sub.unknown()
		d.diags = append(d.diags, sub.diags...)
	}
}

func decodeBlock(d *decoder, block *hclsyntax.Block) *Block {
	def := &Definition{Role: "block", ID: block.Labels[0], Range: block.DefRange(), Summary: d.text("summary"), Title: d.text("title")}
	b := &Block{Definition: def, Label: d.text("label"), Many: d.flag("many")}
	decodeMembers(d, def)
	d.unknown("input", "derived", "block", "check")
	return b
}

func decodeInput(d *decoder, block *hclsyntax.Block) *Input {
	in := &Input{
		Name: block.Labels[0], Summary: d.text("summary"), Nullable: d.flag("nullable"), Distinct: d.flag("distinct"),
		Hint: d.text("hint"), Deprecated: d.text("deprecated"), Default: d.expr("default"), Decl: block.DefRange(),
	}
	expr := d.expr("type")
	if expr == nil {
		d.diags = append(d.diags, problem(block.DefRange(), "Invalid definition", "An input needs an argument type."))
		in.Type = &Type{plain: cty.DynamicPseudoType, Name: "any"}
	} else {
		t, diags := parseType(expr)
		d.diags = append(d.diags, diags...)
		in.Type = t
	}
	if in.Nullable && in.Default == nil {
		in.Default = hcl.StaticExpr(cty.NullVal(cty.DynamicPseudoType), block.DefRange())
	}
	in.OneOf = d.values("one_of", in.Type)
	in.Range = d.values("range", in.Type)
	in.Length = d.values("length", &Type{plain: cty.Number, Name: "number"})
	for _, name := range []string{"range", "length"} {
		if expr := d.expr(name); expr != nil && len(d.values(name, &Type{plain: cty.DynamicPseudoType, Name: "any"})) != 2 {
			d.diags = append(d.diags, problem(expr.Range(), "Invalid definition", name+" takes two values, [least, most]; null stands for no bound."))
		}
	}
	if pattern := d.text("matches"); pattern != "" {
		if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
			d.diags = append(d.diags, problem(d.expr("matches").Range(), "Invalid definition", "matches is not a regular expression: "+err.Error()+"."))
		} else {
			in.Matches = wholly(pattern)
		}
	}
	return in
}

// Pattern is a regular expression that a text has to match from end to end. It is
// compiled when a text is first held against it: most inputs of most definitions
// are never set.
type Pattern struct {
	text     string
	compiled func() *regexp.Regexp
}

// MatchString reports whether a whole text matches.
func (p *Pattern) MatchString(text string) bool { return p.compiled().MatchString(text) }

// String is the pattern as it was written.
func (p *Pattern) String() string { return p.text }

var patterns sync.Map // of texts to *Pattern; many inputs have the same

// wholly gives the pattern of a valid regular expression.
func wholly(pattern string) *Pattern {
	made, _ := patterns.LoadOrStore(pattern, &Pattern{pattern, sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\A(?:` + pattern + `)\z`)
	})})
	return made.(*Pattern)
}

func (d *decoder) values(name string, t *Type) []cty.Value {
	expr := d.expr(name)
	if expr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(expr)
	d.diags = append(d.diags, diags...)
	if t.elem != nil {
		t = t.elem
	} else if t.scalar == nil && t.plain != cty.NilType && t.plain.IsCollectionType() {
		t = &Type{plain: t.plain.ElementType(), Name: "element"}
	}
	var out []cty.Value
	for _, e := range exprs {
		v, diags := e.Value(nil)
		d.diags = append(d.diags, diags...)
		if diags.HasErrors() {
			continue
		}
		v, err := t.Convert(v)
		if err != nil {
			d.diags = append(d.diags, problem(e.Range(), "Invalid definition", "The value does not fit the input's type: "+err.Error()+"."))
			continue
		}
		out = append(out, v)
	}
	return out
}

func decodeCheck(d *decoder, block *hclsyntax.Block) *Check {
	c := &Check{
		ID: block.Labels[0], Condition: d.expr("condition"), Message: d.expr("message"), Fix: d.expr("fix"),
		At: d.expr("at"), Related: d.expr("related"), Warning: d.text("severity") == "warning", Firm: d.flag("firm"), Decl: block.DefRange(),
	}
	if c.Condition == nil || c.Message == nil {
		d.diags = append(d.diags, problem(block.DefRange(), "Invalid definition", "A check needs a condition and a message."))
	}
	return c
}

// DecodeChecks reads the check blocks of a body, for packs, whose templates
// carry checks of their own. They say what the target cannot do, so that all
// but warnings are firm.
func DecodeChecks(body *hclsyntax.Body) ([]*Check, hcl.Diagnostics) {
	var checks []*Check
	var diags hcl.Diagnostics
	for _, block := range body.Blocks {
		if block.Type != "check" || len(block.Labels) != 1 {
			continue
		}
		d := newDecoder(block.Body)
		c := decodeCheck(d, block)
		c.Firm = c.Firm || !c.Warning
		checks = append(checks, c)
		d.unknown()
		diags = append(diags, d.diags...)
	}
	return checks, diags
}

func decodeProfile(id string, block *hclsyntax.Block) (*Profile, hcl.Diagnostics) {
	d := newDecoder(block.Body)
	p := &Profile{ID: id, Title: d.text("title"), Summary: d.text("summary"), Patterns: d.texts("patterns"), Defaults: map[string]hcl.Body{}, Range: block.DefRange()}
	for _, b := range block.Body.Blocks {
		if b.Type == "defaults" && len(b.Labels) == 1 {
			p.Defaults[b.Labels[0]] = b.Body
		}
	}
	p.Weights = d.weights("weights")
	d.unknown("defaults")
	return p, d.diags
}
