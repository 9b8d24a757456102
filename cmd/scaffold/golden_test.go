package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/txtar"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

var update = flag.Bool("update", false, "write the golden files anew")

// told is what `scaffold validate` says of a blueprint before anything is
// rendered, and the diagnostics that it says.
func told(t *testing.T, data []byte, options []string) (string, hcl.Diagnostics) {
	t.Helper()
	var out bytes.Buffer
	a := &app{format: "text", noColor: true, out: &out, err: &out}
	var sel project.Selection
	for _, o := range options {
		name, value, _ := strings.Cut(o, ": ")
		switch name {
		case "environment":
			sel.Environment = value
		case "target":
			sel.Target = value
		case "variable":
			a.variables = append(a.variables, value)
		}
	}
	src, diags := blueprints.Parse(data, "scaffold.hcl")
	p := &project.Project{Source: src}
	if !diags.HasErrors() {
		p, diags = project.New(src)
	}
	if !diags.HasErrors() {
		variables, err := a.parseVariables()
		if err != nil {
			t.Fatal(err)
		}
		p.Variables = variables
		_, diags = p.Resolve(sel)
	}
	_ = a.report(p, diags)
	return out.String(), diags
}

// checkPlaces holds that every problem is found: it has a place in the
// blueprint, and says what, why and what to do.
func checkPlaces(t *testing.T, data []byte, diags hcl.Diagnostics) {
	t.Helper()
	for _, d := range diags {
		switch {
		case d.Summary == "" || d.Detail == "":
			t.Errorf("a problem without words: %v", d)
		case d.Subject == nil:
			t.Errorf("%s: no place", d.Summary)
		case d.Subject.Filename != "scaffold.hcl":
			t.Errorf("%s: the place is %s, which a user of blueprints does not change", d.Summary, d.Subject)
		case d.Subject.Start.Line < 1 || d.Subject.Start.Column < 1 || d.Subject.Start.Byte > len(data):
			t.Errorf("%s: no place in the file: %s", d.Summary, d.Subject)
		}
	}
}

// TestWrongBlueprints holds what a user is told against the golden files: one
// file for each mistake, whose comment names it, and the options to read the
// blueprint with, such as "environment: staging".
func TestWrongBlueprints(t *testing.T) {
	t.Parallel()
	for _, file := range goldens(t, "wrong") {
		t.Run(name(file), func(t *testing.T) {
			t.Parallel()
			archive := read(t, file)
			data := section(t, archive, "scaffold.hcl")
			got, diags := told(t, data, strings.Split(strings.TrimSpace(string(archive.Comment)), "\n"))
			if len(diags) == 0 {
				t.Error("nothing is wrong with it")
			}
			if !strings.Contains(string(archive.Comment), "(no place)") {
				checkPlaces(t, data, diags)
			}
			compare(t, file, archive, "diagnostics", got)
		})
	}
}

// TestRules breaks every rule of the definitions in turn. A file holds a
// blueprint for each rule of one definition, RULE.hcl, and what a user is told,
// RULE.diagnostics.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, file := range goldens(t, "rules") {
		t.Run(name(file), func(t *testing.T) {
			t.Parallel()
			archive := read(t, file)
			for _, f := range slices.Clone(archive.Files) {
				rule, ok := strings.CutSuffix(f.Name, ".hcl")
				if !ok {
					continue
				}
				if *update {
					f.Data = hclwrite.Format(f.Data)
					put(archive, f.Name, f.Data, "")
				}
				got, diags := told(t, f.Data, nil)
				checkPlaces(t, f.Data, diags)
				code := name(file) + "." + rule
				if !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return codeOf(d) == code }) {
					t.Errorf("%s is met:\n%s", code, got)
				}
				compare(t, file, archive, rule+".diagnostics", got)
			}
		})
	}
}

// unbreakable are rules that values cannot break, for the ranges of their
// inputs forbid it. They hold for definitions that change the ranges.
var unbreakable = []string{"horizontal_pod_autoscaler.requests"}

func TestEveryRuleIsBroken(t *testing.T) {
	t.Parallel()
	broken := map[string]bool{}
	for _, file := range goldens(t, "rules") {
		for _, f := range read(t, file).Files {
			if rule, ok := strings.CutSuffix(f.Name, ".hcl"); ok {
				broken[name(file)+"."+rule] = true
			}
		}
	}
	catalog, diags := project.Catalog()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	inherited := map[string]bool{}
	for _, id := range catalog.Names("patterns") {
		def, _ := catalog.Pattern(id)
		if base, _ := catalog.Pattern(def.Extends); base != nil {
			for _, c := range base.Checks {
				inherited[id+"."+c.ID] = true
			}
		}
	}
	for _, folder := range []string{"components", "patterns", "targets"} {
		find := map[string]func(string) (*blueprints.Definition, hcl.Diagnostics){"components": catalog.Component, "patterns": catalog.Pattern, "targets": catalog.Target}[folder]
		for _, id := range catalog.Names(folder) {
			def, _ := find(id)
			for _, c := range def.Checks {
				if code := id + "." + c.ID; !broken[code] && !inherited[code] && !slices.Contains(unbreakable, code) {
					t.Errorf("no blueprint breaks %s; add one to testdata/rules/%s.txtar", code, id)
				}
			}
		}
	}
}

func codeOf(d *hcl.Diagnostic) string {
	if extra, ok := d.Extra.(*blueprints.Extra); ok {
		return extra.Code
	}
	return ""
}

// goldens lists the archives of a folder of the root's testdata.
func goldens(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", folder, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no archives in testdata/%s: %v", folder, err)
	}
	return files
}

func name(file string) string { return strings.TrimSuffix(filepath.Base(file), ".txtar") }

func read(t *testing.T, file string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

func section(t *testing.T, archive *txtar.Archive, name string) []byte {
	t.Helper()
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	t.Fatalf("the archive has no section %s", name)
	return nil
}

// put sets a section, behind the section after if it is new.
func put(archive *txtar.Archive, name string, data []byte, after string) {
	at := len(archive.Files)
	for i, f := range archive.Files {
		switch f.Name {
		case name:
			archive.Files[i].Data = data
			return
		case after:
			at = i + 1
		}
	}
	archive.Files = slices.Insert(archive.Files, at, txtar.File{Name: name, Data: data})
}

// compare holds got against a section of the archive, or writes it there.
func compare(t *testing.T, file string, archive *txtar.Archive, name, got string) {
	t.Helper()
	if *update {
		input := strings.TrimSuffix(name, ".diagnostics") + ".hcl"
		put(archive, name, []byte(got), input)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(section(t, archive, name)), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it):\n%s", name, diff)
	}
}
