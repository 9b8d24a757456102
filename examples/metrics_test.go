package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"scaffold/render"
)

// How a root for Google Cloud names a metric: in a filter, in PromQL, where the
// blocks of a resource share one filter, in the values of its for_each, and in
// what an autoscaler follows.
var (
	filtered = regexp.MustCompile(`metric\.type ?= ?\\"([^\\]+)\\"`)
	queried  = regexp.MustCompile(`((?:[a-z]+_googleapis_com|istio_io):(?:[A-Za-z0-9_]|\$\{each\.value\.metric\})+)`)
	shared   = regexp.MustCompile(`\bmetric\s*=\s*"([^"]+)"`)
	followed = regexp.MustCompile(`\bname\s*=\s*"([a-z]+\.googleapis\.com/[^"]+)"`)
)

const fromValues = "${each.value.metric}"

// ownMetrics are made by the root or by the program that it runs.
var ownMetrics = regexp.MustCompile(`^(logging\.googleapis\.com/user/|logging_googleapis_com:user_|custom\.googleapis\.com/)`)

// knownMetrics reads testdata/metrics_gcp.tsv and gives each name as filters and
// as PromQL write it, which says "bucket", "count" or "sum" of a distribution.
func knownMetrics(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "metrics_gcp.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		name, source, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || name == "metric" {
			continue
		}
		if !ok || source == "" {
			t.Fatalf("a row has a metric and its source: %q", line)
		}
		service, path, _ := strings.Cut(name, "/")
		query := strings.ReplaceAll(service, ".", "_") + ":" + strings.ReplaceAll(path, "/", "_")
		out[name] = name
		for _, suffix := range []string{"", "_bucket", "_count", "_sum"} {
			out[query+suffix] = name
		}
	}
	return out
}

// metricsOf lists the metrics that a root names.
func metricsOf(t *testing.T, result *render.Result) []string {
	t.Helper()
	var out []string
	for _, found := range blocksOf(t, result) {
		for _, b := range found {
			text := string(b.Range().SliceBytes(b.file.Data))
			var values []string
			for _, m := range shared.FindAllStringSubmatch(text, -1) {
				values = append(values, m[1])
			}
			for _, m := range slices.Concat(filtered.FindAllStringSubmatch(text, -1), queried.FindAllStringSubmatch(text, -1), followed.FindAllStringSubmatch(text, -1)) {
				if !strings.Contains(m[1], fromValues) {
					out = append(out, m[1])
					continue
				}
				if len(values) == 0 {
					t.Errorf("%s takes its metrics from values that it does not have", m[1])
				}
				for _, v := range values {
					out = append(out, strings.ReplaceAll(m[1], fromValues, v))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestMetricsExist requires that each metric that is asked for, by the examples
// and by random blueprints, is one that Google Cloud documents.
func TestMetricsExist(t *testing.T) {
	known, met := knownMetrics(t), map[string]bool{}
	look := func(t *testing.T, result *render.Result) {
		for _, name := range metricsOf(t, result) {
			if ownMetrics.MatchString(name) {
				continue
			}
			if known[name] == "" {
				t.Errorf("%s is not in testdata/metrics_gcp.tsv", name)
			}
			met[known[name]] = true
		}
	}
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range renderedFor(t, name, "gcp") {
				look(t, root.Result)
			}
		})
	}
	randomRoots(t, "gcp", 20, look)
	if len(met) < 30 {
		t.Errorf("only %d metrics were met", len(met))
	}
}

// TestMetricsAreRead requires that a metric is found wherever one is named.
func TestMetricsAreRead(t *testing.T) {
	got := metricsOf(t, result("main.tf", `resource "google_compute_region_autoscaler" "x" {
  autoscaling_policy {
    metric {
      name = "agent.googleapis.com/memory/percent_usd"
    }
  }
}
resource "google_monitoring_alert_policy" "x" {
  for_each = { a = { metric = "cpu/utilisation" } }
  conditions {
    condition_threshold {
      filter = "metric.type = \"cloudsql.googleapis.com/database/${each.value.metric}\""
    }
    condition_prometheus_query_language {
      query = "rate(loadbalancing_googleapis_com:https_requests[5m])"
    }
  }
}
`))
	want := []string{"agent.googleapis.com/memory/percent_usd", "cloudsql.googleapis.com/database/cpu/utilisation", "loadbalancing_googleapis_com:https_requests"}
	if !slices.Equal(got, want) {
		t.Errorf("%v are found, and there are %v", got, want)
	}
}
