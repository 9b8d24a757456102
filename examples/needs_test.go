package examples_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// TestNeedsAreTheOnlyWays requires that the security groups of different
// components are joined exactly where the blueprint says that one needs the
// other; TestRandomBlueprints does so for random blueprints.
func TestNeedsAreTheOnlyWays(t *testing.T) {
	joined := 0
	for _, name := range append(examples(t), rest) {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(name, "scaffold.hcl"))
			if err != nil {
				t.Fatal(err)
			}
			for _, root := range renderedFor(t, name, "aws") {
				joined += checkNeeds(t, blocksOf(t, root.Result), string(text))
			}
		})
	}
	if joined < 20 {
		t.Errorf("only %d needs were looked at", joined)
	}
}

// checkNeeds gives how many needs have a way.
func checkNeeds(t *testing.T, b blocks, text string) int {
	t.Helper()
	needs, components := needsOf(t, text)
	ways := map[string]bool{}
	for _, e := range rules(b, "aws_vpc_security_group_egress_rule") {
		from, to := componentOf(e.from, components), componentOf(e.to, components)
		if from == "" || to == "" || from == to {
			continue
		}
		ways[from+" "+to] = true
		if !slices.Contains(needs[from], to) {
			t.Errorf("%s may reach %s, which it does not need", from, to)
		}
	}
	joined := 0
	for from, list := range needs {
		for _, to := range list {
			// Services may be reached by a name of their own, through their balancer.
			if components[to] != "service" && !ways[from+" "+to] {
				t.Errorf("%s needs %s and may not reach it", from, to)
			} else if components[to] != "service" {
				joined++
			}
		}
	}
	return joined
}

// needsOf reads what each service on instances needs, and the kinds of all
// components, by the names that they have in addresses.
func needsOf(t *testing.T, text string) (needs map[string][]string, kinds map[string]string) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "scaffold.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	needs, kinds = map[string][]string{}, map[string]string{}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if len(block.Labels) != 1 || block.Type == "target" || block.Type == "environment" || block.Type == "variable" {
			continue
		}
		name := strings.ReplaceAll(block.Labels[0], "-", "_")
		kinds[name] = block.Type
		attr := block.Body.Attributes["needs"]
		if attr == nil || block.Body.Attributes["runs_on"] != nil {
			continue
		}
		for _, reference := range attr.Expr.Variables() {
			if step, ok := reference[1].(hcl.TraverseAttr); ok {
				needs[name] = append(needs[name], strings.ReplaceAll(step.Name, "-", "_"))
			}
		}
	}
	return needs, kinds
}

// componentOf gives the component that a security group belongs to: the one with
// the longest name that its own begins with.
func componentOf(group string, components map[string]string) string {
	label, ok := strings.CutPrefix(group, "aws_security_group.")
	if !ok {
		return ""
	}
	longest := ""
	for name := range components {
		if (label == name || strings.HasPrefix(label, fmt.Sprint(name, "_"))) && len(name) > len(longest) {
			longest = name
		}
	}
	return longest
}
