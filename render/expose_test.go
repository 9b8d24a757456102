package render_test

import (
	"strings"
	"testing"
)

// sized is a template of the pattern sized, with the body of a resource.
func sized(body string) map[string]string {
	return map[string]string{"thing": thing, "sized": "template \"sized\" {\n  for  = thing\n  file = \"${thing.name}.tf\"\n}\nlet {\n  same  = self.size\n  twice = self.size * 2\n  blocks = gib(self.size)\n  long = " + strings.Repeat("self.size + ", 20) + "1\n}\nresource \"x_sized\" \"this\" {\n" + body + "\n}\n"}
}

func exposing(values, things string) string {
	return "blueprint \"box\" {\n  expose = [" + values + "]\n}\ntarget \"here\" {}\n" + things
}

const aSized = "thing \"a\" {\n  text = \"$${x} %%{y} \\\"\"\n  sized {}\n}\n"

func TestExpose(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, blueprint string
		pack            map[string]string
		file, want      string // want is a part of the file; empty: there is no such file
	}{
		{"nothing", exposing("", aSized), sized("n = self.size"), "variables.tf", ""},
		{"a value as it is", exposing("thing.a.sized.size", aSized), sized("n = self.size"), "a.tf", "  n = var.a_sized_size\n"},
		{"by another name", exposing("thing.a.sized.size", aSized), sized("n = let.same"), "a.tf", "  n = var.a_sized_size\n"},
		{"in an expression", exposing("thing.a.sized.size", aSized), sized("n = self.size + self.limit"), "a.tf", "  n = var.a_sized_size + 7\n"},
		{"a derived value", exposing("thing.a.sized.size", aSized), sized("n = self.double"), "a.tf", "  n = var.a_sized_size * 2\n"},
		{"a derived value beside an operator", exposing("thing.a.sized.size", aSized), sized("n = 9 - self.double"), "a.tf", "  n = 9 - (var.a_sized_size * 2)\n"},
		{"a let", exposing("thing.a.sized.size", aSized), sized("n = let.twice"), "a.tf", "  n = var.a_sized_size * 2\n"},
		{"a sum over all", exposing("thing.a.sized.size", aSized+"thing \"b\" {\n  sized {}\n}\n"), sized("n = self.all"), "a.tf", "  n = sum([var.a_sized_size * 2, 6])\n"},
		{"an input that is computed from it", exposing("thing.a.sized.size", aSized), sized("n = self.follows"), "a.tf", "  n = var.a_sized_size + 1\n"},
		{"and its range", exposing("thing.a.sized.size", aSized), sized("n = self.follows"), "variables.tf", "    condition     = (var.a_sized_size + 1) >= 2 && (var.a_sized_size + 1) <= 8\n    error_message = \"thing.a.sized.follows, which is computed from it, must be at least 2 and at most 8.\"\n"},
		{"a rule over a derived value", exposing("thing.a.sized.size", aSized), map[string]string{"thing": thing, "sized": "template \"sized\" {\n  for = thing\n  check \"even\" {\n    condition = self.double < 100\n    message   = \"Too big.\"\n  }\n}\nextend \"x_thing\" \"this\" {\n  n = self.size\n}\n"}, "variables.tf", "    condition     = (var.a_sized_size * 2) < 100\n"},
		{"in a text", exposing("thing.a.sized.size", aSized), sized(`n = "${thing.name}-${self.size}"`), "a.tf", "  n = \"a-${var.a_sized_size}\"\n"},
		{"in a branch", exposing("thing.a.sized.size", aSized), sized("n = self.limit > 2 ? self.size : null"), "a.tf", "  n = var.a_sized_size\n"},
		{"in an extension", exposing("thing.a.sized.size", aSized), map[string]string{"thing": thing, "sized": "template \"sized\" {\n  for = thing\n}\nextend \"x_thing\" \"this\" {\n  n = self.size\n}\n"}, "a.tf", "  n = var.a_sized_size\n"},
		{"not of another thing", exposing("thing.a.sized.size", aSized+"thing \"b\" {\n  sized {}\n}\n"), sized("n = self.size"), "b.tf", "  n = 3\n"},
		{"the declaration", exposing("thing.a.sized.size", aSized), sized("n = self.size"), "variables.tf", `variable "a_sized_size" {
  description = "thing.a.sized: How big it is."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.a_sized_size >= 1 && var.a_sized_size <= 9
    error_message = "It must be at least 1 and at most 9."
  }

  validation {
    condition     = var.a_sized_size <= 7
`},
		{"a rule between two", exposing("thing.a.sized.limit, thing.a.sized.size", aSized), sized("n = self.size\nm = self.limit"), "variables.tf", "    condition     = var.a_sized_size <= var.a_sized_limit\n"},
		{"a rule with one that is not used", exposing("thing.a.sized.limit, thing.a.sized.size", aSized), sized("n = self.size"), "variables.tf", "    condition     = var.a_sized_size <= 7\n"},
		{"a hostile text", exposing("thing.a.text", aSized), sized(""), "variables.tf", `  default     = "$${x} %%{y} \""`},
		{"beside the pack's variables", exposing("thing.a.text", aSized), map[string]string{"thing": thing, "vars": "template \"vars\" {\n  for  = blueprint\n  file = \"variables.tf\"\n}\nvariable \"own\" {\n  default = 1\n}\n"}, "variables.tf", "variable \"own\" {\n  default = 1\n}\n\nvariable \"a_text\" {"},
		{"for one target", "blueprint \"box\" {}\ntarget \"here\" {\n  expose = [thing.a.text]\n}\n" + aSized, sized(""), "a.tf", "  text = var.a_text\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result, diags := rendered(t, test.blueprint, test.pack)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			file := result.Files[test.file]
			switch {
			case test.want == "" && file != nil:
				t.Errorf("%s is there:\n%s", test.file, file.Data)
			case test.want != "" && file == nil:
				t.Errorf("%s is not there", test.file)
			case test.want != "" && !strings.Contains(string(file.Data), test.want):
				t.Errorf("%s lacks\n%s\nin\n%s", test.file, test.want, file.Data)
			}
		})
	}
}

