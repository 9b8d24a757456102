package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const monitored = `
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  podMetricsEndpoints: [{port: http-envoy-prom, path: /stats/prometheus, interval: 15s}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata:
      labels: {app: web}
      annotations:
        proxy.istio.io/config: |
          proxyStatsMatcher:
            inclusionRegexps:
              - .*outlier_detection.*
    spec:
      containers: [{name: web, image: web:1, resources: {limits: {memory: MEMORY}}}]
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: web, namespace: shop}
spec:
  metrics: [{overrides: [{tagOverrides: {source_app: {operation: REMOVE}}}]}]
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: web, namespace: shop}
spec:
  groups: [{name: web, rules: [{alert: A, expr: 'EXPR'}]}]
`

const envoy = `
static_resources:
  clusters:
    - name: web
      type: STRICT_DNS
      connect_timeout: 1s
      TYPED
`

func TestFindings(t *testing.T) {
	rule := func(expr string) string {
		return strings.NewReplacer("EXPR", expr, "MEMORY", "1Gi").Replace(monitored)
	}
	typed := func(line string) string { return strings.Replace(envoy, "TYPED", line, 1) }
	for _, row := range []struct{ text, want string }{
		{rule(`sum(rate(istio_requests_total{job="shop/web",response_code="500"}[1m]))`), ""},
		{rule(`envoy_cluster_outlier_detection_ejections_active{job="shop/web"} > 0`), ""},
		{rule(`kube_pod_info{namespace="shop"} > 0`), ""},
		{rule(`sum(rate(istio_requests_total{job="shop/web"}[1m])`), "is no promql"},
		{rule(`sum(rate(istio_requests_total{job="shop/web"}[45s]))`), "less than four scrapes"},
		{rule(`sum(rate(kube_pod_info{namespace="shop"}[1m]))`), "less than four scrapes"},
		{rule(`istio_requests_total{job="shop/wob"} > 0`), "no PodMonitor has"},
		{rule(`istio_requests_total{job="shop/web",colour="red"} > 0`), "have no label colour"},
		{rule(`sum by (source_app) (istio_requests_total{job="shop/web"}) > 0`), "sums by source_app"},
		{rule(`envoy_cluster_circuit_breakers_default_rq_open{job="shop/web"} > 0`), "puts out, or keeps,"},
		{rule(`redis_up{namespace="shop"} == 0`), "puts out, or keeps,"},
		{rule(`made_up_total > 0`), "nobody is known to put out"},
		{rule(`shop:errors:ratio > 0`), "no rule records"},
		{strings.NewReplacer("EXPR", "vector(1)", "MEMORY", "1Gib").Replace(monitored), "is no quantity"},
		{"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {schedule: '0 25 * * *'}\n", "is no cron"},
		{"apiVersion: example.com/v1\nkind: Other\nmetadata: {name: x}\nspec: {schedule: '0 2 * * *'}\n", "no row of languages.tsv"},
		{typed("lb_policy: LEAST_REQUEST"), ""},
		{typed("lb_polity: LEAST_REQUEST"), "unknown field"},
		{typed("lb_policy: LEAST_BUSY"), "invalid value for enum"},
		{typed("circuit_breakers: {thresholds: [{retry_budget: {budget_percent: {value: 120}}}]}"), "value must be inside range"},
		{typed("transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, sny: x}}"), "unknown field"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(row.text), 0o644); err != nil {
			t.Fatal(err)
		}
		tree, err := read(dir)
		if err != nil {
			t.Fatal(err)
		}
		tree.texts()
		tree.envoys()
		got := strings.Join(tree.problems, "\n")
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%q is not found in: %s\n%s", row.want, got, row.text)
		}
	}
}
