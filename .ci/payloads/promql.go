package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// promql parses an expression and looks at each series that it reads.
func (t *tree) promql(o object, text string) error {
	x, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return err
	}
	parser.Inspect(x, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.MatrixSelector:
			if s, ok := node.VectorSelector.(*parser.VectorSelector); ok {
				if every := t.interval(s); node.Range < 4*every {
					t.problem(o, "%s of %s is less than four scrapes, of which one comes every %s", node.Range, s.Name, every)
				}
			}
		case *parser.VectorSelector:
			t.series(o, node)
		case *parser.AggregateExpr:
			t.grouped(o, node)
		}
		return nil
	})
	return nil
}

// source is a row of metrics.tsv.
type source struct {
	from, image string
	labels      []string
}

func sourceOf(metric string) (source, bool) {
	for _, row := range rows(metricsFile) {
		if regexp.MustCompile("^(?:" + row[0] + ")$").MatchString(metric) {
			return source{row[1], row[2], strings.Fields(row[3])}, true
		}
	}
	return source{}, false
}

// scraped are the labels that say where a series was scraped.
var scraped = []string{"namespace", "pod", "container", "job", "instance", "endpoint", labels.MetricName}

// series asks who puts a series out, and whether it has the labels.
func (t *tree) series(o object, s *parser.VectorSelector) {
	from, ok := sourceOf(s.Name)
	if !ok {
		t.problem(o, "nobody is known to put out %s", s.Name)
		return
	}
	monitors := t.monitors(s)
	added := []string{}
	for _, m := range monitors {
		for _, label := range find(m.body, "spec", "podMetricsEndpoints", "*", "relabelings", "*", "targetLabel") {
			added = append(added, fmt.Sprint(label))
		}
	}
	for _, matcher := range s.LabelMatchers {
		name := matcher.Name
		if !slices.Contains(scraped, name) && !slices.Contains(added, name) && !matchesOne(from.labels, name) && from.from != "rule" {
			t.problem(o, "series of %s have no label %s", s.Name, name)
		}
	}
	switch from.from {
	case "cluster":
		return
	case "rule":
		t.recorded(o, s)
		return
	}
	if len(monitors) == 0 {
		t.problem(o, "no PodMonitor has %s scraped", s)
		return
	}
	if !slices.ContainsFunc(monitors, func(m object) bool { return t.puts(m, from, s.Name) }) {
		t.problem(o, "nothing that is scraped puts out, or keeps, %s", s)
	}
}

func matchesOne(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return regexp.MustCompile("^(?:" + p + ")$").MatchString(name) })
}

// recorded asks for the rule behind a name with a colon, and that it sets the
// labels that are matched.
func (t *tree) recorded(o object, s *parser.VectorSelector) {
	for _, rule := range t.objects {
		for _, r := range find(rule.body, "spec", "groups", "*", "rules", "*") {
			if text(r, "record") != s.Name {
				continue
			}
			fits := true
			for _, m := range s.LabelMatchers {
				if value := text(r, "labels", m.Name); m.Name != labels.MetricName && value != "" && !m.Matches(value) {
					fits = false
				}
			}
			if fits {
				return
			}
		}
	}
	t.problem(o, "no rule records %s", s)
}

// monitors are the PodMonitors that can have scraped a series: the one that its
// job names, or else all that look into its namespace.
func (t *tree) monitors(s *parser.VectorSelector) []object {
	var found []object
	for _, m := range t.objects {
		if m.kind() != "PodMonitor" {
			continue
		}
		fits := true
		for _, l := range s.LabelMatchers {
			switch l.Name {
			case "job":
				fits = fits && l.Matches(m.namespace()+"/"+m.name())
			case "namespace":
				fits = fits && slices.ContainsFunc(t.looksInto(m), l.Matches)
			}
		}
		if fits {
			found = append(found, m)
		}
	}
	return found
}

func (t *tree) looksInto(m object) []string {
	var names []string
	for _, n := range find(m.body, "spec", "namespaceSelector", "matchNames", "*") {
		names = append(names, fmt.Sprint(n))
	}
	if len(names) == 0 {
		names = []string{m.namespace()}
	}
	return names
}

// interval is how often the slowest of them scrapes.
func (t *tree) interval(s *parser.VectorSelector) time.Duration {
	const unset = 30 * time.Second
	var slowest time.Duration
	from, _ := sourceOf(s.Name)
	if from.from != "cluster" && from.from != "rule" {
		for _, m := range t.monitors(s) {
			if !t.puts(m, from, s.Name) {
				continue
			}
			for _, every := range find(m.body, "spec", "podMetricsEndpoints", "*", "interval") {
				if d, err := time.ParseDuration(fmt.Sprint(every)); err == nil {
					slowest = max(slowest, d)
				}
			}
		}
	}
	if slowest == 0 {
		return unset
	}
	return slowest
}

