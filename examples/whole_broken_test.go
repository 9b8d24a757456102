package examples_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestWholeRootsAreJudged breaks, one at a time, what checkWhole looks for, so
// that it does not pass everything.
func TestWholeRootsAreJudged(t *testing.T) {
	for _, row := range []struct {
		check func(blocks) []string
		text  string
		want  string // part of what is said; empty if nothing may be said
	}{
		{dataSources, `data "aws_availability_zones" "all" {}`, "asks AWS"},
		{dataSources, `data "aws_iam_policy_document" "key" {}`, ""},
		{sizes, `resource "aws_subnet" "a" { count = 3 }`, "counted"},
		{sizes, `resource "aws_autoscaling_group" "a" { desired_capacity = 3 }`, "autoscaler's"},
		{sizes, "resource \"aws_autoscaling_group\" \"a\" {\n warm_pool {}\n mixed_instances_policy {}\n}", "Spot"},
		{sizes, "resource \"aws_autoscaling_group\" \"a\" {\n launch_template {\n version = \"$Latest\"\n }\n}", "wants a number"},
		{sizes, `resource "aws_eks_node_group" "a" {}`, "undoes"},
		{sizes, "resource \"aws_appautoscaling_target\" \"a\" {\n scalable_dimension = \"elasticache:replication-group:NodeGroups\"\n resource_id = \"replication-group/${aws_elasticache_replication_group.c.id}\"\n}\nresource \"aws_elasticache_replication_group\" \"c\" {\n num_node_groups = 3\n}", "undoes"},
		{sizes, "resource \"aws_db_instance\" \"a\" {\n replicate_source_db = \"x\"\n username = \"y\"\n}", "from its source"},
		{listeners, "resource \"aws_lb_listener\" \"a\" {\n load_balancer_arn = 1\n port = 80\n default_action {}\n}\nresource \"aws_lb_listener\" \"b\" {\n load_balancer_arn = 1\n port = 80\n default_action {}\n}", "is taken by aws_lb_listener.a"},
		{listeners, "resource \"aws_lb_listener\" \"a\" {\n default_action {}\n default_action {}\n}", "2 default actions"},
		{listeners, "resource \"aws_lb_listener\" \"a\" {\n default_action {}\n lifecycle {\n ignore_changes = [default_action]\n }\n}", "show as a difference"},
		{listeners, "resource \"aws_lb_listener\" \"a\" {\n protocol = \"HTTPS\"\n default_action {}\n}", "ssl_policy"},
		{listeners, "resource \"aws_lb_listener_rule\" \"a\" {\n listener_arn = 1\n priority = 10\n}\nresource \"aws_lb_listener_rule\" \"b\" {\n listener_arn = 1\n priority = 10\n}", "priority 10 is taken"},
		{listeners, "resource \"aws_lb_listener\" \"a\" {\n default_action {\n forward {\n target_group {\n weight = 90\n }\n target_group {\n weight = 20\n }\n }\n }\n}", "110 of 100"},
		{listeners, `resource "aws_autoscaling_attachment" "a" {}`, "fight"},
		{targetGroups, "resource \"aws_lb_target_group\" \"a\" {\n protocol = \"HTTP\"\n slow_start = 30\n load_balancing_algorithm_type = \"least_outstanding_requests\"\n}", "slow_start with"},
		{targetGroups, "resource \"aws_lb_target_group\" \"a\" {\n protocol = \"HTTP\"\n load_balancing_anomaly_mitigation = \"on\"\n}", "anomaly"},
		{targetGroups, "resource \"aws_lb_target_group\" \"a\" {\n protocol = \"TCP\"\n load_balancing_algorithm_type = \"round_robin\"\n}", "no algorithm"},
		{targetGroups, `resource "aws_lb_target_group" "a" { protocol = "TCP" }`, "lead nowhere"},
		{targetGroups, "resource \"aws_autoscaling_policy\" \"a\" {\n target_tracking_configuration {\n predefined_metric_specification {\n predefined_metric_type = \"ALBRequestCountPerTarget\"\n }\n }\n}", "refused before"},
		{topics, `resource "aws_sns_topic" "a" { kms_master_key_id = "alias/aws/sns" }`, "need a key"},
		{topics, "resource \"aws_sns_topic\" \"a\" {\n kms_master_key_id = local.kms_key_arn\n}\nresource \"aws_cloudwatch_event_target\" \"a\" {\n arn = aws_sns_topic.a.arn\n}", "policy of the topic"},
		{alarms, "resource \"aws_cloudwatch_metric_alarm\" \"a\" {\n metric_name = \"RequestCount\"\n threshold = 1\n}", "what no data means"},
		{alarms, "resource \"aws_cloudwatch_metric_alarm\" \"a\" {\n threshold_metric_id = \"band\"\n threshold = 1\n}", "or else a band"},
		{alarms, "resource \"aws_cloudwatch_metric_alarm\" \"a\" {\n statistic = \"p99\"\n threshold = 1\n}", "extended_statistic"},
		{alarms, "resource \"aws_cloudwatch_metric_alarm\" \"a\" {\n threshold = 1\n metric_query {\n expression = \"SUM(SEARCH('x'))\"\n }\n}", "SEARCH"},
		{alarms, "resource \"aws_cloudwatch_metric_alarm\" \"a\" {\n metric_name = \"ReplicaLag\"\n threshold = 30\n}", "looks fast"},
		{caches, "resource \"aws_elasticache_replication_group\" \"a\" {\n engine = \"Redis\"\n}", "engine is"},
		{caches, `resource "aws_elasticache_replication_group" "a" {}`, "TLS"},
		{caches, "resource \"aws_elasticache_replication_group\" \"a\" {\n num_node_groups = 3\n cluster_mode = \"enabled\"\n parameter_group_name = aws_elasticache_parameter_group.a.name\n}\nresource \"aws_elasticache_parameter_group\" \"a\" {}", "cluster mode is true, and that of its parameter group false"},
		{caches, "resource \"aws_elasticache_user\" \"a\" {\n user_id = \"a\"\n user_name = \"b\"\n authentication_mode {\n type = \"iam\"\n }\n}", "one id and name"},
		{distributions, "resource \"aws_cloudfront_distribution\" \"a\" {\n origin_group {\n origin_id = \"both\"\n }\n default_cache_behavior {\n allowed_methods = [\"GET\", \"POST\"]\n target_origin_id = \"both\"\n }\n}", "no writes"},
		{distributions, "resource \"aws_cloudfront_cache_policy\" \"a\" {\n max_ttl = 0\n parameters_in_cache_key_and_forwarded_to_origin {\n enable_accept_encoding_brotli = true\n }\n}", "time to live"},
		{singles, "resource \"aws_vpc\" \"a\" {}\nresource \"aws_vpc\" \"b\" {}", "2 networks"},
		{singles, "provider \"aws\" {\n alias = \"us_east_1\"\n}", "used: false"},
		{singles, `resource "aws_sns_topic" "a" { provider = aws.us_east_1 }`, "there 0 times"},
		{singles, `resource "aws_sns_topic" "a" { provider = aws.other }`, "goes by aws.other"},
		{edges, way("egress", "a", "b", 80), "does not let it in"},
		{edges, way("ingress", "b", "a", 80), "may not leave"},
		{edges, way("egress", "a", "b", 80) + way("ingress", "b", "a", 81), "does not let it in"},
		{edges, way("egress", "a", "b", 80) + way("ingress", "b", "a", 80), ""},
		{consumers, `resource "aws_ssm_document" "a" { content = aws_cloudwatch_metric_alarm.gone.alarm_name }`, "there 0 times"},
		{consumers, "resource \"aws_ssm_document\" \"a\" {\n content = aws_cloudwatch_metric_alarm.a.alarm_name\n}\nresource \"aws_cloudwatch_metric_alarm\" \"a\" {\n alarm_actions = [1]\n}", "idle service"},
		{consumers, "resource \"aws_ssm_document\" \"a\" {\n content = aws_cloudwatch_metric_alarm.a.alarm_name\n}\nresource \"aws_cloudwatch_metric_alarm\" \"a\" {\n treat_missing_data = \"notBreaching\"\n}", "nobody is told"},
		{nesting(""), "resource \"aws_autoscaling_lifecycle_hook\" \"a_drain\" {\n lifecycle_transition = \"autoscaling:EC2_INSTANCE_TERMINATING\"\n heartbeat_timeout = 20\n}\nresource \"aws_lb_target_group\" \"a\" {\n deregistration_delay = 30\n}", "in 30 s"},
		{nesting("timeout: 5.000s\n  retry_policy:\n    num_retries: 1\n    per_try_timeout: 4.000s"), "", "do not fit into 5.000 s"},
		{nesting("timeout: 61.000s\n  retry_policy:\n    num_retries: 1\n    per_try_timeout: 4.000s"), `resource "aws_lb" "a" { idle_timeout = 60 }`, "outlasts"},
		{nesting("timeout: 8.025s\n  retry_policy:\n    num_retries: 1\n    per_try_timeout: 4.000s"), `resource "aws_lb" "a" { idle_timeout = 60 }`, ""},
	} {
		said := row.check(blocksOf(t, result("main.tf", row.text)))
		if row.want == "" && len(said) > 0 {
			t.Errorf("said of what is right: %v\n%s", said, row.text)
		}
		if row.want != "" && !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, row.want) }) {
			t.Errorf("%q is not said, but %v, of\n%s", row.want, said, row.text)
		}
	}
}

// nesting judges timeouts beside a configuration of Envoy for a service "a".
func nesting(envoy string) func(blocks) []string {
	return func(b blocks) []string { return timeouts(b, result("service_a/envoy.yaml", envoy)) }
}

// way is a rule of a security group for another.
func way(direction, group, other string, port int) string {
	return strings.NewReplacer("DIRECTION", direction, "GROUP", group, "OTHER", other, "PORT", fmt.Sprint(port)).Replace(`
resource "aws_vpc_security_group_DIRECTION_rule" "GROUP" {
  security_group_id            = aws_security_group.GROUP.id
  referenced_security_group_id = aws_security_group.OTHER.id
  ip_protocol                  = "tcp"
  from_port                    = PORT
  to_port                      = PORT
}
`)
}
