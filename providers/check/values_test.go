package check

import (
	"fmt"
	"slices"
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
	known := slices.Concat(textRules, presenceRules, blockRules)
	for _, g := range rules.globs {
		if !slices.Contains(known, g.rule.rule) {
			t.Errorf("%s: there is no rule %q", g.glob, g.rule.rule)
		}
	}
	for typ, list := range rules.exact {
		block, ok := provider.Resource(typ)
		if !ok {
			t.Errorf("%s: the provider has no such type", typ)
			continue
		}
		for _, rule := range list {
			if !slices.Contains(known, rule.rule) {
				t.Errorf("%s: there is no rule %q", typ, rule.rule)
			}
			for _, path := range spokenOf(rule) {
				if !described(block, path) {
					t.Errorf("%s has no %s", typ, strings.Join(path, "."))
				}
			}
		}
	}
}

// spokenOf are the paths, from the resource on, that a rule speaks of.
func spokenOf(rule *valueRule) [][]string {
	var paths [][]string
	block := rule.path
	if !slices.Contains(blockRules, rule.rule) {
		paths, block = append(paths, rule.path), rule.path[:len(rule.path)-1]
	}
	below := func(name string) []string { return slices.Concat(block, strings.Split(name, ".")) }
	if slices.Contains(blockRules, rule.rule) || slices.Contains([]string{"excludes", "needs", "at_most"}, rule.rule) {
		for _, name := range strings.Split(rule.argument, "|") {
			if fromRoot, ok := strings.CutPrefix(name, "/"); ok {
				paths = append(paths, strings.Split(fromRoot, "."))
				continue
			}
			paths = append(paths, below(name))
		}
	}
	for _, condition := range rule.when {
		if condition.beside {
			paths = append(paths, below(strings.Join(condition.path, ".")))
			continue
		}
		paths = append(paths, condition.path)
	}
	return paths
}

