package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mitchellh/go-wordwrap"

	"scaffold/cmd/project"
	"scaffold/render"
)

// explainPattern says what shows each point of a pattern: all of it for what is
// selected, and how the blueprint's other targets do in the same point.
func (a *app) explainPattern(id string, rest []string, f *renderFlags) error {
	r, err := a.renderAll(rest, f)
	if err != nil {
		return err
	}
	doc := coverageOf(r.roots, id)
	if a.format != "text" {
		a.printJSON(doc)
		return nil
	}
	if len(doc) == 0 {
		fmt.Fprintf(a.out, "%s does not name %s, so nothing was rendered for it.\n\n", r.project.Source.Name, id)
		return a.showPattern(r.project, id)
	}
	rows := sideBySide(slices.Concat(r.roots, besides(r.project, f.sel)), id)
	last := ""
	for _, row := range rows {
		if !row.answeredBy(r.roots) {
			continue
		}
		if head := row.pattern + " of " + row.component + suffix(" in ", row.only()); head != last {
			fmt.Fprintln(a.out, head)
			last = head
		}
		a.printRow(row, r.roots)
	}
	return nil
}

// explainCoverage shows every point of the blueprint's patterns, its targets
// beside each other, and why some are not covered outright.
func (a *app) explainCoverage(rest []string, f *renderFlags) error {
	r, err := a.renderAll(rest, f)
	if err != nil {
		return err
	}
	if a.format != "text" {
		a.printJSON(coverageOf(r.roots, ""))
		return nil
	}
	roots := slices.Concat(r.roots, besides(r.project, f.sel))
	rows := sideBySide(roots, "")
	if len(rows) == 0 {
		fmt.Fprintf(a.out, "%s names no pattern.\n", r.project.Source.Name)
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "COMPONENT\tPOINT")
	for _, target := range targetsOf(roots) {
		fmt.Fprintf(w, "\t%s", strings.ToUpper(target))
	}
	fmt.Fprintln(w)
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%s.%s", row.component, row.pattern, row.point)
		for _, target := range targetsOf(roots) {
			fmt.Fprintf(w, "\t%s", row.status(target))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.printReasons(rows)
	return nil
}

// printReasons lists what is less than covered. Targets that give the same reason are
// named together.
func (a *app) printReasons(rows []row) {
	var order []string
	targets := map[string][]string{}
	for _, row := range rows {
		for _, cell := range row.cells {
			if cell.why() == "" {
				continue
			}
			reason := fmt.Sprintf("%s.%s, %s\n  %s", row.pattern, row.point, cell.status(), wrapped(cell.why(), 2))
			if cell.coverage == nil {
				reason = "all points, refused\n  " + cell.why()
			}
			if targets[reason] == nil {
				order = append(order, reason)
			}
			if !slices.Contains(targets[reason], cell.root.Target) {
				targets[reason] = append(targets[reason], cell.root.Target)
			}
		}
	}
	for _, reason := range order {
		head, text, _ := strings.Cut(reason, "\n")
		fmt.Fprintf(a.out, "\n%s on %s\n%s\n", head, strings.Join(targets[reason], ", "), text)
	}
}

// printRow prints one point. Addresses are those of the roots that were asked for.
func (a *app) printRow(row row, asked []*project.Root) {
	if len(row.cells) == 1 {
		fmt.Fprintf(a.out, "  %-14s %s\n", row.point, row.cells[0].status())
		a.printEvidence(row.cells[0], true)
		return
	}
	fmt.Fprintf(a.out, "  %s\n", row.point)
	for _, cell := range row.cells {
		fmt.Fprintf(a.out, "    %-12s %s\n", cell.root.Target, cell.status())
		a.printEvidence(cell, slices.Contains(asked, cell.root))
	}
}

func (a *app) printEvidence(cell cell, addresses bool) {
	if addresses && cell.coverage != nil {
		for _, by := range cell.coverage.By {
			fmt.Fprintf(a.out, "  %-14s   %s\n", "", by)
		}
	}
	if why := cell.why(); why != "" {
		fmt.Fprintf(a.out, "  %-14s   %s\n", "", why)
	}
}

// wrapped breaks a text into lines that stand below each other.
func wrapped(text string, indent int) string {
	return strings.ReplaceAll(wordwrap.WrapString(text, width-uint(indent)), "\n", "\n"+strings.Repeat(" ", indent))
}

// coverageOf is the coverage of a pattern, or of all where the id is empty.
func coverageOf(roots []*project.Root, id string) []coverageJSON {
	doc := []coverageJSON{}
	for _, root := range roots {
		for _, c := range root.Result.Coverage {
			if id == "" || c.Pattern == id {
				doc = append(doc, coverageJSON{root.Folder, c.Component.Path, c.Pattern, c.Point.ID, c.Status, c.By, c.Why})
			}
		}
	}
	return doc
}

// besides renders the blueprint's targets that were not asked for. What is
// refused for one of them has no result: it must not keep the others from being
// explained.
func besides(p *project.Project, sel project.Selection) []*project.Root {
	var roots []*project.Root
	for _, target := range p.Source.Targets() {
		if sel.Target == "" || target == sel.Target {
			continue
		}
		more, diags := p.Render(project.Selection{Environment: sel.Environment, Target: target})
		for _, root := range more {
			if diags.HasErrors() {
				root.Result = nil
			}
		}
		roots = append(roots, more...)
	}
	return roots
}

// row is one point of a component's pattern, and what each target says of it.
type row struct {
	component, pattern, point string
	cells                     []cell
}

type cell struct {
	root     *project.Root
	coverage *render.Coverage // nil where the target refuses the blueprint
}

func (c cell) status() string {
	if c.coverage == nil {
		return "refused"
	}
	return c.coverage.Status
}

func (c cell) why() string {
	if c.coverage == nil {
		return "'scaffold validate --target " + c.root.Target + "' says why."
	}
	return c.coverage.Why
}

func (r row) status(target string) string {
	for _, c := range r.cells {
		if c.root.Target == target {
			return c.status()
		}
	}
	return "-" // the target leaves the pattern out
}

// only is the root's folder where there is but one to speak of.
func (r row) only() string {
	if len(r.cells) == 1 {
		return r.cells[0].root.Folder
	}
	return ""
}

func (r row) answeredBy(roots []*project.Root) bool {
	return slices.ContainsFunc(r.cells, func(c cell) bool { return slices.Contains(roots, c.root) })
}

// sideBySide puts what the roots say of the same point side by side, in the order
// in which the first of them has it. Each environment is compared by itself.
func sideBySide(roots []*project.Root, id string) []row {
	var rows []row
	known := map[string]int{}
	for _, root := range roots {
		if root.Result == nil {
			continue
		}
		for i, c := range root.Result.Coverage {
			if id != "" && c.Pattern != id {
				continue
			}
			component := path.Join(root.Environment, c.Component.Path)
			key := strings.Join([]string{component, c.Pattern, c.Point.ID}, " ")
			if _, ok := known[key]; !ok {
				known[key] = len(rows)
				rows = append(rows, row{component: component, pattern: c.Pattern, point: c.Point.ID})
			}
			at := &rows[known[key]]
			at.cells = append(at.cells, cell{root, &root.Result.Coverage[i]})
		}
	}
	for _, root := range roots {
		if root.Result != nil {
			continue
		}
		for i := range rows {
			if root.Environment == "" || strings.HasPrefix(rows[i].component, root.Environment+"/") {
				rows[i].cells = append(rows[i].cells, cell{root, nil})
			}
		}
	}
	return rows
}

func targetsOf(roots []*project.Root) []string {
	var targets []string
	for _, root := range roots {
		if !slices.Contains(targets, root.Target) {
			targets = append(targets, root.Target)
		}
	}
	return targets
}
