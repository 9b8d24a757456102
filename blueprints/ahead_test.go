package blueprints_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"scaffold/blueprints"
)

// TestComputeAhead holds what comes of computing values ahead, side by side,
// against computing each when it is asked for: the same values from the same
// places, and the same problems in the same order.
func TestComputeAhead(t *testing.T) {
	const shops = 200
	for name, one := range map[string]func(i int) string{
		"apart": func(i int) string { return fmt.Sprintf("size = %d", i%7) },
		"chain": func(i int) string { return fmt.Sprintf("size = shop.s%d.size + 1", max(0, i-1)) },
		"stores": func(i int) string {
			return fmt.Sprintf("buys_from = [store.a, store.b]\n  sale {\n    days = %d\n  }", i)
		},
		"rings": func(i int) string { return fmt.Sprintf("size = shop.s%d.size", i/10*10+(i+1)%10) },
		"wrong": func(i int) string { return fmt.Sprintf("size = %d", i*7) }, // broken from 100 on
		"fails": func(i int) string {
			return fmt.Sprintf("size = shop.s%d.%s", i/2, [...]string{"size", "broken", "nothing"}[i%3])
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("store \"a\" {}\nstore \"b\" {}\n")
			for i := range shops {
				text := one(i)
				if i == 0 && name != "rings" {
					text = "size = 2"
				}
				fmt.Fprintf(&b, "shop \"s%d\" {\n  %s\n}\n", i, text)
			}
			ahead := everyValue(t, b.String(), 1)
			asked := everyValue(t, b.String(), math.MaxInt)
			if diff := cmp.Diff(asked, ahead); diff != "" {
				t.Error(diff)
			}
			problems := name != "apart" // the shops and stores that are meant to have some
			if found := strings.Contains(asked[0], "scaffold.hcl:"); found != problems {
				t.Errorf("first of all it says %q", asked[0])
			}
		})
	}
}

func everyValue(t *testing.T, text string, few int) []string {
	t.Helper()
	defer blueprints.SetFewInstances(blueprints.SetFewInstances(few))
	m, diags := resolve(t, text, blueprints.Options{})
	var all []string
	for _, d := range diags {
		all = append(all, d.Error())
	}
	for _, c := range m.Components {
		for _, inst := range append([]*blueprints.Instance{c}, c.Patterns...) {
			for _, a := range inst.Attrs() {
				line := a.Path() + " = " + a.Show()
				for _, in := range a.Origin.Inputs {
					line += " < " + in.Path()
				}
				all = append(all, line)
			}
		}
	}
	return all
}