// described is whether the schema has an argument or block. A key of a map is
// whatever the user writes.
func described(block *schema.Block, path []string) bool {
	if len(path) == 0 {
		return true
	}
	if attribute := block.Attributes[path[0]]; attribute != nil {
		return len(path) == 1 || len(path) == 2 && (path[1] == "*" || attribute.Type.IsMapType())
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
	of := func(typ, text string) func(string) string {
		return func(more string) string { return fmt.Sprintf("resource %q \"a\" {\n%s  %s\n}\n", typ, text, more) }
	}
	instance := of("google_compute_region_instance_template", "  machine_type = \"e2-small\"\n  disk {}\n")
	record := of("google_dns_record_set", "  name = \"a.example.com.\"\n  type = \"A\"\n  managed_zone = \"z\"\n")
	policy := of("google_compute_ssl_policy", "  name = \"a\"\n")
	check := of("google_compute_health_check", "  name = \"a\"\n  tcp_health_check {\n    port = 1\n  }\n")
	topic := func(kept string) string {
		return of("google_pubsub_topic", "  name = \"abc\"\n")(fmt.Sprintf("message_retention_duration = %q", kept))
	}
	alarm := func(lasting string) string {
		return of("google_monitoring_alert_policy", "  display_name = \"a\"\n  combiner = \"OR\"\n")(fmt.Sprintf(
			"conditions {\n    display_name = \"a\"\n    condition_threshold {\n      comparison = \"COMPARISON_GT\"\n      duration = %q\n    }\n  }", lasting))
	}
	subnet := func(cidr, first, second string) string {
		text := fmt.Sprintf("  name = \"a\"\n  network = \"n\"\n  ip_cidr_range = %q\n", cidr)
		for _, name := range []string{first, second} {
			text += fmt.Sprintf("  secondary_ip_range {\n    range_name = %q\n    ip_cidr_range = \"10.1.0.0/20\"\n  }\n", name)
		}
		return of("google_compute_subnetwork", text)("")
	}
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
		{"nothing of several", instance("scheduling {}\n shielded_instance_config {}"), "At least one of enable_secure_boot, enable_vtpm, enable_integrity_monitoring has to be set."},
		{"none of what one is needed of", record(""), "One of rrdatas, routing_policy has to be set."},
		{"two of what one is needed of", record("rrdatas = [\"1.1.1.1\"]\n  routing_policy {\n    geo {\n      location = \"europe-west1\"\n    }\n  }\n"), "Only one of rrdatas, routing_policy may be set; rrdatas and routing_policy are."},
		{"one of them perhaps", record("rrdatas = [\"1.1.1.1\"]\n  dynamic \"routing_policy\" {\n    for_each = []\n    content {\n      geo {\n        location = \"europe-west1\"\n      }\n    }\n  }\n"), ""},
		{"one of them not", record("rrdatas = [\"1.1.1.1\"]\n"), ""},
		{"null is not set", fmt.Sprintf(service, scheme+"  backend {\n    group = \"g\"\n    max_rate = null\n    max_rate_per_instance = 1\n  }\n"), ""},
		{"null perhaps", "variable \"few\" {\n  type = bool\n}\n" + fmt.Sprintf(service, scheme+"  backend {\n    group = \"g\"\n    max_rate = var.few ? 1 : null\n    max_rate_per_instance = (var.few ? null : 1)\n  }\n"), ""},
		{"where another is set", fmt.Sprintf(service, "  load_balancing_scheme = \"INTERNAL\"\n  backend {\n    group = \"g\"\n    max_rate = 1\n  }\n"), `"max_rate" must not be set. A pass-through load balancer takes no limits.`},
		{"where one beside is set", fmt.Sprintf(service, scheme+"  backend {\n    group = \"g\"\n    balancing_mode = \"RATE\"\n  }\n"), "At least one of max_rate, max_rate_per_instance"},
		{"where neither is", fmt.Sprintf(service, "  load_balancing_scheme = \"INTERNAL\"\n  backend {\n    group = \"g\"\n    balancing_mode = \"CONNECTION\"\n  }\n"), ""},
		{"where only Terraform knows", "variable \"scheme\" {\n  type = string\n}\n" + fmt.Sprintf(service, "  load_balancing_scheme = var.scheme\n  backend {\n    group = \"g\"\n    max_rate = 1\n  }\n"), ""},
		{"where one is not set", policy("custom_features = [\"A\"]"), `"custom_features" must not be set. Only the profile CUSTOM`},
		{"where one has to be", policy("profile = \"CUSTOM\""), `"custom_features" has to be set`},
		{"not more than one beside", check("check_interval_sec = 5\n  timeout_sec = 6"), `"timeout_sec" is 6, which is above "check_interval_sec", 5.`},
		{"as much as one beside", check("check_interval_sec = 5\n  timeout_sec = 5"), ""},
		{"too many values", check("source_regions = [\"a\", \"b\", \"c\", \"d\"]"), `The number of "source_regions", 4, is above 3.`},
		{"too few values", check("source_regions = [\"a\"]"), `The number of "source_regions", 1, is below 3.`},
		{"values that only Terraform knows", "variable \"regions\" {\n  type = list(string)\n}\n" + check("source_regions = var.regions"), ""},
		{"twice the same", subnet("10.1.0.0/20", "pods", "pods"), "Another secondary_ip_range has the range_name pods already."},
		{"no addresses", subnet("10.1.0.0", "pods", "services"), "is no range of addresses such as 10.0.0.0/20"},
		{"addresses", subnet("10.1.0.0/20", "pods", "services"), ""},
		{"no duration", topic("600"), `The value "600" of "message_retention_duration" is no duration such as 60s.`},
		{"too short", topic("60s"), "is below 600 seconds"},
		{"long enough", topic("600.5s"), ""},
		{"no whole minutes", alarm("90s"), "is no multiple of 60 seconds"},
		{"whole minutes", alarm("120s"), ""},
		{"where another is set to whatever", "resource \"google_storage_bucket\" \"b\" {\n  name = \"bcd\"\n  location = \"EU\"\n}\n" + of("google_cloud_scheduler_job", "  name = \"a\"\n  http_target {\n    uri = google_storage_bucket.b.url\n  }\n")("attempt_deadline = \"3600s\""), "is above 1800 seconds"},
		{"of one instance", "resource \"google_compute_network\" \"a\" {\n  for_each = { a = 1, B = 2 }\n  name = \"net-${each.key}\"\n}\n", `The value "net-B" of "name" does not match`},
		{"of a member of a set", "resource \"google_compute_network\" \"a\" {\n  for_each = toset([\"a\", \"B\"])\n  name = each.value\n}\n", `The value "B" of "name" does not match`},
		{"of a local value", "locals {\n  nets = { a = { name = \"Shop\" } }\n}\nresource \"google_compute_network\" \"a\" {\n  for_each = local.nets\n  name = each.value.name\n}\n", `The value "Shop" of "name" does not match`},
		{"of no instance", "resource \"google_compute_network\" \"a\" {\n  for_each = { a = 1, b = 2 }\n  name = \"net-${each.key}\"\n}\n", ""},
		{"of instances that only Terraform knows", "variable \"nets\" {\n  type = set(string)\n}\nresource \"google_compute_network\" \"a\" {\n  for_each = var.nets\n  name = \"Net-${each.key}\"\n}\n", ""},
		{"in a block that is made of another", "locals {\n  modes = [\"RATE\", \"FAST\"]\n}\n" + fmt.Sprintf(service, scheme+"  dynamic \"backend\" {\n    for_each = local.modes\n    iterator = mode\n    content {\n      group = \"g\"\n      max_rate = 1\n      balancing_mode = mode.value\n    }\n  }\n"), `The value "FAST" of "balancing_mode" is none of`},
		{"twice the same by a dynamic block", "locals {\n  names = [\"pods\", \"pods\"]\n}\n" + of("google_compute_subnetwork", "  name = \"a\"\n  network = \"n\"\n  ip_cidr_range = \"10.0.0.0/20\"\n")("dynamic \"secondary_ip_range\" {\n    for_each = local.names\n    content {\n      range_name = secondary_ip_range.value\n      ip_cidr_range = \"10.1.0.0/20\"\n    }\n  }"), "Another secondary_ip_range has the range_name pods already."},
		{"too many in a local value", "locals {\n  regions = [\"a\", \"b\", \"c\", \"d\"]\n}\n" + check("source_regions = local.regions"), `The number of "source_regions", 4, is above 3.`},
		{"one of them by a dynamic block", record("rrdatas = [\"1.1.1.1\"]\n  dynamic \"routing_policy\" {\n    for_each = [1]\n    content {\n      geo {\n        location = \"europe-west1\"\n      }\n    }\n  }\n"), "rrdatas and routing_policy are."},
		{"no JSON", "resource \"google_monitoring_dashboard\" \"a\" {\n  dashboard_json = \"{\"\n}\n", "is no JSON"},
		{"too long", "resource \"google_service_account\" \"a\" {\n  account_id = \"abcdef\"\n  display_name = \"" + strings.Repeat("a", 101) + "\"\n}\n", "has a number of characters that is above 100"},
		{"a text to avoid", "resource \"google_project_iam_member\" \"a\" {\n  project = \"p\"\n  role = \"roles/viewer\"\n  member = \"deleted:user:a@example.com\"\n}\n", "which it must not"},
		{"a key of a map", "resource \"google_monitoring_notification_channel\" \"a\" {\n  type = \"slack\"\n  labels = { auth_token = \"a\" }\n}\n", `"labels" must not have "auth_token"`},
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
