package examples_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"scaffold/blueprints"
	"scaffold/blueprints/value"
	"scaffold/cmd/project"
)

// exposedBase has a hole for what is exposed, and an environment for another
// value of it.
const exposedBase = `blueprint "shop" {
  expose = [%s]
}

target %q {
  region = %q
}

database "orders" {
  read_replicas {}
}

cache "sessions" {
  redis_cluster {}
}

service "web" {
  image = "ghcr.io/acme/web:1.4.2"
  port  = 8080
  needs = [database.orders, cache.sessions]
  pool  = 5
  auto_scaling_group {
    max = 9
  }
  elastic_load_balancing {}
}

environment "test" {
%s}
`

// TestExposedAlone exposes every input of a blueprint in turn, and renders it
// with its value and with another one. Where a variable is granted, its default
// must be all that differs: nothing else may follow the value, for nothing would
// follow the variable. And the variable set to the other value must give what is
// rendered with that value and without a variable. Where there is no variable for want of a use, nothing may
// differ at all.
func TestExposedAlone(t *testing.T) {
	for target, region := range map[string]string{"aws": "eu-west-1", "gcp": "europe-west1"} {
		granted, compared := 0, 0
		for n, in := range inputPaths(t, target, region) {
			if depth() == "quick" && n%3 != 0 {
				continue
			}
			first, diags := renderText(t, fmt.Sprintf(exposedBase, in.path, target, region, ""), "test", target)
			if diags.HasErrors() {
				continue // refused, as TestExposed of the command shows
			}
			second, diags := renderText(t, fmt.Sprintf(exposedBase, in.path, target, region, in.elsewhere()), "test", target)
			if diags.HasErrors() {
				continue // the other value breaks a rule or a range
			}
			differs := differences(first[0], second[0])
			if files(first[0])["variables.tf"] == "" {
				if len(differs) > 0 {
					t.Errorf("%s is said to have no use for %s, but these follow it:\n%s", in.path, target, strings.Join(differs, "\n"))
				}
				continue
			}
			granted++
			literal, diags := renderText(t, fmt.Sprintf(exposedBase, "", target, region, in.elsewhere()), "test", target)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			compared += sameValues(t, in.path, second[0], literal[0])
			if len(differs) != 1 || !strings.HasPrefix(differs[0], "variables.tf: ") || !strings.Contains(differs[0], "  default ") {
				t.Errorf("%s is a variable for %s, but these follow the value:\n%s", in.path, target, strings.Join(differs, "\n"))
			}
		}
		if granted < 4 || compared < granted {
			t.Errorf("for %s %d variables were granted and %d values compared, so little was looked at", target, granted, compared)
		}
	}
}

// sameValues requires of the arguments in which a variable stands that they have
// the value of those without one, and counts them.
func sameValues(t *testing.T, path string, exposed, literal *project.Root) int {
	t.Helper()
	_, name, _ := strings.Cut(path, ".")
	ctx := &hcl.EvalContext{Functions: value.Functions(), Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{
		strings.NewReplacer("-", "_", ".", "_").Replace(name): exposed.Model.Find(path).Value(),
	})}}
	compared := 0
	for file, f := range literal.Result.Files {
		if f.Body == nil {
			continue
		}
		with := exposed.Result.Files[file]
		pairs(t, with.Body, f.Body, func(a, b *hclsyntax.Attribute) {
			one, two := a.Expr.Range().SliceBytes(with.Data), b.Expr.Range().SliceBytes(f.Data)
			if string(one) == string(two) {
				return
			}
			want, diags := b.Expr.Value(ctx)
			if diags.HasErrors() {
				return // something that only Terraform knows is in it too
			}
			compared++
			got, diags := a.Expr.Value(ctx)
			if text, err := convert.Convert(got, want.Type()); diags.HasErrors() || err != nil || !text.RawEquals(want) {
				t.Errorf("%s: in %s, %s gives %#v instead of %s %v", path, file, one, got, two, diags)
			}
		})
	}
	return compared
}

// pairs walks two bodies of one shape.
func pairs(t *testing.T, a, b *hclsyntax.Body, do func(a, b *hclsyntax.Attribute)) {
	t.Helper()
	if len(a.Blocks) != len(b.Blocks) || len(a.Attributes) != len(b.Attributes) {
		t.Fatalf("%s and %s differ in shape", a.SrcRange, b.SrcRange)
	}
	for name, attr := range a.Attributes {
		do(attr, b.Attributes[name])
	}
	for i, block := range a.Blocks {
		pairs(t, block.Body, b.Blocks[i].Body, do)
	}
}

// inputPath is an input of a blueprint, and another value for it.
type inputPath struct{ path, other string }

// elsewhere is the block of an environment that gives the other value.
func (in inputPath) elsewhere() string {
	words := strings.Split(in.path, ".")
	text := fmt.Sprintf("%s = %s\n", words[len(words)-1], in.other)
	for i := len(words) - 2; i > 1; i-- {
		text = words[i] + " {\n" + text + "}\n"
	}
	return fmt.Sprintf("%s %q {\n%s}\n", words[0], words[1], text)
}

