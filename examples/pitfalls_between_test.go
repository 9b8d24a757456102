package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// pitfallsBetween are those that lie between two blocks: what one says of the
// other has to hold there, and no schema knows that.
var pitfallsBetween = []pitfall{
	{"google_sql_database_instance", "a copy that is smaller than what it stands in for", func(r part, root blocks) bool {
		source := root.source(r)
		if source == nil || r.text("settings.tier") == "" || source.text("settings.tier") == "" {
			return false
		}
		return smallerTier(r.text("settings.tier"), source.text("settings.tier"))
	}},
	{"google_sql_database_instance", "a copy with a lower limit than its source", func(r part, root blocks) bool {
		source := root.source(r)
		if source == nil {
			return false
		}
		own := root.pairs(r, "settings.database_flags")
		for flag, value := range root.pairs(*source, "settings.database_flags") {
			if !slices.Contains(replicaLimits, flag) {
				continue
			}
			least, _ := strconv.ParseFloat(value, 64)
			if got, err := strconv.ParseFloat(own[flag], 64); err != nil || got < least {
				return true
			}
		}
		return false
	}},
	{"google_sql_database_instance", "a setting that its pooler does not know", func(r part, root blocks) bool {
		engine, _, _ := strings.Cut(strings.ToLower(root.follow(r, "database_version")), "_")
		for flag := range root.pairs(r, "settings.connection_pool_config.flags") {
			if !slices.Contains(poolFlags()[engine], flag) {
				return true
			}
		}
		return false
	}},
	{"google_compute_forwarding_rule", "it is made before the proxies have addresses", func(r part, root blocks) bool {
		if !strings.HasSuffix(r.text("load_balancing_scheme"), "_MANAGED") {
			return false
		}
		return root.unmet(r, "google_compute_subnetwork.", func(p part) bool { return strings.HasSuffix(p.text("purpose"), "_MANAGED_PROXY") })
	}},
	{"google_memorystore_instance", "it is made before its network lets it in", func(r part, root blocks) bool {
		return root.unmet(r, "google_network_connectivity_service_connection_policy.", func(p part) bool { return p.text("service_class") == "gcp-memorystore" })
	}},
	{"google_redis_cluster", "it is made before its network lets it in", func(r part, root blocks) bool {
		return root.unmet(r, "google_network_connectivity_service_connection_policy.", func(p part) bool { return p.text("service_class") == "gcp-memorystore-redis" })
	}},
	{"google_compute_region_autoscaler", "an instance counts before it is asked whether it lives", func(r part, root blocks) bool {
		// Both wait for the same thing: until the program has started.
		group := root.group(r.source("target"))
		return group != nil && above(group.number("auto_healing_policies.initial_delay_sec"), r.number("autoscaling_policy.cooldown_period"))
	}},
	{"google_compute_region_instance_group_manager", "instances are replaced while they start", func(r part, _ blocks) bool {
		// A check that fails from the start on needs this long to say so; more only says that nothing is known.
		return r.has("auto_healing_policies") && r.is("auto_healing_policies.initial_delay_sec", cty.Zero)
	}},
	{"google_compute_*backend_service", "a group that is counted in two ways", func(r part, root blocks) bool {
		// Requests of one balancer and business of another: Google takes both, and one of them is not kept to.
		group, mode := addressOf(r.source("backend.group")), r.text("backend.balancing_mode")
		for address, found := range root {
			if kind, _, _ := strings.Cut(address, "."); group == "" || !matches("google_compute_*backend_service", kind) {
				continue
			}
			other := part{found[0].Body, found[0]}
			if of := other.text("backend.balancing_mode"); addressOf(other.source("backend.group")) == group && of != "" && mode != "" && (of == "RATE") != (mode == "RATE") {
				return true
			}
		}
		return false
	}},
	{"google_compute_*url_map", "shares of requests, and clients that stay", func(r part, root blocks) bool {
		for _, action := range r.below("route_action", "default_route_action") {
			for _, share := range action.inside("weighted_backend_services") {
				service := root.group(share.source("backend_service"))
				if service != nil && !share.is("weight", cty.NumberIntVal(100)) && !slices.Contains([]string{"", "NONE"}, service.text("session_affinity")) {
					return true
				}
			}
		}
		return false
	}},
	{"google_certificate_manager_certificate_map_entry", "a certificate for other names", func(r part, root blocks) bool {
		for _, name := range certificates.FindAllString(r.source("certificates"), -1) {
			for _, block := range root[name] {
				for _, domains := range (part{block.Body, block}).values("managed.domains") {
					for it := domains.ElementIterator(); it.Next(); {
						if _, domain := it.Element(); r.text("hostname") == domain.AsString() {
							return false
						}
					}
				}
			}
		}
		return r.text("hostname") != ""
	}},
	{"google_sql_database_instance", "a copy of another edition", func(r part, root blocks) bool {
		source := root.source(r)
		return source != nil && r.text("settings.edition") != source.text("settings.edition")
	}},
	{"locals", "a version with fewer instances than its share needs", func(r part, _ blocks) bool {
		for name, attr := range r.body.Attributes {
			if strings.HasSuffix(name, "_tracks") && understaffed(attr.Expr) {
				return true
			}
		}
		return false
	}},
}

// replicaLimits are flags that a standby of Postgres must not have lower than
// its primary (PostgreSQL documentation, "Hot Standby").
var replicaLimits = []string{"max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"}

