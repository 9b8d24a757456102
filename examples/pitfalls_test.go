package examples_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Terraform validates and plans nearly everything on Google Cloud. What only the
// apply would refuse, or what works otherwise than it reads, is looked for here
// in everything that is rendered: the examples and the random blueprints. Single
// blueprints that would fall into a trap are in testdata/traps/gcp; what one
// argument may be is among the rules of the checker, which every render asks.

// pitfall is something that no block of a type may be like. wrong says what is
// wrong with a block, empty if nothing is.
type pitfall struct {
	kind, what string
	wrong      func(r part, root blocks) bool
}

var pitfalls = []pitfall{
	// Without it the scheme is that of the classic balancer, or internal.
	{"google_compute_*backend_service", "the scheme is left to its default", func(r part, _ blocks) bool { return !r.has("load_balancing_scheme") }},
	{"google_compute_*forwarding_rule", "the scheme is left to its default", func(r part, _ blocks) bool { return !r.has("load_balancing_scheme") }},
	{"google_compute_backend_service", "limits on calls outside of a mesh", func(r part, _ blocks) bool {
		return r.has("circuit_breakers") && r.text("load_balancing_scheme") != "INTERNAL_SELF_MANAGED"
	}},
	{"google_compute_region_backend_service", "limits on calls outside of an internal load balancer", func(r part, _ blocks) bool {
		return r.has("circuit_breakers") && (r.text("load_balancing_scheme") != "INTERNAL_MANAGED" || r.text("protocol") == "TCP")
	}},
	{"google_compute_region_backend_service", "outlier detection outside of an internal load balancer", func(r part, _ blocks) bool {
		return r.has("outlier_detection") && (r.text("load_balancing_scheme") != "INTERNAL_MANAGED" || r.text("protocol") == "TCP")
	}},
	{"google_compute_region_backend_service", "a copy at the edge of a regional balancer", func(r part, _ blocks) bool {
		return r.has("cdn_policy") || r.is("enable_cdn", cty.True)
	}},
	{"google_compute_backend_service", "a copy at the edge of a private balancer", func(r part, _ blocks) bool {
		return r.is("enable_cdn", cty.True) && r.text("load_balancing_scheme") != "EXTERNAL_MANAGED"
	}},
	{"google_compute_backend_*", "lifetimes that the origin's headers replace", func(r part, _ blocks) bool {
		return r.text("cdn_policy.cache_mode") == "USE_ORIGIN_HEADERS" &&
			(r.has("cdn_policy.default_ttl") || r.has("cdn_policy.max_ttl") || r.has("cdn_policy.client_ttl"))
	}},
	{"google_compute_backend_*", "a longest lifetime where all is kept regardless", func(r part, _ blocks) bool {
		return r.text("cdn_policy.cache_mode") == "FORCE_CACHE_ALL" && r.has("cdn_policy.max_ttl")
	}},
	{"google_compute_backend_*", "lifetimes out of order", func(r part, _ blocks) bool {
		return above(r.number("cdn_policy.client_ttl"), r.number("cdn_policy.default_ttl")) ||
			above(r.number("cdn_policy.default_ttl"), r.number("cdn_policy.max_ttl"))
	}},
	{"google_compute_*backend_service", "strong affinity without its cookie", func(r part, _ blocks) bool {
		return strings.HasPrefix(r.text("session_affinity"), "STRONG_") != r.has("strong_session_affinity_cookie")
	}},
	{"google_compute_*backend_service", "affinity that its algorithm does not keep", func(r part, _ blocks) bool {
		return slices.Contains([]string{"GENERATED_COOKIE", "HTTP_COOKIE", "HEADER_FIELD"}, r.text("session_affinity")) &&
			!slices.Contains([]string{"RING_HASH", "MAGLEV", "WEIGHTED_MAGLEV"}, r.text("locality_lb_policy"))
	}},
	{"google_compute_region_backend_service", "a rate or a port's name behind a balancer that passes packets through", func(r part, _ blocks) bool {
		return slices.Contains([]string{"INTERNAL", "EXTERNAL"}, r.text("load_balancing_scheme")) &&
			(r.has("port_name") || r.has("backend.max_rate") || r.has("backend.max_rate_per_instance") || r.has("backend.capacity_scaler"))
	}},
	{"google_compute_*backend_service", "a rate for a whole regional group", func(r part, _ blocks) bool {
		return r.has("backend.max_rate") && strings.Contains(r.source("backend.group"), "_instance_group_manager.")
	}},
	{"google_compute_*backend_service", "a mode without the figure it fills up to", func(r part, _ blocks) bool {
		return r.text("backend.balancing_mode") == "RATE" && !r.has("backend.max_rate_per_instance") &&
			!r.has("backend.max_rate_per_endpoint") && !r.has("backend.max_rate")
	}},
	{"google_compute_*backend_service", "so small a share that no instance is ever ejected", func(r part, root blocks) bool {
		share, hosts := r.number("outlier_detection.max_ejection_percent"), root.least(r.source("backend.group"))
		return share.known && hosts.known && share.is*hosts.is < 100
	}},
	{"google_compute_*backend_service", "a comparison of more instances than there may be", func(r part, root blocks) bool {
		return above(r.number("outlier_detection.success_rate_minimum_hosts"), root.least(r.source("backend.group")))
	}},
	{"google_compute_*backend_service", "a port's name that its group does not have", func(r part, root blocks) bool {
		group := root.group(r.source("backend.group"))
		if group == nil || r.text("port_name") == "" || !group.has("named_port.name") {
			return false
		}
		return !slices.Contains(group.texts("named_port.name"), r.text("port_name"))
	}},
	{"google_compute_*backend_service", "instances leave sooner than an answer may take", func(r part, _ blocks) bool {
		// A proxy of connections counts their silence. No drain is longer than an hour, and connections of a day don't wait for one.
		lasts := r.number("timeout_sec")
		return r.text("protocol") != "TCP" && lasts.is <= 3600 && above(lasts, r.number("connection_draining_timeout_sec"))
	}},
	{"google_compute_*health_check", "a check that lasts longer than its interval", func(r part, _ blocks) bool {
		return above(r.number("timeout_sec"), r.number("check_interval_sec"))
	}},
	{"google_compute_region_instance_group_manager", "a surge of less than one for each zone", func(r part, _ blocks) bool {
		zones := r.length("distribution_policy_zones")
		for _, of := range []figure{r.number("update_policy.max_surge_fixed"), r.number("update_policy.max_unavailable_fixed")} {
			if of.known && of.is != 0 && of.is < zones {
				return true
			}
		}
		return false
	}},
	{"google_compute_region_instance_group_manager", "an update that can neither add nor take away", func(r part, _ blocks) bool {
		surge, missing := r.number("update_policy.max_surge_fixed"), r.number("update_policy.max_unavailable_fixed")
		return surge.known && missing.known && surge.is == 0 && missing.is == 0
	}},
	{"google_compute_region_instance_group_manager", "instances that must go first and may not", func(r part, _ blocks) bool {
		return r.text("update_policy.replacement_method") == "RECREATE" && r.is("update_policy.max_unavailable_fixed", cty.Zero)
	}},
	{"google_compute_region_instance_group_manager", "disks that stay, and instances that move", func(r part, _ blocks) bool {
		return r.has("stateful_disk") && r.text("update_policy.instance_redistribution_type") != "NONE"
	}},
	{"google_compute_region_instance_group_manager", "versions that share no size", func(r part, _ blocks) bool {
		return r.count("version") > 1 && !r.has("version.target_size")
	}},
	{"google_compute_region_autoscaler", "the group's size has two owners", func(r part, root blocks) bool {
		group := root.group(r.source("target"))
		return group == nil || (group.has("target_size") && !strings.Contains(group.source("lifecycle.ignore_changes"), "target_size"))
	}},
	{"google_compute_region_autoscaler", "a least above the most", func(r part, _ blocks) bool {
		return above(r.number("autoscaling_policy.min_replicas"), r.number("autoscaling_policy.max_replicas")) ||
			above(r.number("autoscaling_policy.scaling_schedules.min_required_replicas"), r.number("autoscaling_policy.max_replicas"))
	}},
	{"google_compute_region_autoscaler", "a target outside of 0 to 1", func(r part, _ blocks) bool {
		for _, signal := range []string{"cpu_utilization", "load_balancing_utilization"} {
			if of := r.number("autoscaling_policy." + signal + ".target"); of.known && (of.is <= 0 || of.is > 1) {
				return true
			}
		}
		return false
	}},
	// The series and their disks are those of templates/gcp/machine_types.tsv.
	{"google_compute_region_instance_template", "a disk that the machine does not take", func(r part, _ blocks) bool {
		series, disk := r.text("machine_type"), r.text("disk.disk_type")
		return (onlyHyperdisk.MatchString(series) && strings.HasPrefix(disk, "pd-")) ||
			(onlyPersistent.MatchString(series) && strings.HasPrefix(disk, "hyperdisk-"))
	}},
	{"google_compute_subnetwork", "less than 64 addresses for proxies", func(r part, _ blocks) bool {
		_, bits, ok := strings.Cut(r.text("ip_cidr_range"), "/")
		return strings.HasSuffix(r.text("purpose"), "_MANAGED_PROXY") && ok && len(bits) == 2 && bits > "26"
	}},
	{"google_sql_database_instance", "an edition that depends on the version", func(r part, _ blocks) bool { return !r.has("settings.edition") }},
	{"google_sql_database_instance", "a tier of another edition", func(r part, _ blocks) bool {
		tier, edition := r.text("settings.tier"), r.text("settings.edition")
		return tier != "" && edition != "" && strings.HasPrefix(tier, "db-perf-optimized-") != (edition == "ENTERPRISE_PLUS")
	}},
	{"google_sql_database_instance", "what only Enterprise Plus has", func(r part, _ blocks) bool {
		plus := r.has("settings.connection_pool_config") || r.has("settings.data_cache_config") || r.text("instance_type") == "READ_POOL_INSTANCE"
		return plus && r.text("settings.edition") != "ENTERPRISE_PLUS"
	}},
	{"google_sql_database_instance", "a standby without what it is restored from", func(r part, _ blocks) bool {
		if r.text("settings.availability_type") != "REGIONAL" || r.text("instance_type") != "CLOUD_SQL_INSTANCE" {
			return false
		}
		log := "settings.backup_configuration.point_in_time_recovery_enabled"
		if strings.HasPrefix(r.text("database_version"), "MYSQL") {
			log = "settings.backup_configuration.binary_log_enabled"
		}
		return !r.is("settings.backup_configuration.enabled", cty.True) || !r.is(log, cty.True)
	}},
	{"google_sql_database_instance", "a pool of readers outside of 1 to 20 nodes, or with a standby", func(r part, _ blocks) bool {
		if r.text("instance_type") != "READ_POOL_INSTANCE" {
			return false
		}
		nodes := r.number("node_count")
		return r.has("settings.availability_type") || (nodes.known && (nodes.is < 1 || nodes.is > 20)) ||
			above(r.number("settings.read_pool_auto_scale_config.min_node_count"), r.number("settings.read_pool_auto_scale_config.max_node_count"))
	}},
	{"google_sql_user", "a password of one whom IAM knows", func(r part, _ blocks) bool {
		return strings.HasPrefix(r.text("type"), "CLOUD_IAM_") && (r.has("password") || r.has("password_wo"))
	}},
	{"google_sql_user", "a password without a number that says when it is another", func(r part, _ blocks) bool {
		return r.has("password_wo") != r.has("password_wo_version")
	}},
	{"google_memorystore_instance", "shards where there is no cluster", func(r part, _ blocks) bool {
		return r.text("mode") == "CLUSTER_DISABLED" && !r.is("shard_count", cty.NumberIntVal(1))
	}},
	{"google_container_node_pool", "the number of nodes has two owners", func(r part, _ blocks) bool {
		return r.has("autoscaling") && r.has("node_count")
	}},
	{"google_container_node_pool", "a least above the most", func(r part, _ blocks) bool {
		return above(r.number("autoscaling.total_min_node_count"), r.number("autoscaling.total_max_node_count")) ||
			above(r.number("autoscaling.min_node_count"), r.number("autoscaling.max_node_count"))
	}},
	{"google_spanner_instance", "a size with two owners", func(r part, _ blocks) bool {
		return r.has("autoscaling_config") && (r.has("num_nodes") || r.has("processing_units"))
	}},
	{"google_spanner_database", "tables that a changed statement deletes", func(r part, _ blocks) bool {
		return r.has("ddl") && !r.is("lifecycle.prevent_destroy", cty.True)
	}},
	{"google_compute_*url_map", "tries that outlast the call", func(r part, _ blocks) bool {
		for _, action := range r.below("route_action", "default_route_action") {
			tries, each, all := action.number("retry_policy.num_retries"), action.seconds("retry_policy.per_try_timeout"), action.seconds("timeout")
			if tries.known && each.known && all.known && (tries.is+1)*each.is > all.is {
				return true
			}
		}
		return false
	}},
	{"google_compute_*url_map", "shares outside of 0 to 1000, or all of nothing", func(r part, _ blocks) bool {
		for _, action := range r.below("route_action", "default_route_action") {
			shares, sum := action.values("weighted_backend_services.weight"), 0.0
			for _, v := range shares {
				share := asFigure(v)
				if share.is < 0 || share.is > 1000 {
					return true
				}
				sum += share.is
			}
			if len(shares) > 0 && len(shares) == action.count("weighted_backend_services") && sum == 0 {
				return true
			}
		}
		return false
	}},
	{"google_compute_*url_map", "a service beside the shares of several", func(r part, _ blocks) bool {
		for _, matcher := range append(r.below("path_matcher"), r) {
			if matcher.has("default_service") && matcher.has("default_route_action.weighted_backend_services") {
				return true
			}
		}
		return false
	}},
	{"google_compute_backend_*", "a part of the query that is counted and left out", func(r part, _ blocks) bool {
		return r.has("cdn_policy.cache_key_policy.query_string_whitelist") && r.has("cdn_policy.cache_key_policy.query_string_blacklist")
	}},
	{"google_compute_*backend_service", "a cookie for more than a day", func(r part, _ blocks) bool {
		return r.number("affinity_cookie_ttl_sec").is > 86400
	}},
	{"google_compute_global_forwarding_rule", "a network that does not reach all the world", func(r part, _ blocks) bool {
		return r.text("network_tier") == "STANDARD"
	}},
	{"google_container_node_pool", "a first size that Terraform goes back to", func(r part, _ blocks) bool {
		return r.has("initial_node_count") && !strings.Contains(r.source("lifecycle.ignore_changes"), "initial_node_count")
	}},
	{"google_container_cluster", "a cluster without a channel for its versions", func(r part, _ blocks) bool {
		return !slices.Contains([]string{"RAPID", "REGULAR", "STABLE", "EXTENDED"}, r.text("release_channel.channel"))
	}},
	{"google_spanner_instance", "a goal that is never met", func(r part, _ blocks) bool {
		if !r.has("autoscaling_config") {
			return false
		}
		for _, goal := range []string{"high_priority_cpu_utilization_percent", "storage_utilization_percent"} {
			if of := r.number("autoscaling_config.autoscaling_targets." + goal); of.known && (of.is <= 0 || of.is > 100) || !r.has("autoscaling_config.autoscaling_targets."+goal) {
				return true
			}
		}
		return false
	}},
	{"google_*", "a label that is not lowercase, or too long", func(r part, _ blocks) bool {
		for _, path := range []string{"labels", "user_labels", "settings.user_labels", "resource_labels", "node_config.resource_labels"} {
			for _, v := range r.values(path) {
				if !v.CanIterateElements() {
					continue
				}
				for key, value := range v.AsValueMap() {
					if !labelKey.MatchString(key) || (value.Type() == cty.String && !labelValue.MatchString(value.AsString())) {
						return true
					}
				}
			}
		}
		return false
	}},
}