func inputPaths(t *testing.T, target, region string) []inputPath {
	t.Helper()
	roots, diags := renderText(t, fmt.Sprintf(exposedBase, "", target, region, ""), "test", target)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var out []inputPath
	for _, c := range roots[0].Model.Components {
		for _, inst := range append([]*blueprints.Instance{c}, c.Patterns...) {
			for _, in := range inst.Definition.Inputs {
				if other := otherThan(in, inst.Attr(in.Name).Value()); other != "" {
					out = append(out, inputPath{inst.Path + "." + in.Name, other})
				}
			}
		}
	}
	return out
}

// otherThan writes a value that an input takes too, or nothing.
func otherThan(in *blueprints.Input, v cty.Value) string {
	switch {
	case v.IsNull() || !v.Type().IsPrimitiveType():
		return ""
	case in.OneOf != nil:
		for _, choice := range in.OneOf {
			if !choice.RawEquals(v) {
				return inHCL(choice)
			}
		}
		return ""
	case v.Type() == cty.Bool:
		return inHCL(v.Not())
	case v.Type() == cty.Number:
		next := v.Add(cty.NumberIntVal(1))
		if len(in.Range) == 2 && !in.Range[1].IsNull() && next.GreaterThan(in.Range[1]).True() {
			next = v.Subtract(cty.NumberIntVal(1))
		}
		switch in.Type.Name {
		case "duration":
			return fmt.Sprintf("%q", digits(next)+"s")
		case "bytes":
			return fmt.Sprintf("%q", digits(v.Multiply(cty.NumberIntVal(2)).Divide(cty.NumberIntVal(1<<20)))+"MiB")
		}
		return digits(next)
	}
	return inHCL(cty.StringVal(v.AsString() + "x"))
}

func digits(v cty.Value) string { return v.AsBigFloat().Text('f', -1) }

func inHCL(v cty.Value) string {
	switch v.Type() {
	case cty.Bool:
		return fmt.Sprint(v.True())
	case cty.Number:
		return digits(v)
	}
	return fmt.Sprintf("%q", v.AsString())
}

func files(root *project.Root) map[string]string {
	out := map[string]string{}
	for name, f := range root.Result.Files {
		out[name] = string(f.Data)
	}
	return out
}

// differences are the lines that differ.
func differences(a, b *project.Root) []string {
	var out []string
	left, right := files(a), files(b)
	for name := range right {
		if _, ok := left[name]; !ok {
			out = append(out, name+": there is one")
		}
	}
	for name, text := range left {
		old, now := strings.Split(text, "\n"), strings.Split(right[name], "\n")
		for i := range max(len(old), len(now)) {
			var x, y string
			if i < len(old) {
				x = old[i]
			}
			if i < len(now) {
				y = now[i]
			}
			if x != y {
				out = append(out, fmt.Sprintf("%s: %s | %s", name, x, y))
			}
		}
	}
	return out
}

// TestTerraformTakesExposed runs the real terraform on a root with variables for
// texts, numbers and truth values, and sets them: the plan shows the value, and
// what a rule or a range refuses is refused.
func TestTerraformTakesExposed(t *testing.T) {
	program, err := exec.LookPath("terraform")
	require(t, err == nil, "terraform")
	exposed := strings.Join([]string{
		"database.orders.backup_days", "database.orders.deletion_protection", "database.orders.read_replicas.warn_lag",
		"service.web.health_path", "service.web.auto_scaling_group.max", "service.web.auto_scaling_group.target_cpu", "service.web.elastic_load_balancing.unhealthy_after",
	}, ", ")
	roots, diags := renderText(t, fmt.Sprintf(exposedBase, exposed, "aws", "eu-west-1", ""), "test", "aws")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	tf := accept(t, program, roots[0].Result)
	plan := append([]string{"plan", "-input=false", "-no-color"}, tf.variables()...)
	before, now := tf.run(plan...), slices.Clone(plan)
	shows := map[string]string{
		"orders_backup_days=21":                        `backup_retention_period += 21`,
		"web_auto_scaling_group_max=12":                `max_size += 12`,
		"orders_deletion_protection=false":             `deletion_protection += false`,
		"orders_read_replicas_warn_lag=7.5":            `threshold += 7.5`,
		"web_health_path=/alive":                       `path += "/alive"`,
		"web_elastic_load_balancing_unhealthy_after=4": `unhealthy_threshold += 4`,
	}
	for set := range shows {
		now = append(now, "-var", set)
	}
	after := tf.run(now...)
	for set, line := range shows {
		if pattern := regexp.MustCompile(line); pattern.MatchString(before) || !pattern.MatchString(after) {
			t.Errorf("with %s alone the plan is to show %s", set, line)
		}
	}
	for _, refused := range []map[string]string{
		{"orders_backup_days=0": "database.backups", "web_auto_scaling_group_max=500": "database.connections", "orders_read_replicas_warn_lag=31": "read_replicas.warn_before_alarm", "web_health_path=alive": "a path that starts with /"},
		{"orders_backup_days=36": "at most 35"},
	} {
		args := slices.Clone(plan)
		for set := range refused {
			args = append(args, "-var", set)
		}
		cmd := exec.Command(program, args...)
		cmd.Dir = tf.dir
		out, err := cmd.CombinedOutput()
		said := strings.Join(strings.Fields(strings.ReplaceAll(string(out), "│", "")), " ")
		for set, says := range refused {
			if err == nil || !strings.Contains(said, says) {
				t.Errorf("%s: %v, and nothing of %q:\n%s", set, err, says, said)
			}
		}
	}
}
