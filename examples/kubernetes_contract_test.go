package examples_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"scaffold/cmd/project"
	"scaffold/providers/kubernetes"
	"scaffold/providers/kubernetes/controlplane"
	"scaffold/render"
)

// The manifests of a cloud's cluster name what only Terraform knows. The README
// beside them has one command that takes it over from Terraform's outputs. These
// tests run it as it stands there, with a terraform that puts out what the
// rendered root would.

// contracts are the examples with a cluster in a cloud, and one of their own with
// every way that a program can be told where its data is.
func contracts(t *testing.T) map[string]string {
	folders := map[string]string{"every-kind": filepath.Join("testdata", "contract")}
	for _, name := range examples(t) {
		if depth() == "quick" && name != quick[0] {
			continue
		}
		folders[name] = name
	}
	return folders
}

func TestContract(t *testing.T) {
	for name, folder := range contracts(t) {
		for _, root := range rendered(t, folder) {
			if _, ok := root.Result.Files["manifests/infrastructure.jq"]; !ok {
				continue
			}
			t.Run(filepath.Join(name, root.Folder), func(t *testing.T) {
				c := newContract(t, root)
				t.Run("kept", c.kept)
				t.Run("broken", c.broken)
				t.Run("applied", c.applied)
			})
		}
	}
}

// contract is one rendered root, written down.
type contract struct {
	root    *project.Root
	dir     string
	outputs map[string]any // as terraform output -json has them
	command string         // of the README
}

func newContract(t *testing.T, root *project.Root) *contract {
	for _, program := range []string{"jq", "kubectl"} {
		_, err := exec.LookPath(program)
		require(t, err == nil, program)
	}
	c := &contract{root: root, dir: t.TempDir(), outputs: map[string]any{}}
	write(t, c.dir, root, "")
	for name, f := range root.Result.Files {
		if filepath.Dir(name) == "." && filepath.Ext(name) == ".tf" {
			c.read(t, name, f)
		}
	}
	readme := string(root.Result.Files["manifests/README.md"].Data)
	_, rest, _ := strings.Cut(readme, "```sh\n")
	c.command, _, _ = strings.Cut(rest, "\n```")
	if !strings.HasPrefix(c.command, "terraform output -json |") {
		t.Fatalf("the first command of the README is %q", c.command)
	}
	return c
}

// read makes up a value for each output of a file.
func (c *contract) read(t *testing.T, name string, f *render.File) {
	file, diags := hclparse.NewParser().ParseHCL(f.Data, name)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if block.Type == "output" {
			label := block.Labels[0]
			c.outputs[label] = map[string]any{"sensitive": false, "value": madeUp(t, label, block.Body.Attributes["value"].Expr)}
		}
	}
}

// madeUp is a value of the shape of an expression: what is written out stays, and
// what Terraform would look up is a text.
func madeUp(t *testing.T, name string, expr hclsyntax.Expression) any {
	if object, ok := expr.(*hclsyntax.ObjectConsExpr); ok {
		value := map[string]any{}
		for _, item := range object.Items {
			key := hcl.ExprAsKeyword(item.KeyExpr)
			value[key] = madeUp(t, name+"-"+key, item.ValueExpr)
		}
		return value
	}
	if v, diags := expr.Value(nil); !diags.HasErrors() && v.IsWhollyKnown() && v.Type() != cty.DynamicPseudoType {
		text, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			t.Fatal(err)
		}
		return json.RawMessage(text)
	}
	return "made/up:" + name
}