// puts asks whether the pods of a monitor put a metric out.
func (t *tree) puts(m object, from source, metric string) bool {
	proxies := slices.Contains(find(m.body, "spec", "podMetricsEndpoints", "*", "path"), any("/stats/prometheus"))
	outside := t.looksInto(m)[0] != m.namespace()
	waypoint := text(m.body, "spec", "selector", "matchLabels", "gateway.networking.k8s.io/gateway-name") != ""
	pods := t.pods(m)
	switch from.from {
	case "mesh":
		return proxies && (waypoint || len(pods) > 0)
	case "kept":
		return proxies && slices.ContainsFunc(pods, func(pod any) bool { return keeps(pod, metric) })
	case "envoy": // of a proxy of the mesh, or of the gateway
		return proxies && (outside || waypoint || slices.ContainsFunc(pods, func(pod any) bool { return keeps(pod, metric) }))
	case "operator":
		return !proxies && t.operated(m)
	case "program":
		return !proxies && len(pods) > 0
	}
	image := regexp.MustCompile(from.image)
	return !proxies && slices.ContainsFunc(pods, func(pod any) bool {
		images := append(find(pod, "spec", "containers", "*", "image"), find(pod, "spec", "initContainers", "*", "image")...)
		return slices.ContainsFunc(images, func(i any) bool { return image.MatchString(fmt.Sprint(i)) })
	})
}

// keeps asks whether the proxy of a pod is told to keep a metric. The pattern is
// held against the name that Envoy has for it, with dots, of which Prometheus
// sees underscores.
func keeps(pod any, metric string) bool {
	config := text(pod, "metadata", "annotations", "proxy.istio.io/config")
	name := strings.TrimPrefix(metric, "envoy_")
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	for line := range strings.Lines(config) {
		pattern, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if ok && regexp.MustCompile("^(?:"+strings.ReplaceAll(strings.Trim(pattern, `"'`), `\.`, "[._]")+")$").MatchString(name) {
			return true
		}
	}
	return false
}

// pods are the templates that a monitor selects.
func (t *tree) pods(m object) []any {
	var found []any
	for _, o := range t.objects {
		if slices.Contains(t.looksInto(m), o.namespace()) {
			for _, template := range find(o.body, "spec", "template") {
				if selects(m, find(template, "metadata", "labels")) && len(find(template, "spec", "containers")) > 0 {
					found = append(found, template)
				}
			}
		}
	}
	return found
}

// operated asks whether a monitor selects pods that an operator makes: it has a
// label that an object with inherited labels, or a template of its own, gives.
func (t *tree) operated(m object) bool {
	for _, o := range t.objects {
		if selects(m, find(o.body, "spec", "inheritedMetadata", "labels")) || selects(m, find(o.body, "spec", "template", "metadata", "labels")) && len(find(o.body, "spec", "pgbouncer")) > 0 {
			return true
		}
		for _, label := range []string{"cnpg.io/cluster", "cnpg.io/poolerName"} {
			if text(m.body, "spec", "selector", "matchLabels", label) == o.name() && strings.HasPrefix(text(o.body, "apiVersion"), "postgresql.cnpg.io/") {
				return true
			}
		}
	}
	return false
}

func selects(m object, labels []any) bool {
	wanted := find(m.body, "spec", "selector", "matchLabels")
	if len(wanted) == 0 || len(labels) == 0 {
		return false
	}
	have, _ := labels[0].(map[string]any)
	for key, value := range wanted[0].(map[string]any) {
		if have[key] != value {
			return false
		}
	}
	return true
}

// grouped asks that no label is summed by which the mesh is told to leave out.
func (t *tree) grouped(o object, a *parser.AggregateExpr) {
	for _, mesh := range t.objects {
		if mesh.kind() != "Telemetry" || mesh.namespace() != o.namespace() {
			continue
		}
		for _, tags := range find(mesh.body, "spec", "metrics", "*", "overrides", "*", "tagOverrides") {
			for tag, override := range tags.(map[string]any) {
				if text(override, "operation") == "REMOVE" && !a.Without && slices.Contains(a.Grouping, tag) {
					t.problem(o, "%s sums by %s, which %s leaves out", a, tag, mesh.name())
				}
			}
		}
	}
}