// poolFlags reads testdata/pool_flags_gcp.tsv: what the pooler of each engine knows.
var poolFlags = sync.OnceValue(func() map[string][]string {
	data, err := os.ReadFile(filepath.Join("..", "testdata", "pool_flags_gcp.tsv"))
	if err != nil {
		panic(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if columns := strings.Split(strings.TrimSpace(line), "\t"); len(columns) == 3 && columns[0] != "engine" {
			out[columns[0]] = append(out[columns[0]], columns[1])
		}
	}
	return out
})

var reference = regexp.MustCompile(`^([a-z0-9_]+\.[a-z0-9_]+)(?:\[[^\]]*\])?\.([a-z0-9_]+)$`)

// source is the server that a copy of Cloud SQL is made from.
func (b blocks) source(p part) *part {
	m := reference.FindStringSubmatch(p.source("master_instance_name"))
	if m == nil || len(b[m[1]]) == 0 {
		return nil
	}
	return &part{b[m[1]][0].Body, b[m[1]][0]}
}

// follow is the text at a path, or the one that it takes from another block.
func (b blocks) follow(p part, path string) string {
	if m := reference.FindStringSubmatch(p.source(path)); m != nil && len(b[m[1]]) > 0 {
		return b.follow(part{b[m[1]][0].Body, b[m[1]][0]}, m[2])
	}
	return p.text(path)
}

// pairs are the names and values of blocks like database_flags: written one by
// one, or made from a local of the root.
func (b blocks) pairs(p part, path string) map[string]string {
	out := map[string]string{}
	outer, last, ok := cutLast(path)
	around := []part{p}
	if ok {
		for _, word := range strings.Split(outer, ".") {
			var next []part
			for _, a := range around {
				next = append(next, a.inside(word)...)
			}
			around = next
		}
	}
	for _, a := range around {
		for _, block := range a.body.Blocks {
			switch {
			case block.Type == last:
				one := part{block.Body, p.in}
				out[one.text("name")] = one.text("value")
			case block.Type == "dynamic" && block.Labels[0] == last:
				for name, value := range b.local(part{block.Body, p.in}.source("for_each")) {
					out[name] = value
				}
			}
		}
	}
	return out
}

func cutLast(path string) (before, last string, ok bool) {
	i := strings.LastIndex(path, ".")
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// local is a map of texts that the root names.
func (b blocks) local(source string) map[string]string {
	name, ok := strings.CutPrefix(source, "local.")
	if !ok {
		return nil
	}
	out := map[string]string{}
	for _, block := range b["locals"] {
		attr := block.Body.Attributes[name]
		if attr == nil {
			continue
		}
		object, ok := attr.Expr.(*hclsyntax.ObjectConsExpr)
		if !ok {
			continue
		}
		for _, item := range object.Items {
			key, _ := item.KeyExpr.Value(nil)
			text := ""
			if v, diags := item.ValueExpr.Value(nil); !diags.HasErrors() {
				if as, err := convert.Convert(v, cty.String); err == nil && as.IsKnown() && !as.IsNull() {
					text = as.AsString()
				}
			}
			out[key.AsString()] = text
		}
	}
	return out
}

var certificates = regexp.MustCompile(`google_certificate_manager_certificate\.[a-z0-9_]+`)

// addressOf is the resource that an expression names.
func addressOf(source string) string {
	words := strings.FieldsFunc(source, func(r rune) bool { return r == '.' || r == '[' })
	if len(words) < 2 || !strings.HasPrefix(words[0], "google_") {
		return ""
	}
	return words[0] + "." + words[1]
}

var sizeOfTier = regexp.MustCompile(`^(.*?)-(\d+)(?:-(\d+))?$`)

// smallerTier compares tiers like db-custom-4-16384 and db-perf-optimized-N-8.
func smallerTier(one, other string) bool {
	a, b := sizeOfTier.FindStringSubmatch(one), sizeOfTier.FindStringSubmatch(other)
	if a == nil || b == nil || a[1] != b[1] {
		return one != other
	}
	for i := 2; i <= 3; i++ {
		of, than := 0, 0
		if a[i] != "" {
			of, _ = strconv.Atoi(a[i])
		}
		if b[i] != "" {
			than, _ = strconv.Atoi(b[i])
		}
		if of < than {
			return true
		}
	}
	return false
}

// unmet tells whether the root has something that a block does not name among
// what it waits for.
func (b blocks) unmet(p part, prefix string, is func(part) bool) bool {
	waits, found := p.source("depends_on"), false
	for address, list := range b {
		for _, block := range list {
			if strings.HasPrefix(address, prefix) && is(part{block.Body, block}) {
				found = true
				if regexp.MustCompile(regexp.QuoteMeta(address) + `\b`).MatchString(waits) {
					return false
				}
			}
		}
	}
	return found
}

// understaffed tells whether a version has a smaller part of the largest one's
// instances than it has of the requests.
func understaffed(expr hclsyntax.Expression) bool {
	v, diags := expr.Value(nil)
	if diags.HasErrors() || !v.IsWhollyKnown() || !v.CanIterateElements() {
		return false
	}
	type track struct{ weight, least, most float64 }
	var tracks []track
	sum, all := 0.0, track{}
	for _, one := range v.AsValueMap() {
		if !one.Type().IsObjectType() || !one.Type().HasAttribute("weight") {
			return false
		}
		t := track{asFigure(one.GetAttr("weight")).is, asFigure(one.GetAttr("min")).is, asFigure(one.GetAttr("max")).is}
		tracks, sum = append(tracks, t), sum+t.weight
		all = track{0, max(all.least, t.least), max(all.most, t.most)}
	}
	return slices.ContainsFunc(tracks, func(t track) bool {
		return t.least*sum < t.weight*all.least || t.most*sum < t.weight*all.most
	})
}
