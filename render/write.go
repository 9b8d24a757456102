package render

import (
	"bytes"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/parse"
	"scaffold/render/fold"
	"scaffold/render/manifest"
	"scaffold/render/yaml"
)

// write turns the units of each file into lines.
func (r *run) write() hcl.Diagnostics {
	var diags hcl.Diagnostics
	files := make([]*File, len(r.order))
	problems := make([]hcl.Diagnostics, len(r.order))
	sideBySide(len(r.order), func(i int) {
		files[i], problems[i] = r.file(r.order[i], r.files[r.order[i]])
	})
	for i, name := range r.order {
		file := files[i]
		diags = append(diags, problems[i]...)
		if file == nil {
			continue
		}
		full := joinPath(r.folder, name)
		file.Path = full
		if r.result.Files[full] != nil {
			diags = append(diags, invalid(r.files[name][0].at(), fmt.Sprintf("Two packs render the file %s.", full))...)
			continue
		}
		r.result.Files[full] = file
	}
	r.move()
	return append(diags, r.writeIndex()...)
}

func (r *run) file(name string, units []*unit) (*File, hcl.Diagnostics) {
	form := units[0].form
	for _, u := range units {
		if u.form != form || (form == Content && len(units) > 1) {
			return nil, invalid(u.at(), fmt.Sprintf("The file %s holds blocks that cannot stand in one file.", name))
		}
	}
	switch form {
	case Config:
		return r.configFile(name, units), nil
	case Object:
		return r.objectFile(units)
	}
	return r.contentFile(units[0]), nil
}

func (r *run) header() string {
	return fmt.Sprintf("# Rendered by scaffold from %s. Change that file and render again, or add files of your own beside this one.", path.Base(r.model.Source.Name))
}

// configFile formats the units side by side. They are formatted one by one:
// nothing is aligned across blocks, and each line keeps the component that it was
// rendered for.
func (r *run) configFile(name string, units []*unit) *File {
	var b bytes.Buffer
	b.WriteString(r.header() + "\n")
	for _, u := range units {
		b.WriteByte('\n')
		fold.WriteText(&b, u.text)
	}
	file := &File{Data: b.Bytes(), trace: func() []Line { return r.trace(units) }}
	file.parse(joinPath(r.folder, name), units)
	return file
}

// parse reads the file back once, for all that look into what was rendered. What
// does not parse is left to whoever checks the file, and shows nothing.
func (f *File) parse(name string, units []*unit) {
	parsed, diags := parse.Config(f.Data, name, hcl.InitialPos)
	if diags.HasErrors() {
		return
	}
	body := parsed.Body.(*hclsyntax.Body)
	f.Body = body
	if len(body.Blocks) != len(units) {
		return
	}
	for i, u := range units {
		u.syntax = body.Blocks[i].Body
	}
}

func (r *run) trace(units []*unit) []Line {
	lines := []Line{{Text: r.header()}}
	for _, u := range units {
		lines = append(lines, Line{})
		for _, line := range fold.Lines(u.text) {
			lines = append(lines, u.line(line))
		}
	}
	return lines
}

func (u *unit) line(line fold.Line) Line {
	out := Line{Text: line.Text}
	for _, s := range line.Segments {
		j := u.jobOf(s.Source)
		p := Part{Source: s.Source, Locals: s.Locals, Subject: j.subject.instance, Scope: j.scope}
		if s.Expr != nil {
			p.Expr = s.Expr
		}
		if s.Kept || j.declares != nil {
			p.Exposed = j.exposedAs(s.Text)
		}
		out.Parts = append(out.Parts, p)
	}
	return out
}

func (u *unit) yaml() []byte {
	data, _ := yaml.Write(u.tree)
	return data
}

func (r *run) objectFile(units []*unit) (*File, hcl.Diagnostics) {
	file := &File{Form: Object}
	file.add(Line{Text: r.header()})
	for i, u := range units {
		if i > 0 {
			file.add(Line{Text: "---"})
		}
		data, marks := yaml.Write(u.tree)
		for n, text := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
			line := Line{Text: text}
			if n < len(marks) {
				line.Parts = []Part{u.yamlPart(marks[n])}
			}
			file.add(line)
		}
	}
	file.finish()
	return file, nil
}

func (u *unit) yamlPart(m yaml.Mark) Part {
	j := u.jobOf(m.Source.Range)
	p := Part{Source: m.Source.Range, Locals: m.Source.Locals, Subject: j.subject.instance, Scope: j.scope}
	if m.Source.Expr != nil {
		p.Expr = m.Source.Expr
	}
	return p
}

func (r *run) contentFile(u *unit) *File {
	file := &File{Form: Content, Data: u.data}
	for _, text := range strings.Split(strings.TrimSuffix(string(u.data), "\n"), "\n") {
		file.lines = append(file.lines, Line{Text: text, Parts: []Part{{Source: u.block.DefRange(), Subject: u.job.subject.instance, Scope: u.job.scope}}})
	}
	return file
}

func (f *File) add(line Line) { f.lines = append(f.lines, line) }

func (f *File) finish() {
	var b strings.Builder
	for _, line := range f.lines {
		b.WriteString(line.Text)
		b.WriteByte('\n')
	}
	f.Data = []byte(b.String())
}

// writeIndex renders the pack's index, a file that names the others.
func (r *run) writeIndex() hcl.Diagnostics {
	if r.pack.Index == nil || len(r.order) == 0 {
		return nil
	}
	names := append([]string{}, r.order...)
	sort.Strings(names)
	var files []cty.Value
	for _, n := range names {
		if r.files[n][0].form == Object {
			files = append(files, cty.StringVal(n))
		}
	}
	if len(files) == 0 {
		return nil
	}
	attr, name := r.pack.Index.Body.Attributes["content"], r.pack.Index.Body.Attributes["file"]
	if attr == nil || name == nil {
		return invalid(r.pack.Index.DefRange(), "An index needs the arguments file and content.")
	}
	scope := r.model.ScopeOf(r.model.Blueprint).With(map[string]cty.Value{"files": cty.ListVal(files)})
	src := r.pack.Sources()[attr.SrcRange.Filename].Bytes
	tree, diags := manifest.Tree(manifest.NewSource(src), attr.Expr, fold.Scope{Evaluator: scope})
	if diags.HasErrors() {
		return diags
	}
	file := &File{Form: Content, Path: joinPath(r.folder, constantText(name, &diags))}
	data, _ := yaml.Write(tree)
	file.add(Line{Text: r.header()})
	for _, text := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		file.add(Line{Text: text, Parts: []Part{{Source: attr.Expr.Range()}}})
	}
	file.finish()
	r.result.Files[file.Path] = file
	return diags
}
