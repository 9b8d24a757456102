package examples_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/render"
)

// What holds of every AWS root, however its patterns are mixed: the traps that
// can be told from the output alone, and that each thing which patterns share has
// one owner. TestTraps says more about each trap.

// TestWholeRoots holds the examples to it; TestRandomBlueprints does so for
// random blueprints.
func TestWholeRoots(t *testing.T) {
	kinds := map[string]int{}
	for _, name := range append(examples(t), rest) {
		t.Run(name, func(t *testing.T) {
			for _, root := range renderedFor(t, name, "aws") {
				b := blocksOf(t, root.Result)
				for address := range b {
					kind, _, _ := strings.Cut(address, ".")
					kinds[kind]++
				}
				checkWhole(t, b, root.Result)
			}
		})
	}
	for _, kind := range []string{"aws_lb_target_group", "aws_sns_topic", "aws_elasticache_replication_group", "aws_cloudfront_distribution", "aws_lb_listener_rule", "aws_vpc_security_group_ingress_rule", "aws_appautoscaling_target"} {
		if kinds[kind] == 0 {
			t.Errorf("no example has %s, so nothing was looked at", kind)
		}
	}
}

func checkWhole(t *testing.T, b blocks, result *render.Result) {
	t.Helper()
	var problems []string
	for _, check := range []func(blocks) []string{dataSources, sizes, listeners, targetGroups, topics, alarms, caches, distributions, singles, edges, consumers} {
		problems = append(problems, check(b)...)
	}
	problems = append(problems, timeouts(b, result)...)
	for _, p := range problems {
		t.Error(p)
	}
}

// of gives the blocks of a resource type with their addresses, in order.
func (b blocks) of(kind string) []*addressed {
	var out []*addressed
	for _, address := range slices.Sorted(maps.Keys(b)) {
		if k, _, _ := strings.Cut(address, "."); k == kind {
			for _, block := range b[address] {
				out = append(out, &addressed{block, address})
			}
		}
	}
	return out
}

type addressed struct {
	*parsedBlock
	address string
}

func (a *addressed) texts(path string) []string {
	return textsAt(a.Body, strings.Split(path, "."), a.parsedBlock)
}

// text is the only text at a path, empty if there is none.
func (a *addressed) text(path string) string {
	if found := a.texts(path); len(found) > 0 {
		return found[0]
	}
	return ""
}

func (a *addressed) says(format string, args ...any) string {
	return a.address + ": " + fmt.Sprintf(format, args...)
}

// local are the data sources that a plan may have: they ask AWS nothing, so a
// root plans without credentials and a plan does not change by itself.
var local = map[string]string{
	"aws_iam_policy_document": "it is computed by the provider",
}

func dataSources(b blocks) (out []string) {
	for _, d := range b.of("data") {
		if local[d.Labels[0]] == "" {
			out = append(out, d.says("it asks AWS at every plan"))
		}
	}
	return out
}

