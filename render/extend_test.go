package render_test

import (
	"strings"
	"testing"
)

// TestExtend extends a block by another template's, where cover and edge are
// blocks that may stand once.
func TestExtend(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ base, extension, want string }{
		"a block that may repeat is added": {
			"layer {\n    n = 1\n  }", "layer {\n    n = 2\n  }",
			"  layer {\n    n = 1\n  }\n\n  layer {\n    n = 2\n  }",
		},
		"a block that stands once is merged": {
			"cover {\n    n = 1\n  }", "cover {\n    # Thick.\n    m = 2\n  }",
			"  cover {\n    n = 1\n    # Thick.\n    m = 2\n  }",
		},
		"and added where there is none": {
			"n = 1", "cover {\n    m = 2\n  }",
			"  n = 1\n\n  cover {\n    m = 2\n  }",
		},
		"at any depth, with what may repeat": {
			"cover {\n    edge {\n      n = 1\n    }\n    layer {\n      n = 2\n    }\n  }", "cover {\n    layer {\n      n = 3\n    }\n    edge {\n      m = 4\n    }\n  }",
			"  cover {\n    edge {\n      n = 1\n      m = 4\n    }\n    layer {\n      n = 2\n    }\n    layer {\n      n = 3\n    }\n  }",
		},
		"beside what is added": {
			"cover {\n    n = 1\n  }", "a = 1\n  cover {\n    m = 2\n  }\n  b = 2",
			"  cover {\n    n = 1\n    m = 2\n  }\n\n  a = 1\n\n  b = 2",
		},
		"on one line": {
			"cover { n = 1 }", "cover { m = 2 }",
			"  cover {\n    n = 1\n    m = 2\n  }",
		},
		"empty": {
			"cover {}", "cover { m = 2 }",
			"  cover {\n    m = 2\n  }",
		},
		"with the comments above them": {
			"cover {\n    n = 1\n  }\n  lifecycle {\n    ignore_changes = [a]\n  }", "# Thick.\n  cover {\n    m = 2\n  }\n  lifecycle {\n    # Set by hand.\n    ignore_changes = [b]\n  }",
			"  cover {\n    n = 1\n    # Thick.\n    m = 2\n  }\n  lifecycle {\n    # Set by hand.\n    ignore_changes = [a, b]\n  }",
		},
		"lifecycle, with its lists": {
			"lifecycle {\n    ignore_changes = [a]\n  }", "lifecycle {\n    ignore_changes        = [a, b]\n    create_before_destroy = true\n  }",
			"  lifecycle {\n    ignore_changes        = [a, b]\n    create_before_destroy = true\n  }",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := extended(t, test.base, "", test.extension); got != test.want {
				t.Errorf("want:\n%s\n\ngot:\n%s", test.want, got)
			}
		})
	}
}

// TestExtensionComment holds that the comment above an extension ends up above
// the first thing that it adds.
func TestExtensionComment(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ base, extension, want string }{
		"an argument":      {"n = 1", "m = 2", "  n = 1\n\n  # Why.\n  # More.\n  m = 2"},
		"a block":          {"n = 1", "layer {\n    m = 2\n  }", "  n = 1\n\n  # Why.\n  # More.\n  layer {\n    m = 2\n  }"},
		"a merged block":   {"cover {\n    n = 1\n  }", "cover {\n    m = 2\n  }", "  cover {\n    n = 1\n    # Why.\n    # More.\n    m = 2\n  }"},
		"a joined list":    {"lifecycle {\n    ignore_changes = [a]\n  }", "lifecycle {\n    ignore_changes = [b]\n  }", "  lifecycle {\n    # Why.\n    # More.\n    ignore_changes = [a, b]\n  }"},
		"a condition":      {"n = 1", "when = true\n  m = 2", "  n = 1\n\n  # Why.\n  # More.\n  m = 2"},
		"nothing, at last": {"lifecycle {\n    ignore_changes = [a]\n  }", "lifecycle {\n    ignore_changes = [a]\n  }", "  lifecycle {\n    ignore_changes = [a]\n  }"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := extended(t, test.base, "# A comment of the file.\n\n# Why.\n# More.\n", test.extension); got != test.want {
				t.Errorf("want:\n%s\n\ngot:\n%s", test.want, got)
			}
		})
	}
}

// extended is the inside of a block that was extended.
func extended(t *testing.T, base, comment, extension string) string {
	t.Helper()
	result, diags := rendered(t, "thing \"a\" {\n painted {}\n}", map[string]string{
		"thing":   "template \"thing\" {\n  for  = thing\n  file = \"a.tf\"\n}\n\nresource \"x_thing\" \"this\" {\n  " + base + "\n}\n",
		"painted": "template \"painted\" {\n  for = thing\n}\n\n" + comment + "extend \"x_thing\" \"this\" {\n  " + extension + "\n}\n",
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	_, text, _ := strings.Cut(string(result.Files["a.tf"].Data), "resource \"x_thing\" \"a\" {\n")
	return strings.TrimSuffix(text, "\n}\n")
}
