package blueprints_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// toy is a small language of its own, so that tests of the engine depend on no
// real definition: shops, the stores that they buy from, and what they sell.
var toy = map[string]string{
	"components/shop.hcl": `
component "shop" {
  plural = "shops"
  input "size" {
    type    = number
    default = 3
  }
  input "stock" {
    type    = bytes
    default = self.size * 1024
  }
  input "opens" {
    type    = duration
    default = "8h"
  }
  input "share" {
    type    = percent
    default = 50
  }
  input "buys_from" {
    type    = list(ref(store, shop))
    default = []
  }
  input "nearest" {
    type     = ref(store)
    nullable = true
  }
  derived "stores" {
    value = [for b in self.buys_from : b if b.kind == "store"]
  }
  derived "room" {
    value = sum([for s in self.stores : s.room])
  }
  derived "names" {
    value = self.stores[*].name
  }
  derived "first" {
    value = length(self.stores) == 0 ? null : self.stores[0]
  }
  derived "first_room" {
    value = self.first == null ? 0 : self.first.room
  }
  derived "broken" {
    value = self.size > 100 ? blueprint.nothing_like_this : 1
  }
  derived "tried" {
    value = try(self.first.room, -1)
  }
  derived "here_or_there" {
    value = (length(self.stores) > 1 ? [self] : self.buys_from)[*].name
  }
  derived "sells" {
    value = self.sale == null ? 0 : self.sale.percent_off
  }
  derived "kind_of_sale" {
    value = self.sale == null ? "none" : self.sale.kind
  }
  block "hours" {
    input "from" {
      type    = number
      default = 8
    }
    derived "owner" { value = component.name }
  }
  block "till" {
    many = true
    input "cash" {
      type    = number
      default = 100
    }
  }
  block "shelf" {
    label = "name"
    many  = true
    input "height" {
      type    = number
      default = length(self.name)
    }
  }
}`,
	"components/store.hcl": `
component "store" {
  plural = "stores"
  input "room" {
    type    = number
    default = 10 * length(self.buyers)
  }
  derived "buyers" { value = [for r in self.referrers : r if r.kind == "shop"] }
  derived "big_buyers" { value = [for r in self.buyers : r.name if r.size > 3] }
  derived "share" { value = self.room / max(1, length(self.buyers)) }
}`,
	"patterns/sale.hcl": `
pattern "sale" {
  attaches = [shop]
  input "percent_off" {
    type    = percent
    default = min(90, 10 * shop.size)
  }
  input "days" {
    type    = number
    default = 7
  }
  check "short" {
    condition = self.days < 30
    message   = "A sale of ${self.days} days in ${shop.name} is none."
    fix       = "End it sooner."
    at        = self.days
    related   = [shop.size]
  }
}`,
	"patterns/big_sale.hcl": `
pattern "big_sale" {
  attaches = [shop]
  extends  = "sale"
  input "percent_off" {
    type    = percent
    default = 70
  }
}`,
	"targets/here.hcl":  "target \"here\" {\n  input \"city\" {\n    type = string\n    default = \"Ulm\"\n  }\n}",
	"targets/there.hcl": "target \"there\" {}",
	"profiles/thrifty.hcl": `
profile "thrifty" {
  defaults "shop" {
    size  = 1
    stock = self.size * 2048
    sale { days = 2 }
  }
}`,
}