// run executes the command of the README. The environment decides which
// programs it finds.
func (c *contract) run(t *testing.T, outputs map[string]any, env ...string) (string, error) {
	t.Helper()
	text, err := json.Marshal(outputs)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for name, script := range map[string]string{
		"terraform": "#!/bin/sh\n[ \"$*\" = \"output -json\" ] && cat " + filepath.Join(bin, "outputs.json") + "\n",
		"kubectl":   "#!/bin/sh\necho kubectl \"$@\"\n",
	} {
		if name == "kubectl" && len(env) > 0 {
			continue // the real one
		}
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "outputs.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", c.command)
	cmd.Dir = c.dir
	cmd.Env = append(append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH")), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

var environmentFile = filepath.Join("manifests", "infrastructure.env")

// kept: all that the manifests read is there, and every reference of what
// kustomize builds of them has its object.
func (c *contract) kept(t *testing.T) {
	if out, err := c.run(t, c.outputs); err != nil || !strings.HasPrefix(out, "kubectl ") {
		t.Fatalf("%v\n%s", err, out)
	}
	env, err := os.ReadFile(filepath.Join(c.dir, environmentFile))
	if err != nil {
		t.Fatal(err)
	}
	built := build(t, filepath.Join(c.dir, "manifests"))
	for line := range strings.Lines(string(env)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !strings.Contains(string(built), value) {
			t.Errorf("%s is not in the manifests", key)
		}
		// Where a value belongs, its name stood before.
		if regexp.MustCompile(`(?m): ` + key + `$`).Match(regexp.MustCompile(`(?m)^ +key: .*\n +name: infrastructure.*$`).ReplaceAll(built, nil)) {
			t.Errorf("%s stands where its value should", key)
		}
	}
	used := regexp.MustCompile(`(?m)^ +key: (\S+)\n +name: infrastructure`).FindAllSubmatch(built, -1)
	for _, m := range used {
		if !bytes.Contains(env, append([]byte("\n"), append(m[1], '=')...)) && !bytes.HasPrefix(env, append(m[1], '=')) {
			t.Errorf("pods read %s, which is not in %s", m[1], environmentFile)
		}
	}
	// Now nothing is provided elsewhere any more.
	alone := bytes.ReplaceAll(built, []byte("scaffold/provided-elsewhere: ConfigMap/infrastructure"), []byte("scaffold/provided-elsewhere: nothing"))
	schemas, err := kubernetes.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range schemas.CheckTree(map[string][]byte{"built.yaml": alone}) {
		t.Error(d)
	}
}

// broken: an output that is missing, null or no text is said, and nothing is
// applied.
func (c *contract) broken(t *testing.T) {
	program := c.root.Result.Files["manifests/infrastructure.jq"].Data
	for _, m := range regexp.MustCompile(`(\w+): \(?\.(\w+)\.value\.(\w+)`).FindAllSubmatch(program, -1) {
		key, output, field := string(m[1]), string(m[2]), string(m[3])
		for what, value := range map[string]any{"null": nil, "a list": []any{"x"}, "two lines": "a\nb"} {
			c.refuse(t, key+": "+what, c.with(t, output, map[string]any{field: value}))
		}
		without := map[string]any{}
		for name, value := range c.outputs {
			if name != output {
				without[name] = value
			}
		}
		c.refuse(t, key+": no output", without)
	}
	if out, err := c.run(t, nil); err == nil {
		t.Errorf("no outputs at all are taken: %s", out)
	}
	script := c.command
	c.command = strings.Replace(script, "terraform output -json", "false", 1)
	if out, err := c.run(t, c.outputs); err == nil {
		t.Errorf("that terraform failed is not noticed: %s", out)
	}
	c.command = script
}

// with is the outputs with other fields in one of them.
func (c *contract) with(t *testing.T, output string, fields map[string]any) map[string]any {
	t.Helper()
	changed := map[string]any{}
	for name, value := range c.outputs {
		changed[name] = value
	}
	value := map[string]any{}
	for name, v := range c.outputs[output].(map[string]any)["value"].(map[string]any) {
		value[name] = v
	}
	for name, v := range fields {
		value[name] = v
	}
	changed[output] = map[string]any{"value": value}
	return changed
}

func (c *contract) refuse(t *testing.T, what string, outputs map[string]any) {
	t.Helper()
	out, err := c.run(t, outputs)
	if err == nil || strings.Contains(out, "kubectl") {
		t.Errorf("%s is taken: %s", what, out)
	}
	if !strings.Contains(out, "Terraform puts out no ") {
		t.Errorf("%s: this does not say what is missing: %s", what, out)
	}
	if env, err := os.ReadFile(filepath.Join(c.dir, environmentFile)); err != nil || len(env) > 0 {
		t.Errorf("%s: half of it was written: %q %v", what, env, err)
	}
}

// applied: the same command against a real API server.
func (c *contract) applied(t *testing.T) {
	cluster := controlplane.Start(t)
	dir := writeManifests(t, c.root, "manifests/")
	cluster.Install(t, dir)
	out, err := c.run(t, c.outputs, "KUBECONFIG="+cluster.Kubeconfig)
	defer cluster.Remove(t, dir)
	if err != nil || strings.Contains(out, "Warning") || !strings.Contains(out, "configmap/infrastructure-") {
		t.Fatalf("%v\n%s", err, out)
	}
	again, err := c.run(t, c.outputs, "KUBECONFIG="+cluster.Kubeconfig)
	if err != nil {
		t.Fatalf("%v\n%s", err, again)
	}
	// kubectl says "configured" where the server has filled in what a list leaves out.
	if strings.Contains(again, " created") || !regexp.MustCompile(`configmap/infrastructure-\S+ unchanged`).MatchString(again) {
		t.Errorf("applied again: %s", again)
	}
}