// sizes belong to autoscalers, and what has a name is never counted.
func sizes(b blocks) (out []string) {
	for address, found := range b {
		for _, block := range found {
			if block.Type == "resource" && block.Body.Attributes["count"] != nil {
				out = append(out, address+": it is counted; named things go by for_each")
			}
		}
	}
	for _, g := range b.of("aws_autoscaling_group") {
		if g.text("desired_capacity") != "" {
			out = append(out, g.says("desired_capacity is the autoscaler's"))
		}
		if g.text("warm_pool") != "" && g.text("mixed_instances_policy") != "" {
			out = append(out, g.says("a warm pool is refused with Spot instances"))
		}
		for _, path := range []string{"launch_template.version", "mixed_instances_policy.launch_template.launch_template_specification.version"} {
			if v := g.text(path); strings.Contains(v, "$") || (v != "" && !strings.HasSuffix(v, ".latest_version")) {
				out = append(out, g.says("%s is %s: a refresh wants a number", path, v))
			}
		}
	}
	for _, g := range b.of("aws_eks_node_group") {
		if !strings.Contains(g.text("lifecycle.ignore_changes"), "desired_size") {
			out = append(out, g.says("Terraform undoes the autoscaler"))
		}
	}
	owned := map[string]string{"NodeGroups": "num_node_groups", "Replicas": "replicas_per_node_group"}
	for _, target := range b.of("aws_appautoscaling_target") {
		m := regexp.MustCompile(`elasticache:replication-group:(\w+)`).FindStringSubmatch(target.text("scalable_dimension"))
		if m == nil {
			continue
		}
		id := regexp.MustCompile(`aws_elasticache_replication_group\.\w+`).FindString(target.text("resource_id"))
		for _, g := range b.of("aws_elasticache_replication_group") {
			if g.address == id && !strings.Contains(g.text("lifecycle.ignore_changes"), owned[m[1]]) {
				out = append(out, g.says("Terraform undoes the autoscaler of %s", m[1]))
			}
		}
	}
	for _, r := range b.of("aws_db_instance") {
		if r.text("replicate_source_db") == "" {
			continue
		}
		for _, own := range []string{"username", "password", "password_wo", "manage_master_user_password", "db_name", "engine", "allocated_storage", "db_subnet_group_name"} {
			if r.text(own) != "" {
				out = append(out, r.says("a replica takes %s from its source", own))
			}
		}
	}
	return out
}

// listeners have one owner: nothing else says where requests go, and every
// priority and every port is taken once.
func listeners(b blocks) (out []string) {
	taken := map[string]string{}
	take := func(what string, by *addressed) {
		if other := taken[what]; other != "" {
			out = append(out, by.says("%s is taken by %s", what, other))
		}
		taken[what] = by.address
	}
	for _, l := range b.of("aws_lb_listener") {
		take(l.text("load_balancer_arn")+" port "+l.text("port"), l)
		if len(l.texts("default_action")) != 1 {
			out = append(out, l.says("it has %d default actions", len(l.texts("default_action"))))
		}
		if l.text("lifecycle.ignore_changes") != "" {
			out = append(out, l.says("a rollback has to show as a difference"))
		}
		if p := l.text("protocol"); (p == `"HTTPS"` || p == `"TLS"`) != (l.text("ssl_policy") != "") {
			out = append(out, l.says("%s with ssl_policy %q", p, l.text("ssl_policy")))
		}
	}
	for _, r := range b.of("aws_lb_listener_rule") {
		if n := r.text("priority"); regexp.MustCompile(`^\d+$`).MatchString(n) {
			take(r.text("listener_arn")+" priority "+n, r)
		}
	}
	s := newScope(b)
	for _, kind := range []string{"aws_lb_listener", "aws_lb_listener_rule"} {
		for _, l := range b.of(kind) {
			for _, action := range []string{"default_action", "action"} {
				sum, known := 0, 0
				for _, w := range s.at(l.Body, []string{action, "forward", "target_group", "weight"}, l.parsedBlock, nil) {
					if n, err := strconv.Atoi(w); err == nil {
						sum, known = sum+n, known+1
					}
				}
				if known > 1 && sum != 100 {
					out = append(out, l.says("the weights are %d of 100", sum))
				}
			}
		}
	}
	for _, a := range b.of("aws_autoscaling_attachment") {
		out = append(out, a.says("a group names its target groups itself; the two would fight"))
	}
	return out
}

// targetGroups have the settings that go together.
func targetGroups(b blocks) (out []string) {
	for _, g := range b.of("aws_lb_target_group") {
		algorithm := g.text("load_balancing_algorithm_type")
		slow := g.text("slow_start")
		if slow != "" && slow != "0" && algorithm != "" && algorithm != `"round_robin"` {
			out = append(out, g.says("slow_start with %s", algorithm))
		}
		if g.text("load_balancing_anomaly_mitigation") == `"on"` && algorithm != `"weighted_random"` {
			out = append(out, g.says("anomaly mitigation with %s", algorithm))
		}
		if p := g.text("protocol"); p != `"HTTP"` && p != `"HTTPS"` && (algorithm != "" || slow != "") {
			out = append(out, g.says("%s knows no algorithm", p))
		}
		if g.text("lifecycle.create_before_destroy") != "true" {
			out = append(out, g.says("a listener would lead nowhere while it is replaced"))
		}
	}
	for _, p := range b.of("aws_autoscaling_policy") {
		if strings.Contains(p.text("target_tracking_configuration.predefined_metric_specification.predefined_metric_type"), "ALBRequestCountPerTarget") && !strings.Contains(p.text("depends_on"), "aws_lb_listener") {
			out = append(out, p.says("it is refused before a listener leads to the target group"))
		}
	}
	return out
}

