package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// gauge has an input of every type, and blocks of every kind.
const gauge = `
component "gauge" {
  title   = "Gauge"
  summary = "Whatever can be said."

  input "text" {
    type    = string
    default = "a"
    summary = "…"
  }
  input "wait" {
    type    = duration
    default = 1 / 3
    range   = ["0s", "1h"]
    summary = "…"
  }
  input "size" {
    type    = bytes
    default = "1GiB"
    summary = "…"
  }
  input "share" {
    type    = percent
    default = "12.5%"
    summary = "…"
  }
  input "waits" {
    type    = list(duration)
    default = ["1s", "90s"]
    summary = "…"
  }
  input "sizes" {
    type    = map(bytes)
    default = { a = "1KiB" }
    summary = "…"
  }
  input "words" {
    type    = set(string)
    default = ["b", "a"]
    summary = "…"
  }
  input "whatever" {
    type     = any
    nullable = true
    summary  = "…"
  }
  input "shape" {
    type    = object({ name = string, deep = optional(object({ on = bool })), n = optional(number, 3) })
    default = { name = "x" }
    summary = "…"
  }
  input "near" {
    type     = ref(gauge)
    nullable = true
    summary  = "…"
  }
  input "old" {
    type       = number
    default    = 1
    deprecated = "use something else"
    summary    = "…"
  }
  derived "endless" {
    value   = self.wait / 7
    summary = "…"
  }
  block "step" {
    many = true
    input "n" {
      type    = number
      summary = "…"
    }
    block "inner" {
      input "on" {
        type    = bool
        default = true
        summary = "…"
      }
    }
  }
  block "named" {
    label = "name"
    many  = true
    input "n" {
      type    = number
      default = 1
      summary = "…"
    }
  }
}
`

// gauges says something of each.
const gauges = `
blueprint "all" { extensions = ["own"] }
target "aws" { region = "eu-west-1" }
target "kubernetes" {}

gauge "first" {}

gauge "second" {
  text     = "line\nbreak \"quoted\" $${not} %%{either} \\ # no comment\u0085\u2028 é 💥"
  wait     = "1500ms"
  size     = "200GB"
  share    = 99.95
  waits    = [0, "0s", "2h", 0.1]
  sizes    = { "odd key" = "1.5GiB", for = 0, null = "3B" }
  words    = []
  whatever = { list = [1, "a", null, true, { b = 1.25 }], ref = gauge.first, far = [gauge.first], big = 123456789012345678901234567890, small = 0.000000000000000001, third = 2 / 3 }
  shape    = { name = "y", deep = { on = true } }
  near     = gauge.first
  step { n = 1 }
  step {
    n = 2
    inner {}
  }
  named "a" {}
  aws {
    near = null
    step { n = 3 }
    named "a" { n = 2 }
    named "b" {}
  }
}

environment "staging" {
  gauge "second" {
    step { n = 9 }
  }
}
environment "prod" {}
`

// TestShowOfEveryType shows a blueprint with all that the language can say, and
// holds that what is shown has the same values to the last digit.
func TestShowOfEveryType(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, "own", "components")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "gauge.hcl"), []byte(gauge), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "scaffold.hcl")
	for _, sel := range []project.Selection{{Environment: "prod"}, {Environment: "staging"}, {Environment: "prod", Target: "aws"}} {
		before, shown := shownValues(t, gauges, file, sel)
		after, _ := shownValues(t, string(shown), file, sel)
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%v: other values (-before +after):\n%s\n%s", sel, diff, shown)
		}
		for _, want := range []string{`  # wait = 0.333333 (default)`, `  # old = 1 (default)`, `size     = "195312500KiB"`, `near = `, `whatever = { big = 123456789012345678901234567890, far = [gauge.first],`} {
			if !strings.Contains(string(shown), want) {
				t.Errorf("%v: no %s in\n%s", sel, want, shown)
			}
		}
	}
}

// shownValues are the values of a blueprint, exactly, and what is shown of it.
func shownValues(t *testing.T, text, file string, sel project.Selection) (map[string]string, []byte) {
	t.Helper()
	src, diags := blueprints.Parse([]byte(text), file)
	if diags.HasErrors() {
		t.Fatalf("%s\n%s", diags, text)
	}
	p, diags := project.New(src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roots, diags := p.Resolve(sel)
	if len(diags) > 0 {
		t.Fatalf("%s\n%s", diags, text)
	}
	out := map[string]string{}
	var collect func(folder string, inst *blueprints.Instance)
	collect = func(folder string, inst *blueprints.Instance) {
		for _, a := range inst.Attrs() {
			if !a.IsInput() && a.Origin.Source != "derived" {
				continue
			}
			value := a.Value().GoString()
			if strings.Contains(value, "blueprints.Instance") {
				value = a.Write().Text
			}
			out[folder+" "+a.Path()] += value + "\n" // blocks of a list have the same path
		}
		for _, nested := range inst.Nested() {
			collect(folder, nested)
		}
	}
	for _, root := range roots {
		for _, c := range root.Model.Components {
			collect(root.Folder, c)
		}
	}
	shown, diags := p.Show(sel)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return out, shown
}
