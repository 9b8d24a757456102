package value_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/blueprints/value"
)

// evaluate gives the value of an expression as JSON, in which Terraform prints
// every value on one line; "(error)" where it has none.
func evaluate(t *testing.T, text string) string {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte("jsonencode("+text+")"), "", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", text, diags)
	}
	v, diags := expr.Value(&hcl.EvalContext{Functions: value.Functions()})
	if diags.HasErrors() {
		return "(error)"
	}
	if v.ContainsMarked() {
		v, _ = v.UnmarkDeep()
	}
	return v.AsString()
}

// terraformCases are expressions over every function that Terraform has too.
var terraformCases = []string{
	`abs(-3.5)`, `alltrue([true, "true"])`, `alltrue([])`, `alltrue([true, false])`, `anytrue([])`, `anytrue([false, true])`,
	`base64decode("aGk=")`, `base64decode("!")`, `base64encode("hí")`, `base64sha256("x")`, `can(1 / "a")`, `ceil(1.2)`, `chomp("a\n\n")`,
	`chunklist([1, 2, 3], 2)`, `cidrhost("10.0.0.0/16", 5)`, `cidrhost("10.0.0.0/16", -1)`, `cidrhost("fd00::/64", 16)`, `cidrnetmask("10.0.0.0/12")`, `cidrnetmask("fd00::/64")`,
	`cidrsubnet("10.0.0.0/16", 8, 3)`, `cidrsubnet("10.0.0.0/16", 20, 3)`, `cidrsubnets("10.0.0.0/16", 4, 8, 4)`, `cidrsubnets("10.0.0.0/30", 2, 2, 2, 2, 2)`,
	`coalesce("", "a")`, `coalesce(null, 2)`, `coalesce(null, "")`, `coalesce(1, "a")`, `coalescelist([], ["a"])`, `compact(["a", "", "b"])`, `concat([1], ["a"])`, `contains(["a"], "a")`, `csvdecode("a,b\n1,2")`,
	`distinct([1, 1, 2])`, `element(["a", "b"], 3)`, `endswith("abc", "c")`, `flatten([[1], [[2]]])`, `floor(-1.5)`, `format("%03d %s %v %q", 7, "a", [1], "b\"")`,
	`formatdate("YYYY-MM-DD", "2024-02-03T04:05:06Z")`, `formatlist("%s!", ["a", "b"])`, `indent(2, "a\nb")`, `index(["a", "b"], "b")`, `index(["a"], "c")`, `join("-", ["a", "b"])`,
	`jsondecode("{\"a\":[1,null]}")`, `jsonencode({ a = "<&>" })`, `keys({ b = 1, a = 2 })`, `length("né💥")`, `length({ a = 1 })`, `length([])`, `length(5)`, `log(8, 2)`, `lookup({ a = 1 }, "b", 2)`,
	`lower("ÄB")`, `matchkeys(["x", "y"], ["a", "b"], ["b"])`, `matchkeys(["x"], ["a"], [])`, `max(1, 3, 2)`, `md5("x")`, `merge({ a = 1 }, { a = 2, b = 3 })`, `merge()`, `min(1, -3)`, `one([])`, `one(["a"])`, `one(["a", "b"])`, `one(toset(["a"]))`,
	`parseint("ff", 16)`, `pow(2, 10)`, `range(3)`, `range(1, 10, 4)`, `regex("a(.)c", "abc")`, `regex("x", "abc")`, `regexall("[a-z]", "a1b")`, `replace("a.b", ".", "-")`, `replace("abc", "/(b)/", "[$1]")`, `replace("abc", "/(/", "")`, `reverse([1, 2])`,
	`setintersection(["a", "b"], ["b"])`, `setproduct(["a"], [1, 2])`, `setsubtract(["a", "b"], ["b"])`, `setunion(["a"], ["b"])`, `sha1("x")`, `sha256("x")`, `sha512("x")`, `signum(-7)`, `slice([1, 2, 3], 1, 2)`, `slice([1], 1, 4)`,
	`sort(["b", "a"])`, `split(",", "a,b")`, `startswith("abc", "ab")`, `strcontains("abc", "bc")`, `strrev("aé")`, `substr("hello", 1, 3)`, `substr("hello", -2, -1)`, `sum([1, 2.5])`, `sum(["1", 2])`, `sum(["a"])`,
	`timeadd("2024-01-01T00:00:00Z", "36h")`, `title("a b")`, `tobool("true")`, `tobool("x")`, `tolist(["a", 1])`, `tomap({ a = 1, b = "x" })`, `tonumber("1e3")`, `tonumber("x")`, `toset(["b", "a", "b"])`, `tostring(1.50)`, `tostring([1])`,
	`transpose({ a = ["x", "y"], b = ["y"] })`, `trim("--a-", "-")`, `trimprefix("abc", "a")`, `trimspace(" a\n")`, `trimsuffix("abc", "c")`, `try(tonumber("x"), 3)`, `upper("ß")`, `urlencode("a b/ü&")`, `values({ b = 1, a = 2 })`,
	`yamldecode("a: [1, yes, ~]")`, `yamlencode({ a = ["x", true] })`, `zipmap(["a"], [1])`,
}

