package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

//go:embed languages.tsv
var languagesFile string

//go:embed metrics.tsv
var metricsFile string

// rows reads a table.
func rows(file string) [][]string {
	var all [][]string
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, strings.Split(line, "\t"))
		}
	}
	return all[1:]
}

// telling are keys whose texts are always in a language: the table has to know
// every place of theirs.
var telling = []string{"expr", "query", "schedule", "successCondition", "failureCondition", "cron"}

// texts parses every text that the table knows, and every quantity of a container.
func (t *tree) texts() {
	table := rows(languagesFile)
	for _, o := range t.objects {
		known := map[string]bool{}
		for _, row := range table {
			if row[0] != o.kind() {
				continue
			}
			for _, value := range find(o.body, strings.Split(row[1], ".")...) {
				known[fmt.Sprint(value)] = true
				t.text(o, row[1], row[2], fmt.Sprint(value))
			}
		}
		walk(o.body, func(key string, value any) {
			if s, ok := value.(string); ok && slices.Contains(telling, key) && !known[s] {
				t.problem(o, "no row of languages.tsv says in what language %s is written: %s", key, s)
			}
			if resources, ok := value.(map[string]any); ok && key == "resources" {
				for _, q := range append(find(resources, "requests", "*"), find(resources, "limits", "*")...) {
					t.text(o, key, "quantity", fmt.Sprint(q))
				}
			}
			if key == "sizeLimit" {
				t.text(o, key, "quantity", fmt.Sprint(value))
			}
		})
	}
}

func walk(value any, visit func(key string, value any)) {
	switch value := value.(type) {
	case map[string]any:
		for key, v := range value {
			visit(key, v)
			walk(v, visit)
		}
	case []any:
		for _, v := range value {
			walk(v, visit)
		}
	}
}

var withSeconds = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// arguments of an analysis are put in before a query is sent.
var arguments = regexp.MustCompile(`\{\{ *args\.([\w-]+) *\}\}`)

func (t *tree) text(o object, place, language, text string) {
	t.checked++
	var err error
	switch language {
	case "promql":
		err = t.promql(o, arguments.ReplaceAllString(text, "$1"))
	case "cron":
		_, err = cron.ParseStandard(text)
	case "cron6":
		_, err = withSeconds.Parse(text)
	case "quantity":
		_, err = resource.ParseQuantity(text)
	case "number":
		_, err = strconv.ParseFloat(text, 64)
	case "expr":
		_, err = expr.Compile(text, expr.Env(map[string]any{
			"result": []float64{}, "isNaN": func(float64) bool { return false }, "isInf": func(float64) bool { return false },
		}), expr.AsBool())
	}
	if err != nil {
		t.problem(o, "%s is no %s: %s: %s", place, language, err, text)
	}
}
