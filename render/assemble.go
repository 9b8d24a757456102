package render

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
	"scaffold/render/manifest"
	"scaffold/render/yaml"
)

// assemble puts the units of all jobs into files: shared blocks once, and
// extensions into what they extend.
func (r *run) assemble() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, j := range r.jobs {
		for _, u := range j.units {
			if !u.extension {
				diags = append(diags, r.place(u)...)
			}
		}
	}
	if diags.HasErrors() {
		return diags
	}
	for _, j := range r.jobs {
		for _, u := range j.units {
			if u.extension {
				diags = append(diags, r.extend(u)...)
			}
		}
	}
	return diags
}

func (r *run) place(u *unit) hcl.Diagnostics {
	file := u.job.file
	if u.form == Content {
		file = u.file
	}
	if u.address == "" {
		for _, other := range r.files[file] {
			if other.block == u.block && other.text.String() == u.text.String() {
				return nil // the same block for another component
			}
		}
	} else if other := r.byAddr[u.address]; other != nil {
		if same(u, other) && u.shared {
			return nil
		}
		return r.clash(u, other)
	} else {
		r.byAddr[u.address] = u
	}
	if r.files[file] == nil {
		r.order = append(r.order, file)
	}
	r.files[file] = append(r.files[file], u)
	return nil
}

func same(a, b *unit) bool {
	switch {
	case a.form != b.form:
		return false
	case a.form == Config:
		return a.text.String() == b.text.String()
	case a.form == Content:
		return string(a.data) == string(b.data)
	}
	return string(a.yaml()) == string(b.yaml())
}

func (r *run) clash(u, other *unit) hcl.Diagnostics {
	detail := fmt.Sprintf("%s is rendered twice, with different content: for %s and for %s.", u.address, u.job.subject.instance.Path, other.job.subject.instance.Path)
	if u.shared {
		detail += " A block whose name does not hold the component's is rendered once for all, so it must not depend on one of them."
	} else {
		detail += " Rename one of the two components."
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Two blocks with one address", Detail: detail, Subject: u.at().Ptr(),
		Extra: &blueprints.Extra{Related: []blueprints.Related{
			{Range: other.at(), Text: "the other one"},
			{Range: u.job.subject.instance.Range, Text: u.job.subject.instance.Path},
			{Range: other.job.subject.instance.Range, Text: other.job.subject.instance.Path},
		}},
	}}
}

func (r *run) extend(u *unit) hcl.Diagnostics {
	target := r.byAddr[u.address]
	if target == nil {
		return hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Nothing to extend", Subject: u.at().Ptr(),
			Detail: fmt.Sprintf("No template renders %s for %s, so there is nothing to add to. Render it, or put a condition on this block with when.", u.address, u.job.subject.instance.Path),
		}}
	}
	if target.extended == nil {
		target.extended = map[string]*job{}
	}
	target.extended[u.at().Filename] = u.job
	if u.form == Object {
		// The labels of both are the same, but not what the first is written as.
		addition := *u.tree
		addition.Entries = slices.DeleteFunc(slices.Clone(addition.Entries), func(e yaml.Entry) bool {
			return e.Key == "apiVersion" || e.Key == "kind"
		})
		return manifest.Merge(target.tree, &addition)
	}
	return target.join(u, r.pack.Single)
}
