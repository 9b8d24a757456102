package project

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
)

// Show writes a blueprint that says every value that holds for the targets of one
// environment, and where each comes from. It renders to the same files and is
// told the same of.
func (p *Project) Show(sel Selection) ([]byte, hcl.Diagnostics) {
	roots, diags := p.Resolve(sel)
	if diags.HasErrors() {
		return nil, diags
	}
	s := &shower{p: p, files: p.Sources()}
	s.collect(roots)
	s.write(roots)
	told := append(diags, each(roots, func(root *Root) hcl.Diagnostics {
		diags := p.renderOne(root)
		root.Result = nil // what is told of it is all that is needed
		return diags
	})...)
	for again := true; again; {
		again = s.agree(sel, told)
		s.lines = nil
		s.write(roots)
	}
	return hclwrite.Format([]byte(s.text())), nil
}

// shower writes a blueprint line by line.
type shower struct {
	p      *Project
	files  map[string]*hcl.File
	labels *shownValue // nil without
	blocks []*shownBlock
	lines  []shownLine
}

// shownLine is a line with the value or block that it is of, if any.
type shownLine struct {
	text  string
	value *shownValue
	block *shownBlock
}

// shownValue is a value as it stands in the blueprint that is shown.
type shownValue struct {
	attr    *blueprints.Attr
	written blueprints.Written
	origin  string
	// set says that it stands as an argument, and not in a comment.
	set     bool
	answers []string // comments that answer rules
}

// shownBlock is what stands in a block.
type shownBlock struct {
	head    string // such as `service "web"`
	listed  bool   // one of several blocks without labels
	values  []*shownValue
	blocks  []*shownBlock
	answers []string
}

// collect lists the labels and the blocks of all targets and components.
func (s *shower) collect(roots []*Root) {
	if labels := roots[0].Model.Blueprint.Attr("labels"); labels.IsInput() {
		s.labels = s.describeValue(labels)
	}
	for _, root := range roots {
		if root.Model.TargetInstance.Definition != nil {
			s.blocks = append(s.blocks, s.describe(root.Model.TargetInstance))
		}
	}
	for n := range roots[0].Model.Components {
		var forms []*shownBlock
		for _, root := range roots {
			forms = append(forms, s.describe(root.Model.Components[n]))
		}
		common, rest := split(forms)
		for i, own := range rest {
			if len(own.values)+len(own.blocks) > 0 {
				own.head = roots[i].Target
				common.blocks = append(common.blocks, own)
			}
		}
		s.blocks = append(s.blocks, common)
	}
}

func (s *shower) write(roots []*Root) {
	model := roots[0].Model
	var targets []string
	for _, root := range roots {
		targets = append(targets, root.Target)
	}
	where := strings.Join(targets, ", ")
	if model.Environment != "" {
		where += " in " + model.Environment
	}
	s.line("# Every value that holds for %s, and where it comes from: a line of", where)
	s.line("# %s, a profile, or a default and how it is computed.", printable(s.p.Source.Name))
	s.line("# What stands in a comment is computed as well: it cannot be set, or need not be.")
	s.header(model)
	for _, b := range s.blocks {
		s.line("")
		s.block(b)
	}
	if model.Environment != "" {
		s.line("")
		s.line("environment %q {}", model.Environment)
	}
}

// header writes the block blueprint.
func (s *shower) header(model *blueprints.Model) {
	s.line("")
	s.line("blueprint %q {", model.Blueprint.Name)
	if model.Profile != nil {
		s.line("profile = %q", model.Profile.ID)
	}
	if s.labels != nil {
		s.value(s.labels)
	}
	if names := s.p.Source.ExtensionNames(); len(names) > 0 {
		var values []cty.Value
		for _, name := range names {
			values = append(values, cty.StringVal(name))
		}
		s.line("extensions = %s", hclwrite.TokensForValue(cty.ListVal(values)).Bytes())
	}
	s.line("}")
}

// describe lists what stands in an instance's block.
func (s *shower) describe(inst *blueprints.Instance) *shownBlock {
	b := &shownBlock{head: inst.Kind, listed: inst.Listed()}
	if inst.Name != "" {
		b.head = fmt.Sprintf("%s %q", inst.Kind, inst.Name)
	}
	for _, attr := range inst.Attrs() {
		if attr.IsInput() || attr.Origin.Source == "derived" {
			b.values = append(b.values, s.describeValue(attr))
		}
	}
	for _, nested := range inst.Nested() {
		b.blocks = append(b.blocks, s.describe(nested))
	}
	return b
}

