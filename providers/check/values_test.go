package check

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"scaffold/providers/schema"
)

// TestValueRulesFitTheSchema requires that what the rules speak of exists, so
// that none is lost by a slip of the pen.
func TestValueRulesFitTheSchema(t *testing.T) {
	provider, err := schema.Open("google")
	if err != nil {
		t.Fatal(err)
	}
	rules := valueRulesOf("google")
	if len(rules.exact) < 30 {
		t.Fatalf("only %d types have rules", len(rules.exact))
	}
	for typ, list := range rules.exact {
		block, ok := provider.Resource(typ)
		if !ok {
			t.Errorf("%s: the provider has no such type", typ)
			continue
		}
		for _, rule := range list {
			if !described(block, rule.path) {
				t.Errorf("%s has no %s", typ, strings.Join(rule.path, "."))
			}
			if rule.rule == "excludes" || rule.rule == "needs" {
				beside := append(rule.path[:len(rule.path)-1:len(rule.path)-1], rule.argument)
				if !described(block, beside) {
					t.Errorf("%s has no %s", typ, strings.Join(beside, "."))
				}
			}
		}
	}
}

func described(block *schema.Block, path []string) bool {
	if attribute := block.Attributes[path[0]]; attribute != nil {
		return len(path) == 1 || path[1] == "*"
	}
	nested := block.Blocks[path[0]]
	return nested != nil && (len(path) == 1 || described(nested.Block, path[1:]))
}

func TestValues(t *testing.T) {
	provider, err := schema.Open("google")
	if err != nil {
		t.Fatal(err)
	}
	const service = "resource \"google_compute_region_backend_service\" \"a\" {\n  name = \"a\"\n  region = \"europe-west1\"\n%s}\n"
	scheme := "  load_balancing_scheme = \"INTERNAL_MANAGED\"\n"
	cases := []struct{ name, text, want string }{
		{"right", fmt.Sprintf(service, scheme), ""},
		{"required", fmt.Sprintf(service, ""), `The argument "load_balancing_scheme" has to be set.`},
		{"one of", fmt.Sprintf(service, "  load_balancing_scheme = \"INTERNAL_SELF_MANAGED\"\n"), "is none of EXTERNAL"},
		{"forbidden argument", fmt.Sprintf(service, scheme+"  enable_cdn = true\n"), `"enable_cdn" must not be set`},
		{"forbidden block", fmt.Sprintf(service, scheme+"  cdn_policy {}\n"), `"cdn_policy" must not be set`},
		{"in a block", fmt.Sprintf(service, scheme+"  outlier_detection {\n    max_ejection_percent = 101\n  }\n"), "is above 100"},
		{"in a dynamic block", fmt.Sprintf(service, scheme+"  dynamic \"backend\" {\n    for_each = toset([\"a\"])\n    content {\n      group = \"g\"\n      balancing_mode = \"FAST\"\n    }\n  }\n"), "is none of UTILIZATION"},
		{"excludes", fmt.Sprintf(service, scheme+"  backend {\n    group = \"g\"\n    max_rate = 1\n    max_rate_per_instance = 1\n  }\n"), `"max_rate" cannot stand beside "max_rate_per_instance"`},
		{"only Terraform knows", "variable \"scheme\" {\n  type = string\n}\n" + fmt.Sprintf(service, "  load_balancing_scheme = var.scheme\n"), ""},
		{"in a map", "resource \"google_compute_global_address\" \"a\" {\n  name = \"a\"\n  labels = { team = \"Front End\" }\n}\n", `The value "Front End" of "labels" does not match`},
		{"for many types", "resource \"google_compute_network\" \"a\" {\n  name = \"Shop\"\n}\n", `The value "Shop" of "name" does not match`},
		{"needs", "resource \"google_sql_user\" \"a\" {\n  name = \"a\"\n  instance = \"b\"\n  password_wo = \"c\"\n}\n", `"password_wo" needs "password_wo_version"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			diags := Root(map[string][]byte{"main.tf": []byte(c.text)}, map[string]*schema.Provider{"google": provider})
			checkSaid(t, diags, c.want)
		})
	}
}

func checkSaid(t *testing.T, diags hcl.Diagnostics, want string) {
	t.Helper()
	switch {
	case want == "" && diags.HasErrors():
		t.Errorf("refused: %s", diags)
	case want != "" && (len(diags) != 1 || !strings.Contains(diags[0].Detail, want) || diags[0].Subject == nil):
		t.Errorf("want one problem with %q, got %s", want, diags)
	}
}