func topics(b blocks) (out []string) {
	for _, topic := range b.of("aws_sns_topic") {
		if key := topic.text("kms_master_key_id"); key == "" || strings.Contains(key, "alias/aws") {
			out = append(out, topic.says("alarms need a key whose policy names CloudWatch"))
		}
		told := func(r *addressed) bool { return strings.Contains(r.text("arn"), topic.address+".arn") }
		if slices.ContainsFunc(b.of("aws_cloudwatch_event_target"), told) && !slices.ContainsFunc(b.of("aws_sns_topic_policy"), told) {
			out = append(out, topic.says("EventBridge needs a policy of the topic"))
		}
	}
	return out
}

// idle are metrics that have no data while nothing is asked for.
var idle = []string{"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "TargetResponseTime", "RequestCount", "5xxErrorRate", "OriginLatency", "CacheHitRate"}

// alarms say what no data means, and fire for a lag of -1.
func alarms(b blocks) (out []string) {
	for _, a := range b.of("aws_cloudwatch_metric_alarm") {
		metrics := append(a.texts("metric_query.metric.metric_name"), a.text("metric_name"))
		if a.text("treat_missing_data") == "" && slices.ContainsFunc(metrics, func(m string) bool { return slices.Contains(idle, strings.Trim(m, `"`)) }) {
			out = append(out, a.says("it does not say what no data means"))
		}
		band := a.text("threshold_metric_id") != ""
		if band == (a.text("threshold") != "") {
			out = append(out, a.says("it has a threshold, or else a band"))
		}
		if regexp.MustCompile(`^"p\d`).MatchString(a.text("statistic")) {
			out = append(out, a.says("a percentile is an extended_statistic"))
		}
		for _, e := range a.texts("metric_query.expression") {
			if strings.Contains(e, "SEARCH(") {
				out = append(out, a.says("alarms know no SEARCH"))
			}
		}
		if slices.Contains(metrics, `"ReplicaLag"`) {
			stopped := func(other *addressed) bool {
				return other.text("for_each") == a.text("for_each") && other.text("treat_missing_data") == `"breaching"` &&
					strings.Contains(strings.Join(other.texts("metric_query.expression"), " "), "lag < 0")
			}
			if !slices.ContainsFunc(b.of("aws_cloudwatch_metric_alarm"), stopped) {
				out = append(out, a.says("a replica that has stopped looks fast, and no other alarm sees it"))
			}
		}
	}
	return out
}

func caches(b blocks) (out []string) {
	for _, g := range b.of("aws_elasticache_replication_group") {
		engine := g.text("engine")
		if engine != strings.ToLower(engine) {
			out = append(out, g.says("engine is %s", engine))
		}
		if g.text("transit_encryption_enabled") != "true" || g.text("user_group_ids") == "" {
			out = append(out, g.says("users come over TLS and by IAM"))
		}
		m := regexp.MustCompile(`aws_elasticache_parameter_group\.\w+`).FindString(g.text("parameter_group_name"))
		sharded := g.text("num_node_groups") != "" && g.text("cluster_mode") != ""
		found := false
		for _, p := range b.of("aws_elasticache_parameter_group") {
			if p.address == m {
				found = strings.Contains(strings.Join(p.texts("parameter"), " "), `name = "cluster-enabled" value = "yes"`)
			}
		}
		if m == "" || sharded != found {
			out = append(out, g.says("cluster mode is %v, and that of its parameter group %v", sharded, found))
		}
	}
	for _, u := range b.of("aws_elasticache_user") {
		if u.text("authentication_mode.type") == `"iam"` && u.text("user_id") != u.text("user_name") {
			out = append(out, u.says("a user by IAM has one id and name"))
		}
	}
	return out
}

func distributions(b blocks) (out []string) {
	for _, d := range b.of("aws_cloudfront_distribution") {
		groups := d.texts("origin_group.origin_id")
		for _, kind := range []string{"default_cache_behavior", "ordered_cache_behavior"} {
			for _, behaviour := range d.texts(kind) {
				writes := regexp.MustCompile(`allowed_methods = \[[^]]*"POST"`).MatchString(behaviour)
				for _, id := range groups {
					if writes && strings.Contains(behaviour, "target_origin_id = "+id) {
						out = append(out, d.says("a group of origins takes no writes"))
					}
				}
			}
		}
	}
	for _, p := range b.of("aws_cloudfront_cache_policy") {
		if strings.Contains(p.text("parameters_in_cache_key_and_forwarded_to_origin"), "brotli = true") && p.text("max_ttl") == "0" {
			out = append(out, p.says("compression wants a time to live"))
		}
	}
	return out
}

// singles are there once for all patterns: the network, and the second provider
// exactly where something goes by it.
func singles(b blocks) (out []string) {
	if n := len(b.of("aws_vpc")); n > 1 {
		out = append(out, fmt.Sprintf("there are %d networks", n))
	}
	for _, kind := range []string{"aws_sns_topic.alarms", "aws_kms_key.main"} {
		if len(b[kind]) > 1 {
			out = append(out, kind+" is there twice")
		}
	}
	aliases, used := 0, false
	for _, p := range b.of("provider") {
		if p.text("alias") == `"us_east_1"` {
			aliases++
		}
	}
	for address, found := range b {
		for _, block := range found {
			p := strings.Join(textsAt(block.Body, []string{"provider"}, block), "")
			used = used || p == "aws.us_east_1"
			if p != "" && p != "aws.us_east_1" && block.Type == "resource" {
				out = append(out, address+": it goes by "+p)
			}
		}
	}
	if aliases > 1 || (aliases == 1) != used {
		out = append(out, fmt.Sprintf("the second provider is there %d times; used: %v", aliases, used))
	}
	return out
}

// edge is a way between two security groups, or from or to anywhere.
type edge struct{ from, to, protocol, port string }

// edges are opened at both ends.
func edges(b blocks) (out []string) {
	left, entered := rules(b, "aws_vpc_security_group_egress_rule"), rules(b, "aws_vpc_security_group_ingress_rule")
	covered := func(list []edge, e edge) bool {
		return slices.ContainsFunc(list, func(o edge) bool {
			return (o.from == e.from || o.from == "") && (o.to == e.to || o.to == "") && (o.from != "" || o.to != "") &&
				(o.protocol == `"-1"` || o.protocol == e.protocol && o.port == e.port)
		})
	}
	for _, e := range left {
		if e.to != "" && !covered(entered, e) {
			out = append(out, fmt.Sprintf("%s may leave for %s (%s %s), which does not let it in", e.from, e.to, e.protocol, e.port))
		}
	}
	for _, e := range entered {
		if e.from != "" && !covered(left, e) {
			out = append(out, fmt.Sprintf("%s lets %s in (%s %s), which may not leave for it", e.to, e.from, e.protocol, e.port))
		}
	}
	return out
}

func rules(b blocks, kind string) []edge {
	var out []edge
	for _, r := range b.of(kind) {
		for _, each := range elements(r.parsedBlock) {
			at := func(name string) string {
				text := r.text(name)
				if v, ok := each[text]; ok {
					text = v
				}
				return strings.TrimSuffix(text, ".id")
			}
			e := edge{at("security_group_id"), at("referenced_security_group_id"), at("ip_protocol"), at("from_port") + "-" + at("to_port")}
			if strings.Contains(kind, "ingress") {
				e.from, e.to = e.to, e.from
			}
			out = append(out, e)
		}
	}
	return out
}

// elements are the texts behind each.value and each.value.NAME, for each element
// of a for_each that is written out; one empty element where there is none.
func elements(block *parsedBlock) []map[string]string {
	attr := block.Body.Attributes["for_each"]
	if attr == nil {
		return []map[string]string{{}}
	}
	object, ok := attr.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return []map[string]string{{}}
	}
	var out []map[string]string
	text := func(e hcl.Expression) string { return squeeze(string(e.Range().SliceBytes(block.file.Data))) }
	for _, item := range object.Items {
		each := map[string]string{"each.value": text(item.ValueExpr)}
		if inner, ok := item.ValueExpr.(*hclsyntax.ObjectConsExpr); ok {
			for _, field := range inner.Items {
				each["each.value."+hcl.ExprAsKeyword(field.KeyExpr)] = text(field.ValueExpr)
			}
		}
		out = append(out, each)
	}
	return out
}

