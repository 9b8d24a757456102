package blueprints

import (
	"fmt"
	"testing"
)

// TestSpelling requires that a wrong name among very many is told from what it
// was meant to be, as it is among few.
func TestSpelling(t *testing.T) {
	var names []string
	for i := range 10 * manyNames {
		names = append(names, fmt.Sprintf("service-%d-of-shop", i))
	}
	inst := &Instance{order: append(names, "orders", "максимум")}
	for wrong, want := range map[string]string{
		"order":             "orders",             // one missing
		"ordersx":           "orders",             // one too many
		"ordars":            "orders",             // another one
		"oredrs":            "orders",             // two swapped
		"максимом":          "максимум",           // of two bytes
		"service-99-ofshop": "service-99-of-shop", // among many alike
		"service-7-of-shpo": "service-7-of-shop",
		"nothing-like-that": "",
	} {
		advice := ""
		if want != "" {
			advice = fmt.Sprintf(" Did you mean %q?", want)
		}
		if n := len(newSpelling(inst.order).around(wrong)); n > manyNames/8 {
			t.Errorf("%s: compared with %d of %d names", wrong, n, len(inst.order))
		}
		if got := inst.near(wrong); got != advice {
			t.Errorf("%s: %q, not %q", wrong, got, advice)
		}
	}
}
