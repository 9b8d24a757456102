package render

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints"
	"scaffold/render/fold"
)

// movedFile holds the moves of renamed components, apart from what stays: they
// can go once every state has seen them.
const movedFile = "moved.tf"

// move writes a moved block for every resource of a component that says what it
// was called before.
func (r *run) move() {
	file := &File{}
	for _, name := range r.order {
		for _, u := range r.files[name] {
			if from := u.formerAddress(); from != "" {
				file.addMove(u, from)
			}
		}
	}
	if len(file.lines) == 0 {
		return
	}
	file.lines = append([]Line{{Text: r.header()}, {}}, file.lines...)
	file.finish()
	file.Path = joinPath(r.folder, movedFile)
	r.result.Files[file.Path] = file
}

// formerAddress is the address that a resource had under the component's former
// name; empty if it had none or is no resource.
func (u *unit) formerAddress() string {
	if u.form != Config || u.shared || u.extension || u.block.Type != "resource" {
		return ""
	}
	was := formerName(u.job.subject.instance)
	if was == "" {
		return ""
	}
	former := fold.Scope{This: was}
	labels := append([]string{}, u.block.Labels...)
	labels[len(labels)-1] = former.Named(labels[len(labels)-1])
	return strings.Join(labels, ".")
}

func formerName(inst *blueprints.Instance) string {
	a := inst.Attr("was")
	if a == nil || a.Value().IsNull() || !a.Value().IsKnown() || a.Value().Type() != cty.String {
		return ""
	}
	return a.Value().AsString()
}

func (f *File) addMove(u *unit, from string) {
	if len(f.lines) > 0 {
		f.add(Line{})
	}
	part := Part{Source: u.at(), Subject: u.job.subject.instance, Scope: u.job.scope}
	for _, text := range []string{"moved {", fmt.Sprintf("  from = %s", from), fmt.Sprintf("  to   = %s", u.address), "}"} {
		f.add(Line{Text: text, Parts: []Part{part}})
	}
}
