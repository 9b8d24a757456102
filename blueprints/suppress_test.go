package blueprints_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// TestIgnoredRules answers rules of the toy language in place. A row ends with
// what is said: the summaries of all diagnostics.
func TestIgnoredRules(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"nothing ignored": {
			text: "shop \"a\" {\n  size = 80\n}",
			want: []string{"Rule not met: shop.small"},
		},
		"at the end of the line": {
			text: "shop \"a\" {\n  size = 80 # scaffold:ignore shop.small the market is huge\n}",
		},
		"on the line above": {
			text: "shop \"a\" {\n  # scaffold:ignore shop.small the market is huge\n  size = 80\n}",
		},
		"above, among other comments": {
			text: "shop \"a\" {\n  // scaffold:ignore shop.small the market is huge\n  # 80 square metres.\n  size = 80\n}",
		},
		"a warning": {
			text: "shop \"a\" {\n  # scaffold:ignore shop.odd we like it\n  size = 7\n}",
		},
		"two rules of one line": {
			text: "shop \"a\" {\n  # scaffold:ignore shop.small the market is huge\n  size = 81 # scaffold:ignore shop.odd we like it\n}",
		},
		"above the block, where the value is not written": {
			text: "# scaffold:ignore shop.named it is a code name\nshop \"x\" {}",
		},
		"another rule": {
			text: "shop \"a\" {\n  size = 80 # scaffold:ignore shop.odd we like it\n}",
			want: []string{"Rule not met: shop.small", "Nothing to ignore"},
		},
		"another line": {
			text: "# scaffold:ignore shop.small the market is huge\nshop \"a\" {\n  size = 80\n}",
			want: []string{"Rule not met: shop.small", "Nothing to ignore"},
		},
		"an empty line in between is still above": {
			text: "shop \"a\" {\n  # scaffold:ignore shop.small the market is huge\n\n  size = 80\n}",
		},
		"nothing wrong": {
			text: "shop \"a\" {\n  size = 2 # scaffold:ignore shop.small the market is huge\n}",
			want: []string{"Nothing to ignore"},
		},
		"a firm rule": {
			text: "shop \"a\" {\n  size = 44 # scaffold:ignore shop.not_44 it has to be\n}",
			want: []string{"Rule not met: shop.not_44"},
		},
		"an error of the language": {
			text: "shop \"a\" {\n  size = \"many\" # scaffold:ignore shop.small the market is huge\n}",
			want: []string{"Invalid value", "Nothing to ignore"},
		},
		"in a text": {
			text: "shop \"a\" {\n  opens = \"8h\"\n  size = length(\"# scaffold:ignore shop.small it is a text\") * 2\n}",
			want: []string{"Rule not met: shop.small"},
		},
		"at the end of the file": {
			text: "shop \"a\" {}\n# scaffold:ignore shop.small the market is huge",
			want: []string{"Nothing to ignore"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, diags := ruled(t, row.text)
			diags = append(diags, m.Source.UnusedSuppressions()...)
			var got []string
			for _, d := range diags {
				got = append(got, d.Summary)
			}
			if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
				t.Errorf("said %q, not %q: %v", got, row.want, diags)
			}
		})
	}
}

// TestIgnoredWithoutReason refuses a comment that gives no reason, at the
// comment.
func TestIgnoredWithoutReason(t *testing.T) {
	for text, column := range map[string]int{
		"shop \"a\" {} # scaffold:ignore shop.small\n": 13,
		"# scaffold:ignore\n":                          1,
		"shop \"ä\" {} // scaffold:ignore   x  ":       13,
	} {
		_, diags := blueprints.Parse([]byte("blueprint \"town\" {}\n"+text), "scaffold.hcl")
		if len(diags) != 1 || diags[0].Summary != "Ignored without a reason" {
			t.Errorf("%q: %v", text, diags)
			continue
		}
		if s := diags[0].Subject; s.Start.Line != 2 || s.Start.Column != column || s.End.Line != 2 {
			t.Errorf("%q: the place is %v", text, s)
		}
	}
	if _, diags := blueprints.Parse([]byte("blueprint \"town\" {}\n# scaffold:ignored is another word\n"), "scaffold.hcl"); len(diags) > 0 {
		t.Errorf("another word: %v", diags)
	}
}

// ruled resolves a blueprint of the toy language with rules on the size of shops.
func ruled(t *testing.T, text string) (*blueprints.Model, hcl.Diagnostics) {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range toy {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	files["components/shop.hcl"] = &fstest.MapFile{Data: []byte(strings.TrimSuffix(toy["components/shop.hcl"], "}") + `
  check "small" {
    condition = self.size <= 50
    message   = "Too large."
    at        = self.size
  }
  check "odd" {
    condition = self.size % 2 == 0 || self.size < 6
    message   = "Odd."
    at        = self.size
    severity  = "warning"
  }
  check "not_44" {
    condition = self.size != 44
    message   = "Not that one."
    at        = self.size
    firm      = true
  }
  check "named" {
    condition = self.name != "x"
    message   = "No name."
  }
}`)}
	catalog, diags := blueprints.NewCatalog(blueprints.Folder{Name: "toy", FS: files})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	src, diags := blueprints.Parse([]byte("blueprint \"town\" {}\ntarget \"here\" {}\n"+text), "scaffold.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	m, diags := blueprints.Resolve(src, catalog, blueprints.Options{Target: "here"})
	return m, append(diags, m.Check()...)
}