// TestExposeNot refuses a variable in every place where a value decides more than
// the text that it stands in.
func TestExposeNot(t *testing.T) {
	t.Parallel()
	with := func(name, text string) map[string]string {
		files := sized("n = self.size")
		files[name] = text
		return files
	}
	const of = "thing.a.sized.size"
	for _, test := range []struct {
		name   string
		values string
		pack   map[string]string
		says   string
	}{
		{"a derived value that it decides", of, sized("n = self.size\nm = self.class"), "thing.a.sized.class = \"big\""},
		{"a let that Terraform cannot compute", of, sized("n = self.size\nm = let.blocks"), "cannot be a variable"},
		{"nothing but that", of, sized("m = let.blocks"), "cannot be a variable"},
		{"what nobody can read", of, sized("n = self.size\nm = let.long"), "cannot be a variable"},
		{"a rule over a derived value that it decides", of, with("more", "template \"more\" {\n  for = thing\n  check \"big\" {\n    condition = thing.sized.class == \"big\"\n    message   = \"Too small.\"\n  }\n}\n"), "cannot be a variable"},
		{"a condition", of, sized("n = self.size\nm = self.size > 2 ? 1 : 2"), "cannot be a variable"},
		{"when", of, sized("n = self.size\ninner {\n  when = self.size > 2\n}"), "cannot be a variable"},
		{"dynamic", of, sized("n = self.size\ndynamic \"inner\" {\n  for_each = range(self.size)\n  content {\n    x = inner.value\n  }\n}"), "cannot be a variable"},
		{"a try", of, sized("n = self.size\nm = try(self.size, 1)"), "cannot be a variable"},
		{"a function of ours", of, sized("n = self.size\nm = gib(self.size)"), "cannot be a variable"},
		{"a literal place", of, sized("n = self.size\nlifecycle {\n  prevent_destroy = self.size > 2\n}"), "cannot be a variable"},
		{"the condition of a template", of, with("more", conditional("more", "thing.sized.size > 2", "")), "cannot be a variable"},
		{"the name of a file", of, with("more", "template \"more\" {\n  for  = thing\n  file = \"n${thing.sized.size}.tf\"\n}\nresource \"x_more\" \"this\" {}\n"), "cannot be a variable"},
		{"a script", of, with("more", "template \"more\" {\n  for = thing\n}\nfile \"this.sh\" {\n  format  = \"sh\"\n  content = \"echo ${thing.sized.size}\"\n}\n"), "cannot be a variable"},
		{"a manifest", of, with("more", "template \"more\" {\n  for  = thing\n  file = \"this.yaml\"\n}\nmanifest \"v1\" \"Thing\" \"this\" {\n  n = thing.sized.size\n}\n"), "cannot be a variable"},
		{"the name of the pack's variable", of, with("more", "template \"more\" {\n  for = thing\n}\nvariable \"this_sized_size\" {\n  default = 1\n}\n"), "the pack has a variable of that name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, diags := rendered(t, exposing(test.values, aSized), test.pack)
			if !diags.HasErrors() {
				t.Fatal("a variable was granted")
			}
			for _, d := range diags {
				if strings.Contains(d.Detail, test.says) && d.Subject.Filename == "scaffold.hcl" && d.Subject.Start.Line == 2 {
					return
				}
			}
			t.Errorf("nothing says %q at the place: %v", test.says, diags)
		})
	}
}

// TestExposeStays requires that a variable keeps its name and place, whatever
// else the blueprint has.
func TestExposeStays(t *testing.T) {
	t.Parallel()
	one, diags := rendered(t, exposing("thing.a.sized.size", aSized), sized("n = self.size"))
	two, more := rendered(t, exposing("thing.a.sized.size", "thing \"aa\" {\n  sized {}\n}\n"+aSized+"thing \"b\" {}\n"), sized("n = self.size"))
	if diags = append(diags, more...); diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, name := range []string{"variables.tf", "a.tf"} {
		if a, b := string(one.Files[name].Data), string(two.Files[name].Data); a != b {
			t.Errorf("%s was\n%s\nand is\n%s", name, a, b)
		}
	}
}