// consumers of alarms are refreshes, releases and rollbacks: they name alarms
// that are there, that people are told of as well, and that an idle service,
// which has no data, does not raise.
func consumers(b blocks) (out []string) {
	named := regexp.MustCompile(`aws_cloudwatch_metric_alarm\.\w+`)
	for _, kind := range []string{"aws_ssm_document", "aws_cloudwatch_event_rule", "aws_autoscaling_group", "aws_appconfig_environment"} {
		for _, consumer := range b.of(kind) {
			for _, id := range named.FindAllString(squeeze(string(consumer.Body.Range().SliceBytes(consumer.file.Data))), -1) {
				if len(b[id]) != 1 {
					out = append(out, consumer.says("%s is there %d times", id, len(b[id])))
					continue
				}
				alarm := &addressed{b[id][0], id}
				if alarm.text("treat_missing_data") != `"notBreaching"` {
					out = append(out, consumer.says("%s holds up an idle service", id))
				}
				if alarm.text("alarm_actions") == "" {
					out = append(out, consumer.says("nobody is told of %s", id))
				}
			}
		}
	}
	return out
}

var attempt = regexp.MustCompile(`timeout: ([0-9.]+)s(?:(?:\n.*){1,4}?\n\s+num_retries: (\d+)\n\s+per_try_timeout: ([0-9.]+)s)`)

