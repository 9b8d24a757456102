package examples_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// limit is a row of testdata/names_aws.tsv.
type limit struct {
	kind, argument string
	length         int
	pattern        *regexp.Regexp
}

func limits(t *testing.T) []limit {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "names_aws.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []limit
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || cells[0] == "type" {
			continue
		}
		length, err := strconv.Atoi(cells[2])
		if err != nil || len(cells) != 5 || cells[4] == "" {
			t.Fatalf("a row has a type, an argument, a length, a pattern and a source: %q", line)
		}
		out = append(out, limit{cells[0], cells[1], length, regexp.MustCompile("^(?:" + cells[3] + ")$")})
	}
	return out
}

// TestNamesFit holds every name that is known before anything is applied to the
// limits of AWS: of the examples, and of all that they make where the blueprint
// and its components have names as long as names may be.
func TestNamesFit(t *testing.T) {
	list := limits(t)
	looked := map[string]bool{}
	for _, name := range examples(t) {
		data, err := os.ReadFile(filepath.Join(name, "scaffold.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct{ name, text string }{{name, string(data)}, {name + " with long names", longNames(string(data))}} {
			t.Run(row.name, func(t *testing.T) {
				roots, diags := renderText(t, row.text, "", "aws")
				if diags.HasErrors() {
					t.Fatal(firstErrors(diags))
				}
				fits(t, blocksOf(t, roots[0].Result), list, looked)
			})
		}
	}
	if len(looked) < len(list)*3/4 {
		t.Errorf("only %d of %d limits were looked at: %v", len(looked), len(list), looked)
	}
}

func fits(t *testing.T, b blocks, list []limit, looked map[string]bool) {
	t.Helper()
	s := newScope(b)
	for address, found := range b {
		for _, block := range found {
			if block.Type != "resource" {
				continue
			}
			for _, l := range list {
				if l.kind != block.Labels[0] {
					continue
				}
				for key, each := range s.instances(block) {
					for _, text := range s.at(block.Body, []string{l.argument}, block, each) {
						var name string
						if json.Unmarshal([]byte(text), &name) != nil {
							continue // known after apply
						}
						looked[l.kind+"."+l.argument] = true
						if len(name) > l.length || !l.pattern.MatchString(name) {
							t.Errorf("%s%s: %s is %q: at most %d characters of %s", address, key, l.argument, name, l.length, l.pattern)
						}
					}
				}
			}
		}
	}
}

var named = regexp.MustCompile(`(?m)^(?:blueprint|database|cache|service|site|cluster) "([a-z0-9-]+)"`)

// longNames gives a blueprint and its components names of 24 characters, the
// longest that they may have.
func longNames(text string) string {
	for i, m := range named.FindAllStringSubmatch(text, -1) {
		long := (m[1] + "-" + strings.Repeat("x", 24))[:22] + fmt.Sprintf("%02d", i)
		text = regexp.MustCompile(`(?m)^([a-z]+) "`+m[1]+`"`).ReplaceAllString(text, `$1 "`+long+`"`)
		text = regexp.MustCompile(`\b(database|cache|service|site|cluster)\.`+m[1]+`\b`).ReplaceAllString(text, "$1."+long)
	}
	return text
}