func (s *shower) describeValue(attr *blueprints.Attr) *shownValue {
	v := &shownValue{attr: attr, written: attr.Write(), set: attr.IsInput()}
	how := ""
	if attr.Origin.Expr != nil {
		how = SourceLine(s.files, attr.Origin.Range)
	}
	if v.written.Long && v.byUser() && len(attr.Origin.Inputs) == 0 && !strings.HasSuffix(how, "...") {
		v.written.Text = how // 20 / 3 says more than its digits do
	}
	v.origin = origin(attr)
	if len(attr.Origin.Inputs) > 0 && how != v.written.Text {
		v.origin += ", " + printable(how)
	}
	if !v.byUser() && (!v.written.Exact || v.written.Long || attr.Value().IsNull()) {
		v.set = false
	}
	return v
}

// byUser reports whether the value stands in the blueprint.
func (v *shownValue) byUser() bool {
	source := v.attr.Origin.Source
	return source == "blueprint" || strings.HasPrefix(source, "environment ")
}

// origin says where a value comes from.
func origin(attr *blueprints.Attr) string {
	from, line := attr.Origin.Source, attr.Origin.Range.Start.Line
	switch {
	case from == "blueprint":
		return fmt.Sprintf("line %d", line)
	case strings.HasPrefix(from, "environment "):
		return fmt.Sprintf("line %d, %s", line, from)
	}
	return from
}

// split takes apart what blocks of several targets have in common, and what
// each of them has for itself.
func split(forms []*shownBlock) (common *shownBlock, rest []*shownBlock) {
	common = &shownBlock{head: forms[0].head}
	for _, form := range forms {
		rest = append(rest, &shownBlock{head: form.head})
	}
	for n, v := range forms[0].values { // in the order of the one definition
		if alike(forms, func(b *shownBlock) string { return b.values[n].text() }) {
			common.values = append(common.values, v)
			continue
		}
		for i, form := range forms {
			rest[i].values = append(rest[i].values, form.values[n])
		}
	}
	for _, head := range heads(forms) {
		var same [][]*shownBlock
		every, listed := true, false
		for _, form := range forms {
			own := form.called(head)
			every = every && len(own) > 0
			listed = listed || len(own) > 0 && own[0].listed
			same = append(same, own)
		}
		switch {
		case every && !listed:
			common.divide(rest, same)
		case every && alike(forms, func(b *shownBlock) string { return textOf(b.called(head)) }):
			common.blocks = append(common.blocks, same[0]...)
		default:
			for i := range forms {
				rest[i].blocks = append(rest[i].blocks, same[i]...)
			}
		}
	}
	return common, rest
}

// divide splits a block that every target has once.
func (b *shownBlock) divide(rest []*shownBlock, same [][]*shownBlock) {
	inner, own := split(slices.Concat(same...))
	b.blocks = append(b.blocks, inner)
	for i := range own {
		if len(own[i].values)+len(own[i].blocks) > 0 {
			rest[i].blocks = append(rest[i].blocks, own[i])
		}
	}
}

// heads are the heads of all inner blocks, each once.
func heads(forms []*shownBlock) []string {
	var out []string
	seen := map[string]bool{}
	for _, form := range forms {
		for _, inner := range form.blocks {
			if !seen[inner.head] {
				seen[inner.head] = true
				out = append(out, inner.head)
			}
		}
	}
	return out
}

func (b *shownBlock) called(head string) []*shownBlock {
	var out []*shownBlock
	for _, inner := range b.blocks {
		if inner.head == head {
			out = append(out, inner)
		}
	}
	return out
}

func alike(forms []*shownBlock, text func(*shownBlock) string) bool {
	for _, form := range forms[1:] {
		if text(form) != text(forms[0]) {
			return false
		}
	}
	return true
}

// text is what is the same where two values are.
func (v *shownValue) text() string { return fmt.Sprintf("%t %s", v.set, v.written.Text) }

func textOf(blocks []*shownBlock) string {
	s := &shower{}
	for _, b := range blocks {
		s.block(b)
	}
	return s.text()
}