// timeouts nest: all attempts in a call's, a call in what the balancer waits, and
// what leaves in what it is given for it.
func timeouts(b blocks, result *render.Result) (out []string) {
	number := func(s string) float64 {
		n, _ := strconv.ParseFloat(s, 64)
		return n
	}
	for _, hook := range b.of("aws_autoscaling_lifecycle_hook") {
		if !strings.Contains(hook.text("lifecycle_transition"), "TERMINATING") {
			continue
		}
		service := strings.TrimSuffix(hook.Labels[1], "_drain")
		for _, g := range b.of("aws_lb_target_group") {
			if g.Labels[1] == service && number(hook.text("heartbeat_timeout")) < number(g.text("deregistration_delay")) {
				out = append(out, hook.says("it waits %s s, and the balancer sends requests to finish in %s s", hook.text("heartbeat_timeout"), g.text("deregistration_delay")))
			}
		}
	}
	for name, f := range result.Files {
		service, ok := strings.CutSuffix(strings.TrimPrefix(name, "service_"), "/envoy.yaml")
		if !ok {
			continue
		}
		service = strings.ReplaceAll(service, "-", "_")
		for _, m := range attempt.FindAllStringSubmatch(string(f.Data), -1) {
			whole, tries := number(m[1]), (1+number(m[2]))*number(m[3])
			if tries > whole {
				out = append(out, fmt.Sprintf("%s: %s attempts of %s s do not fit into %s s", name, m[2]+"+1", m[3], m[1]))
			}
			for _, lb := range b.of("aws_lb") {
				if lb.Labels[1] == service && lb.text("idle_timeout") != "" && whole >= number(lb.text("idle_timeout")) {
					out = append(out, fmt.Sprintf("%s: a call of %s s outlasts the balancer's %s s", name, m[1], lb.text("idle_timeout")))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
