package examples_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/providers/schema"
)

// denial is a row of testdata/deny: something that must not be rendered.
type denial struct {
	address, path string
	when          *regexp.Regexp
	instead       string
	met           bool
}

func denials(t *testing.T, provider string) []*denial {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "deny", provider+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*denial
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "#") || cells[0] == "address":
		case len(cells) != 4:
			t.Fatalf("a row has four cells: %q", line)
		default:
			out = append(out, &denial{address: cells[0], path: cells[1], when: regexp.MustCompile(cells[2]), instead: cells[3]})
		}
	}
	return out
}

// denied says what of the blocks is denied, by the list or by the schema.
func denied(b blocks, list []*denial, provider *schema.Provider) []string {
	var out []string
	say := func(at, why string) { out = append(out, at+": "+why) }
	for address, found := range b {
		kind, described := describedBy(address, provider)
		if kind == "" {
			continue
		}
		for _, block := range found {
			var walk func(body *hclsyntax.Body, at string, s *schema.Block)
			check := func(at, text string) {
				for _, d := range list {
					if matches(d.address, kind) && matches(d.path, at) && d.when.MatchString(text) {
						d.met = true
						say(strings.TrimSuffix(address+"."+at, "."), "instead: "+d.instead)
					}
				}
			}
			walk = func(body *hclsyntax.Body, at string, s *schema.Block) {
				for name, attr := range body.Attributes {
					check(join(at, name), squeeze(string(attr.Expr.Range().SliceBytes(block.file.Data))))
					if s != nil && s.Attributes[name] != nil && s.Attributes[name].Deprecated {
						say(address+"."+join(at, name), "deprecated")
					}
				}
				for _, inner := range body.Blocks {
					name, content := inner.Type, inner.Body
					if name == "dynamic" {
						name, content = inner.Labels[0], inner.Body.Blocks[0].Body
					}
					check(join(at, name), "")
					var below *schema.Block
					if s != nil && s.Blocks[name] != nil {
						below = s.Blocks[name].Block
						if below.Deprecated {
							say(address+"."+join(at, name), "deprecated")
						}
					}
					walk(content, join(at, name), below)
				}
			}
			check("", "")
			if described != nil && described.Deprecated {
				say(address, "deprecated")
			}
			walk(block.Body, "", described)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// describedBy gives what a list of denials calls a block, and its schema.
func describedBy(address string, provider *schema.Provider) (string, *schema.Block) {
	words := strings.Split(address, ".")
	switch {
	case words[0] == "data":
		s, _ := provider.DataSource(words[1])
		return "data." + words[1], s
	case words[0] == "provider":
		return address, provider.ProviderConfig()
	case strings.HasPrefix(words[0], provider.Name()+"_"):
		s, _ := provider.Resource(words[0])
		return words[0], s
	}
	return "", nil
}

func join(at, name string) string { return strings.TrimPrefix(at+"."+name, ".") }

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// providersOfClouds names the provider of each target that renders Terraform.
var providersOfClouds = map[string]string{"aws": "aws", "gcp": "google"}

// checkDenied requires that nothing denied for a provider is among the blocks.
func checkDenied(t *testing.T, b blocks, providerName string) {
	t.Helper()
	provider, err := schema.Open(providerName)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range denied(b, denials(t, providerName), provider) {
		t.Error(d)
	}
}

// TestNothingDenied walks everything that the examples render for the clouds;
// TestRandomBlueprints does so for random blueprints.
func TestNothingDenied(t *testing.T) {
	for target, least := range map[string]int{"aws": 100, "gcp": 70} {
		t.Run(target, func(t *testing.T) {
			types := map[string]bool{}
			for _, name := range examples(t) {
				for _, root := range renderedFor(t, name, target) {
					b := blocksOf(t, root.Result)
					for address := range b {
						kind, _, _ := strings.Cut(address, ".")
						types[kind] = true
					}
					t.Run(name, func(t *testing.T) { checkDenied(t, b, providersOfClouds[target]) })
				}
			}
			if len(types) < least {
				t.Errorf("only %d types of blocks were looked at", len(types))
			}
		})
	}
}

// TestDenialsAreMet requires that each row of the list catches what it speaks of.
func TestDenialsAreMet(t *testing.T) {
	for _, name := range providersOfClouds {
		denialsAreMet(t, name)
	}
}

func denialsAreMet(t *testing.T, providerName string) {
	provider, err := schema.Open(providerName)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range denials(t, providerName) {
		if !strings.HasPrefix(d.address, "data.") && !strings.HasPrefix(d.address, "provider.") && !strings.Contains(d.address, "*") && d.path != "" {
			if _, known := provider.Resource(d.address); !known {
				t.Errorf("%s: the provider has no such type", d.address)
			}
		}
		text := denying(d)
		b := blocksOf(t, result("main.tf", text))
		if denied(b, []*denial{d}, provider); !d.met {
			t.Errorf("%s.%s is not caught in\n%s", d.address, d.path, text)
		}
	}
}

// denying writes a block that holds what a row denies.
func denying(d *denial) string {
	kind, address := "resource", strings.ReplaceAll(d.address, "*", "x")
	labels := fmt.Sprintf("%q \"x\"", address)
	if rest, ok := strings.CutPrefix(address, "data."); ok {
		kind, labels = "data", fmt.Sprintf("%q \"x\"", rest)
	}
	if rest, ok := strings.CutPrefix(address, "provider."); ok {
		kind, labels = "provider", fmt.Sprintf("%q", rest)
	}
	value := "null"
	for _, v := range []string{"1", `"off"`} {
		if d.when.String() != "" && d.when.MatchString(v) {
			value = v
		}
	}
	body := ""
	if d.path != "" {
		words := strings.Split(strings.ReplaceAll(d.path, "*", "x_"), ".")
		body = words[len(words)-1] + " = " + value
		for i := len(words) - 2; i >= 0; i-- {
			body = words[i] + " {\n" + body + "\n}"
		}
	}
	return fmt.Sprintf("%s %s {\n%s\n}\n", kind, labels, body)
}