func (s *shower) line(format string, args ...any) {
	s.lines = append(s.lines, shownLine{text: fmt.Sprintf(format, args...)})
}

func (s *shower) block(b *shownBlock) {
	for _, answer := range b.answers {
		s.line("%s", answer)
	}
	if len(b.values)+len(b.blocks) == 0 {
		s.lines = append(s.lines, shownLine{text: b.head + " {}", block: b})
		return
	}
	s.lines = append(s.lines, shownLine{text: b.head + " {", block: b})
	for _, set := range []bool{true, false} { // arguments, then comments
		for _, v := range b.values {
			if v.set == set {
				s.value(v)
			}
		}
	}
	for i, inner := range b.blocks {
		if i+len(b.values) > 0 {
			s.line("")
		}
		s.block(inner)
	}
	s.line("}")
}

func (s *shower) value(v *shownValue) {
	if !v.attr.IsInput() && v.attr.Value().IsNull() {
		return // it is not there
	}
	for _, answer := range v.answers {
		s.line("%s", answer)
	}
	text := fmt.Sprintf("%s = %s # %s", v.attr.Name, v.written.Text, v.origin)
	if !v.set {
		text = fmt.Sprintf("# %s = %s (%s)", v.attr.Name, printable(v.attr.Show()), v.origin)
	}
	s.lines = append(s.lines, shownLine{text: text, value: v})
}

func (s *shower) text() string {
	var b strings.Builder
	for _, line := range s.lines {
		b.WriteString(line.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// agree renders what is shown, and mends what is told of it and was not told of
// the blueprint: a rule that a comment answers there is answered where it points
// now, and a value that the user did not write is left to be computed where
// writing it is too much already. It reports whether that has to be done again,
// for with a rule to answer nothing is rendered yet.
func (s *shower) agree(sel Selection, told hcl.Diagnostics) bool {
	src, diags := blueprints.Parse([]byte(s.text()), s.p.Source.Name)
	if diags.HasErrors() {
		return false
	}
	before := map[string]bool{}
	for _, d := range told {
		before[d.Summary+"\x00"+d.Detail] = true
	}
	s.p.mu.Lock()
	again := &Project{Source: src, Catalog: s.p.Catalog, packs: maps.Clone(s.p.packs), folders: s.p.folders}
	s.p.mu.Unlock()
	roots, diags := again.Resolve(sel)
	refused := diags.HasErrors()
	if !refused {
		diags = append(diags, each(roots, again.renderOne)...)
	}
	mended := false
	for _, d := range diags {
		if !before[d.Summary+"\x00"+d.Detail] && d.Subject != nil && d.Subject.Filename == src.Name {
			mended = s.mend(s.lines[d.Subject.Start.Line-1], d) || mended
		}
	}
	return refused && mended
}

// mend reports whether there was something that it could do.
func (s *shower) mend(line shownLine, d *hcl.Diagnostic) bool {
	answer := ""
	if extra, ok := d.Extra.(*blueprints.Extra); ok {
		at := 0
		if line.value != nil {
			at = line.value.attr.Origin.Range.Start.Line
		}
		if reason := s.p.Source.Reason(extra.Code, at); reason != "" {
			answer = fmt.Sprintf("# scaffold:ignore %s %s", extra.Code, reason)
		}
	}
	switch {
	case line.value != nil && line.value.set && !line.value.byUser() && answer == "":
		line.value.set = false
	case line.value != nil && answer != "" && !slices.Contains(line.value.answers, answer):
		line.value.answers = append(line.value.answers, answer)
	case line.block != nil && answer != "" && !slices.Contains(line.block.answers, answer):
		line.block.answers = append(line.block.answers, answer)
	default:
		return false
	}
	return true
}

// SourceLine is the text of a range on one line, cut to what a person reads.
func SourceLine(files map[string]*hcl.File, r hcl.Range) string {
	f := files[r.Filename]
	if f == nil || !r.CanSliceBytes(f.Bytes) {
		return ""
	}
	return OneLine(string(r.SliceBytes(f.Bytes)))
}

// OneLine puts a text on one line, cut to what a person reads.
func OneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:77], "") + "..."
	}
	return s
}

// printable keeps what a comment quotes from ending it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