// Labels of Google Cloud (Resource Manager documentation, "Requirements for labels").
var (
	labelKey   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	labelValue = regexp.MustCompile(`^[a-z0-9_-]{0,63}$`)
)

var onlyHyperdisk, onlyPersistent = regexp.MustCompile(`^(c4a?|n4)-`), regexp.MustCompile(`^e2-`)

// part is a block of a root, or one inside it.
type part struct {
	body *hclsyntax.Body
	in   *parsedBlock
}

// at gives the expressions at a path, for each block on the way.
func (p part) at(path string) []hclsyntax.Expression {
	var out []hclsyntax.Expression
	first, rest, deeper := strings.Cut(path, ".")
	if attr := p.body.Attributes[first]; attr != nil && !deeper {
		out = append(out, attr.Expr)
	}
	for _, inner := range p.inside(first) {
		if deeper {
			out = append(out, inner.at(rest)...)
		}
	}
	return out
}

func (p part) inside(name string) []part {
	var out []part
	for _, block := range p.body.Blocks {
		switch {
		case block.Type == name:
			out = append(out, part{block.Body, p.in})
		case block.Type == "dynamic" && block.Labels[0] == name:
			for _, content := range block.Body.Blocks {
				out = append(out, part{content.Body, p.in})
			}
		}
	}
	return out
}