// TestFunctionsAsTerraform holds every function against the real program.
func TestFunctionsAsTerraform(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("terraform")
	if err != nil {
		if os.Getenv("SCAFFOLD_REQUIRE_TOOLS") == "1" {
			t.Fatal("terraform is not on the PATH, and SCAFFOLD_REQUIRE_TOOLS asks for it")
		}
		t.Skip("terraform is not on the PATH")
	}
	// The console prints the last value only, so all are asked for in one.
	var parts []string
	for _, c := range terraformCases {
		parts = append(parts, `try(jsonencode(`+c+`), "(error)")`)
	}
	cmd := exec.Command(program, "console")
	cmd.Dir, cmd.Stdin = t.TempDir(), strings.NewReader("jsonencode(["+strings.Join(parts, ", ")+"])\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("terraform console: %v\n%s", err, out)
	}
	var text string
	var want []string
	if err := errors.Join(json.Unmarshal(out, &text), json.Unmarshal([]byte(text), &want)); err != nil || len(want) != len(terraformCases) {
		t.Fatalf("terraform answers %d of %d expressions: %v\n%s", len(want), len(terraformCases), err, out)
	}
	for i, c := range terraformCases {
		if got := evaluate(t, c); got != want[i] {
			t.Errorf("%s = %s, and terraform says %s", c, got, want[i])
		}
	}
}

// TestOwnFunctions holds those that Terraform does not have, and the one that
// differs on purpose.
func TestOwnFunctions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`sum([])`:      `0`,
		`duration(90)`: `"90s"`, `duration(0.8)`: `"800ms"`, `duration(0)`: `"0s"`, `duration(-1)`: `(error)`,
		`span(90)`: `"90s"`, `span(120)`: `"2m"`, `span(86400)`: `"1d"`, `span(0)`: `"0s"`, `span(0.025)`: `"25ms"`, `span(3600)`: `"1h"`,
		`seconds("2h")`: `7200`, `seconds(5)`: `5`, `seconds("5 min")`: `(error)`,
		`gib(4294967296)`: `4`, `mib(1048576)`: `1`,
		`quantity(4294967296)`: `"4Gi"`, `quantity(1500)`: `"1500"`, `quantity(0)`: `"0"`, `quantity(1.5)`: `(error)`,
		`shell("a b")`: `"'a b'"`, `shell("it's")`: `"'it'\\''s'"`, `shell("plain-1.2/x")`: `"plain-1.2/x"`, `shell("")`: `"''"`, `shell("-rf")`: `"'-rf'"`,
		`hash("x", 6)`: `"2d7116"`, `hash("x", 65)`: `(error)`, `shortname("short", 20)`: `"short"`,
		`length(shortname("a-very-long-name-indeed", 16))`: `16`, `shortname("x", 3)`: `(error)`,
		`fit([{ n = "s", cpu = 1 }, { n = "l", cpu = 4 }], { cpu = 2 }).n`: `"l"`,
		`fit([{ n = "s", cpu = 1 }], { cpu = 2 })`:                         `(error)`,
		`fit([{ n = "s", cpu = 1 }], { gpu = 2 })`:                         `(error)`,
		`fit([{ n = "s", cpu = 1 }], { cpu = null }).n`:                    `"s"`,
	} {
		if got := evaluate(t, text); got != want {
			t.Errorf("%s = %s, not %s", text, got, want)
		}
	}
}

// TestEveryFunctionIsTried fails for a function that no case above calls.
func TestEveryFunctionIsTried(t *testing.T) {
	t.Parallel()
	own := []string{"duration", "fit", "gib", "hash", "mib", "quantity", "seconds", "shell", "shortname", "span"}
	called := regexp.MustCompile(`[a-z0-9]+\(`).FindAllString(strings.Join(terraformCases, "\n"), -1)
	for _, name := range value.FunctionNames() {
		if !slices.Contains(own, name) && !slices.Contains(called, name+"(") {
			t.Errorf("%s is not held against terraform's", name)
		}
	}
	for _, name := range []string{"timestamp", "uuid", "file", "templatefile", "bcrypt", "pathexpand", "plantimestamp", "abspath"} {
		if value.Pure(name) {
			t.Errorf("%s reads the clock, the disk or chance", name)
		}
	}
}

func TestUnits(t *testing.T) {
	t.Parallel()
	type parse = func(string) (cty.Value, error)
	tests := []struct {
		parse parse
		text  string
		want  string // empty: refused
	}{
		{value.ParseDuration, "500ms", "0.5"},
		{value.ParseDuration, "30s", "30"},
		{value.ParseDuration, "1.5h", "5400"},
		{value.ParseDuration, "7d", "604800"},
		{value.ParseDuration, "0s", "0"},
		{value.ParseDuration, "30", ""},
		{value.ParseDuration, "30 s", ""},
		{value.ParseDuration, "-30s", ""},
		{value.ParseDuration, "1e3s", ""},
		{value.ParseDuration, ".5s", ""},
		{value.ParseDuration, "1.2.3s", ""},
		{value.ParseDuration, "5min", ""},
		{value.ParseDuration, "", ""},
		{value.ParseDuration, "1h30m", ""},
		{value.ParseBytes, "512MiB", "536870912"},
		{value.ParseBytes, "4GiB", "4294967296"},
		{value.ParseBytes, "200GB", "200000000000"},
		{value.ParseBytes, "1.5KiB", "1536"},
		{value.ParseBytes, "100B", "100"},
		{value.ParseBytes, "4Gi", ""},
		{value.ParseBytes, "4G", ""},
		{value.ParseBytes, "4gib", ""},
		{value.ParseBytes, "99999999999999999999GiB", ""},
		{value.ParsePercent, "55%", "55"},
		{value.ParsePercent, "12.5%", "12.5"},
		{value.ParsePercent, "55", ""},
		{value.ParsePercent, "%", ""},
	}
	for _, test := range tests {
		got, err := test.parse(test.text)
		switch {
		case err != nil && test.want != "":
			t.Errorf("%q is refused: %v", test.text, err)
		case err == nil && (test.want == "" || !got.RawEquals(cty.MustParseNumberVal(test.want))):
			t.Errorf("%q is %s, not %q", test.text, got.AsBigFloat(), test.want)
		}
	}
}