func toyCatalog(t *testing.T) *blueprints.Catalog {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range toy {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	c, diags := blueprints.NewCatalog(blueprints.Folder{Name: "toy", FS: files})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

// resolve reads a blueprint of the toy language and computes its values.
func resolve(t *testing.T, text string, opts blueprints.Options) (*blueprints.Model, hcl.Diagnostics) {
	t.Helper()
	if !strings.Contains(text, "blueprint \"") {
		text = "blueprint \"town\" {}\n" + text
	}
	src, diags := blueprints.Parse([]byte(text+"\ntarget \"here\" {}\n"), "scaffold.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if opts.Target == "" {
		opts.Target = "here"
	}
	m, diags := blueprints.Resolve(src, toyCatalog(t), opts)
	return m, slices.Concat(src.Check(), diags, m.Check())
}

// show is how a value of the model reads, and where it came from.
func show(m *blueprints.Model, path string) string {
	a := m.Find(path)
	if a == nil {
		return "(none)"
	}
	return fmt.Sprintf("%s (%s)", a.Show(), a.Origin.Source)
}

func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, blueprint string
		opts            blueprints.Options
		want            map[string]string
	}{
		{
			name: "defaults are computed from what is set", blueprint: `shop "a" { size = 5 }`,
			want: map[string]string{"shop.a.size": "5 (blueprint)", "shop.a.stock": "5KiB (default)", "shop.a.opens": "8h (default)", "shop.a.share": "50% (default)"},
		},
		{
			name: "units", blueprint: "shop \"a\" {\n stock = \"1.5GiB\"\n opens = \"90m\"\n share = \"12.5%\"\n}\nshop \"b\" {\n stock = \"200GB\"\n opens = \"1500ms\"\n share = 7\n}",
			want: map[string]string{
				"shop.a.stock": "1536MiB (blueprint)", "shop.a.opens": "90m (blueprint)", "shop.a.share": "12.5% (blueprint)",
				"shop.b.stock": "195312500KiB (blueprint)", "shop.b.opens": "1500ms (blueprint)", "shop.b.share": "7% (blueprint)",
			},
		},
		{
			name: "a profile wins over defaults, the blueprint over both", blueprint: "blueprint \"town\" { profile = \"thrifty\" }\nshop \"a\" {\n sale {}\n}\nshop \"b\" {\n size = 4\n sale { days = 5 }\n}",
			want: map[string]string{
				"shop.a.size": "1 (profile thrifty)", "shop.a.stock": "2KiB (profile thrifty)", "shop.a.sale.days": "2 (profile thrifty)",
				"shop.b.size": "4 (blueprint)", "shop.b.stock": "8KiB (profile thrifty)", "shop.b.sale.days": "5 (blueprint)", "shop.b.opens": "8h (default)",
			},
		},
		{
			name: "a profile adds no pattern", blueprint: "blueprint \"town\" { profile = \"thrifty\" }\nshop \"a\" {}",
			want: map[string]string{"shop.a.sale": "null (scaffold)", "shop.a.sells": "0 (derived)"},
		},
		{
			name: "an environment wins over the blueprint, block by block", opts: blueprints.Options{Environment: "fair"},
			blueprint: "shop \"a\" {\n size = 4\n opens = \"6h\"\n sale { days = 5 }\n}\nenvironment \"fair\" {\n shop \"a\" {\n  size = 9\n  sale { percent_off = 33 }\n }\n shop \"stall\" {}\n}\nenvironment \"other\" {\n shop \"a\" { size = 77 }\n}",
			want: map[string]string{
				"shop.a.size": "9 (environment fair)", "shop.a.opens": "6h (blueprint)", "shop.a.sale.days": "5 (blueprint)",
				"shop.a.sale.percent_off": "33% (environment fair)", "shop.stall.size": "3 (default)",
			},
		},
		{
			name: "what a target overrides holds for it alone", blueprint: "shop \"a\" {\n size = 4\n here { size = 6 }\n there { size = 8 }\n}\ntarget \"there\" {}",
			want: map[string]string{"shop.a.size": "6 (blueprint)"},
		},
		{
			name: "and in an environment it wins over the blueprint's own", opts: blueprints.Options{Environment: "fair"},
			blueprint: "shop \"a\" {\n here { size = 6 }\n}\nenvironment \"fair\" {\n shop \"a\" {\n  here { size = 7 }\n }\n}",
			want:      map[string]string{"shop.a.size": "7 (environment fair)"},
		},
		{
			name: "variables and locals", opts: blueprints.Options{Variables: map[string]string{"n": "6"}},
			blueprint: "variable \"n\" {\n type = number\n default = 2\n}\nvariable \"m\" { default = 2 }\nlocals {\n total = var.n * var.m\n}\nshop \"a\" { size = local.total }",
			want:      map[string]string{"shop.a.size": "12 (blueprint)"},
		},
		{
			name: "reaching through lists, loops, splats, indices and conditionals", blueprint: "store \"x\" { room = 7 }\nstore \"y\" {}\nshop \"a\" {\n buys_from = [store.x, store.y, shop.b]\n nearest = store.y\n}\nshop \"b\" {}",
			want: map[string]string{
				"shop.a.room": "17 (derived)", "shop.a.names": `["x", "y"] (derived)`, "shop.a.first_room": "7 (derived)", "shop.a.tried": "7 (derived)",
				"shop.b.room": "0 (derived)", "shop.b.first_room": "0 (derived)", "shop.b.tried": "-1 (derived)",
			},
		},
		{
			name: "conditionals over lists of components", blueprint: "store \"x\" {}\nstore \"y\" {}\nshop \"a\" { buys_from = [store.x, store.y] }\nshop \"b\" { buys_from = [store.x] }",
			want: map[string]string{"shop.a.here_or_there": `["a"] (derived)`, "shop.b.here_or_there": `["x"] (derived)`},
		},
		{
			name: "referrers", blueprint: "store \"x\" {}\nstore \"lonely\" {}\nshop \"a\" { buys_from = [store.x] }\nshop \"b\" {\n size = 8\n nearest = store.x\n buys_from = [shop.a]\n}",
			want: map[string]string{"store.x.room": "20 (default)", "store.x.big_buyers": `["b"] (derived)`, "store.x.share": "10 (derived)", "store.lonely.room": "0 (default)"},
		},
		{
			name: "the condition of a loop over nothing needs what it needs", blueprint: "store \"lonely\" {}",
			want: map[string]string{"store.lonely.big_buyers": "[] (derived)"},
		},
		{
			name: "a blueprint reaches into values that are computed", blueprint: "store \"x\" {}\nshop \"a\" {\n buys_from = [store.x]\n size = store.x.room + 1\n}",
			want: map[string]string{"shop.a.size": "11 (blueprint)"},
		},
		{
			name: "what is not asked for is not computed", blueprint: "shop \"a\" {}",
			want: map[string]string{"shop.a.broken": "1 (derived)"},
		},
		{
			name: "nested blocks", blueprint: "shop \"a\" {\n hours { from = 9 }\n till {}\n till { cash = 5 }\n shelf \"high\" {}\n shelf \"low\" { height = 1 }\n}\nshop \"b\" {}",
			want: map[string]string{"shop.a.hours.from": "9 (blueprint)", "shop.a.hours.owner": `"a" (derived)`, "shop.b.hours": "null (blueprint)", "shop.b.till": "[] (blueprint)"},
		},
		{
			name: "a pattern reads its component, and the component its pattern", blueprint: "shop \"a\" {\n size = 4\n sale {}\n}",
			want: map[string]string{"shop.a.sale.percent_off": "40% (default)", "shop.a.sells": "40 (derived)", "shop.a.kind_of_sale": `"sale" (derived)`},
		},
		{
			name: "the base's name reads the pattern that elaborates it", blueprint: "shop \"a\" {\n big_sale { days = 3 }\n}",
			want: map[string]string{"shop.a.big_sale.days": "3 (blueprint)", "shop.a.sells": "70 (derived)", "shop.a.kind_of_sale": `"big_sale" (derived)`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, diags := resolve(t, test.blueprint, test.opts)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			got := map[string]string{}
			for path := range test.want {
				got[path] = show(m, path)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestInputs holds what a value was computed from, in the order of use.
func TestInputs(t *testing.T) {
	t.Parallel()
	m, diags := resolve(t, "store \"x\" { room = 7 }\nshop \"a\" {\n buys_from = [store.x]\n sale {}\n}", blueprints.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for path, want := range map[string][]string{
		"shop.a.size":             nil,
		"shop.a.stock":            {"shop.a.size"},
		"shop.a.room":             {"shop.a.stores", "store.x.room"},
		"shop.a.first_room":       {"shop.a.first", "store.x.room"},
		"shop.a.sale.percent_off": {"shop.a.size"},
		"store.x.share":           {"store.x.room", "store.x.buyers"},
	} {
		var got []string
		for _, in := range m.Find(path).Origin.Inputs {
			got = append(got, in.Path())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s was computed from %v, not from %v", path, got, want)
		}
	}
}

func TestNestedBlocksOfLayers(t *testing.T) {
	t.Parallel()
	m, diags := resolve(t, "shop \"a\" {\n till {}\n till {}\n shelf \"x\" { height = 1 }\n hours { from = 7 }\n}\nenvironment \"fair\" {\n shop \"a\" {\n  till { cash = 9 }\n  shelf \"x\" { height = 2 }\n  shelf \"y\" {}\n  hours {}\n }\n}", blueprints.Options{Environment: "fair"})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	shop := m.Components[0]
	if got := shop.Attr("till").Value().LengthInt(); got != 1 {
		t.Errorf("a list without labels is replaced as a whole, and has %d elements", got)
	}
	var shelves []string
	for _, e := range shop.Attr("shelf").Value().AsValueSlice() {
		inst := blueprints.InstanceOf(e)
		shelves = append(shelves, inst.Name+" "+inst.Attr("height").Show())
	}
	if want := []string{"x 2", "y 1"}; !slices.Equal(shelves, want) {
		t.Errorf("blocks with labels are merged one by one: %v, not %v", shelves, want)
	}
	if got := show(m, "shop.a.hours.from"); got != "7 (blueprint)" {
		t.Errorf("a block that stands once is merged: %s", got)
	}
}

// TestNestedBlocksOfTargets holds that a target's own block is a layer as well.
func TestNestedBlocksOfTargets(t *testing.T) {
	t.Parallel()
	m, diags := resolve(t, "shop \"a\" {\n till {}\n till {}\n shelf \"x\" { height = 1 }\n hours { from = 7 }\n here {\n  till { cash = 9 }\n  shelf \"x\" { height = 2 }\n  hours { from = 8 }\n }\n}", blueprints.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if got := m.Components[0].Attr("till").Value().LengthInt(); got != 1 {
		t.Errorf("a list without labels is replaced as a whole, and has %d elements", got)
	}
	if got := m.FindInstance("shop.a.hours").Attr("from").Show(); got != "8" {
		t.Errorf("a block that stands once is merged: %s", got)
	}
	if got := blueprints.InstanceOf(m.Components[0].Attr("shelf").Value().AsValueSlice()[0]).Attr("height").Show(); got != "2" {
		t.Errorf("a block with a label is merged: %s", got)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, blueprint, want string }{
		{"a circle shows its way", "store \"x\" { room = shop.a.size }\nshop \"a\" {\n buys_from = [store.x]\n size = store.x.share\n}", "store.x.room needs shop.a.size needs store.x.share needs store.x.room"},
		{"a circle of one", `shop "a" { size = shop.a.size }`, "shop.a.size needs shop.a.size"},
		{"a pattern beside its elaboration", "shop \"a\" {\n sale {}\n big_sale {}\n}", "big_sale is sale worked out further and takes all its inputs. Name one of the two."},
		{"an elaboration in an environment does not replace the base", "shop \"a\" {\n sale {}\n}\nenvironment \"fair\" {\n shop \"a\" {\n  big_sale {}\n }\n}", "Name one of the two."},
		{"a rule", "shop \"a\" {\n sale { days = 40 }\n}", "A sale of 40 days in a is none.\n\nEnd it sooner."},
		{"a rule is inherited", "shop \"a\" {\n big_sale { days = 40 }\n}", "A sale of 40 days in a is none."},
		{"a reference to the wrong kind", "shop \"a\" { nearest = shop.b }\nshop \"b\" {}", "shop.b is a shop; a reference to a store is needed"},
		{"a value that a definition cannot compute", "shop \"a\" { size = 101 }", "shop.a.broken cannot be computed."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, diags := resolve(t, test.blueprint, blueprints.Options{Environment: environmentIn(test.blueprint)})
			errs := 0
			found := false
			for _, d := range diags {
				if d.Severity == hcl.DiagError {
					errs++
				}
				found = found || strings.Contains(d.Detail, test.want)
				if d.Subject == nil || d.Subject.Filename != "scaffold.hcl" {
					t.Errorf("%s has no place in the blueprint", d.Error())
				}
			}
			if !found || errs != 1 {
				t.Errorf("want one error with %q, got %d:\n%v", test.want, errs, diags)
			}
		})
	}
}

func environmentIn(blueprint string) string {
	if strings.Contains(blueprint, `environment "fair"`) {
		return "fair"
	}
	return ""
}

// FuzzBlueprint holds that no file makes the engine panic, and that every
// problem has its place within the file.
func FuzzBlueprint(f *testing.F) {
	for _, seed := range []string{
		"", "blueprint \"a\" {}", "blueprint {}", "target {}", "shop \"a\" \"b\" {}", "shop \"a\" { size = shop.a.size }",
		"shop \"a\" { buys_from = [store.x, for] }", "shop \"a\" { sale \"x\" {} }", "environment {}", "variable \"x\" {}",
		"locals { a = local.a }", "shop \"a\" {\n sale {}\n big_sale {}\n here { size = 1 }\n}", "shop \"a\" { size = 1/0 }",
		"shop \"a\" { stock = \"\xff\" }", "shop \"this\" {}", "store \"x\" {}\nshop \"a\" { nearest = store }", "shop \"a\" { shelf {} }",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		full := "blueprint \"town\" {}\ntarget \"here\" {}\n" + text
		src, diags := blueprints.Parse([]byte(full), "scaffold.hcl")
		if !diags.HasErrors() {
			m, moreDiags := blueprints.Resolve(src, toyCatalog(t), blueprints.Options{Target: "here"})
			diags = slices.Concat(diags, src.Check(), moreDiags, m.Check())
		}
		for _, d := range diags {
			if d.Subject != nil && (d.Subject.Filename != "scaffold.hcl" || d.Subject.Start.Byte > len(full)) {
				t.Errorf("%s: no place in the file: %s", d.Error(), d.Subject)
			}
		}
	})
}