// below gives the blocks of some names at any depth.
func (p part) below(names ...string) []part {
	var out []part
	for _, block := range p.body.Blocks {
		inner := part{block.Body, p.in}
		if slices.Contains(names, block.Type) {
			out = append(out, inner)
		}
		out = append(out, inner.below(names...)...)
	}
	return out
}

func (p part) has(path string) bool { return len(textsAt(p.body, strings.Split(path, "."), p.in)) > 0 }

func (p part) count(block string) int { return len(p.inside(block)) }

// values are those at a path that are written and not computed.
func (p part) values(path string) []cty.Value {
	var out []cty.Value
	for _, expr := range p.at(path) {
		if v, diags := expr.Value(nil); !diags.HasErrors() && v.IsWhollyKnown() && !v.IsNull() {
			out = append(out, v)
		}
	}
	return out
}

func (p part) texts(path string) []string {
	var out []string
	for _, v := range p.values(path) {
		if text, err := convert.Convert(v, cty.String); err == nil {
			out = append(out, text.AsString())
		}
	}
	return out
}

// text is the first that is written at a path, empty if none is.
func (p part) text(path string) string {
	if texts := p.texts(path); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

func (p part) is(path string, want cty.Value) bool {
	return slices.ContainsFunc(p.values(path), func(v cty.Value) bool { return v.RawEquals(want) })
}

func (p part) length(path string) float64 {
	for _, v := range p.values(path) {
		return float64(v.LengthInt())
	}
	return 0
}

// source is the text of the first expression at a path.
func (p part) source(path string) string {
	for _, expr := range p.at(path) {
		return squeeze(string(expr.Range().SliceBytes(p.in.file.Data)))
	}
	return ""
}

// figure is a number that is written, if it is.
type figure struct {
	is    float64
	known bool
}

func asFigure(v cty.Value) figure {
	n, err := convert.Convert(v, cty.Number)
	if err != nil {
		return figure{}
	}
	f, _ := n.AsBigFloat().Float64()
	return figure{f, true}
}

func (p part) number(path string) figure {
	for _, v := range p.values(path) {
		return asFigure(v)
	}
	return figure{}
}

// seconds is a time in the two parts in which load balancers take it.
func (p part) seconds(path string) figure {
	whole, nanos := p.number(path+".seconds"), p.number(path+".nanos")
	return figure{whole.is + nanos.is/1e9, whole.known}
}

func above(a, b figure) bool { return a.known && b.known && a.is > b.is }

// group is the instance group that an expression names.
func (b blocks) group(source string) *part {
	words := strings.FieldsFunc(source, func(r rune) bool { return r == '.' || r == '[' })
	if len(words) < 2 {
		return nil
	}
	for _, block := range b[words[0]+"."+words[1]] {
		return &part{block.Body, block}
	}
	return nil
}

// least is how many instances the group that an expression names has at least.
func (b blocks) least(source string) figure {
	group := b.group(source)
	if group == nil {
		return figure{}
	}
	name := strings.Join(group.in.Labels, ".") + "."
	for address, found := range b {
		for _, block := range found {
			scaler := part{block.Body, block}
			if strings.HasPrefix(address, "google_compute_region_autoscaler.") && strings.HasPrefix(scaler.source("target"), name) {
				return scaler.number("autoscaling_policy.min_replicas")
			}
		}
	}
	return group.number("target_size")
}

// checkPitfalls requires that a root for Google Cloud falls into none, and counts
// what was looked at.
func checkPitfalls(t *testing.T, b blocks, seen map[string]int) {
	t.Helper()
	for address, found := range b {
		kind, _, _ := strings.Cut(address, ".")
		for _, p := range slices.Concat(pitfalls, pitfallsBetween) {
			if !matches(p.kind, kind) {
				continue
			}
			for _, block := range found {
				seen[p.kind]++
				if p.wrong(part{block.Body, block}, b) {
					t.Errorf("%s: %s", address, p.what)
				}
			}
		}
	}
}

// TestPitfalls looks for them in all that the examples render for Google Cloud;
// TestRandomBlueprints does so for random blueprints.
func TestPitfalls(t *testing.T) {
	seen := map[string]int{}
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range renderedFor(t, name, "gcp") {
				checkPitfalls(t, blocksOf(t, root.Result), seen)
			}
		})
	}
	for _, p := range slices.Concat(pitfalls, pitfallsBetween) {
		if seen[p.kind] == 0 && !strings.HasPrefix(p.kind, "google_spanner_") && p.kind != "google_redis_cluster" {
			t.Errorf("no example renders %s", p.kind)
		}
	}
}

// TestEachPitfall requires that each is found in the blocks that fall into it,
// whatever their number: testdata/pitfalls_gcp.txtar has them by what is wrong.
func TestEachPitfall(t *testing.T) {
	archive, err := txtar.ParseFile(filepath.Join("..", "testdata", "pitfalls_gcp.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	text := map[string]string{}
	for _, f := range archive.Files {
		text[f.Name] = string(f.Data)
	}
	for _, p := range slices.Concat(pitfalls, pitfallsBetween) {
		b, found := blocksOf(t, result("main.tf", text[p.what])), false
		for address, list := range b {
			kind, _, _ := strings.Cut(address, ".")
			for _, block := range list {
				found = found || (matches(p.kind, kind) && p.wrong(part{block.Body, block}, b))
			}
		}
		if !found {
			t.Errorf("%s of %s is not found in\n%s", p.what, p.kind, text[p.what])
		}
	}
}
