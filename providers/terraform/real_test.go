//go:build unix

package terraform

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// requireTool skips the test where neither program is installed, or fails it
// where SCAFFOLD_REQUIRE_TOOLS=1 says that they must be.
func requireTool(t *testing.T) {
	t.Helper()
	_, err := Find("")
	if err == nil {
		return
	}
	if os.Getenv("SCAFFOLD_REQUIRE_TOOLS") == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
}

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// root is a module that needs no provider but the built-in one.
const root = `
variable "word" {
  default = "hello"
}
resource "terraform_data" "this" {
  input = var.word
}
output "word" {
  value = terraform_data.this.output
}
output "secret" {
  value     = "hush"
  sensitive = true
}
`

func TestRealRoundTrip(t *testing.T) {
	requireTool(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": root})
	var progress bytes.Buffer
	c, err := New(dir, Options{Progress: &progress})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	planned := filepath.Join(t.TempDir(), "plan")
	expectPlan(t, c, PlanOptions{Out: planned}, StatusChanges)
	if err := c.Apply(ctx, planned, Variables{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"will be created", "Apply complete"} {
		if !strings.Contains(progress.String(), want) {
			t.Errorf("the progress does not have %q:\n%s", want, progress.String())
		}
	}
	progress.Reset()
	out, err := c.Output(ctx)
	if err != nil || string(out["word"].Value) != `"hello"` || !out["secret"].Sensitive {
		t.Errorf("got %v, %v", out, err)
	}
	if progress.Len() > 0 {
		t.Errorf("outputs went to the progress:\n%s", progress.String())
	}
	expectPlan(t, c, PlanOptions{}, StatusNoChanges)
	if strings.Contains(progress.String(), "Initializing") || strings.Contains(progress.String(), "format_version") {
		t.Errorf("a second run is noisy:\n%s", progress.String())
	}
	expectPlan(t, c, PlanOptions{Variables: Variables{Set: []string{"word=other"}}}, StatusChanges)
	expectPlan(t, c, PlanOptions{Destroy: true}, StatusChanges)
	if err := c.Destroy(ctx, Variables{}); err != nil {
		t.Fatal(err)
	}
	if out, err := c.Output(ctx); err != nil || len(out) > 0 {
		t.Errorf("after destroy: %v, %v", out, err)
	}
}

func expectPlan(t *testing.T, c Runner, opts PlanOptions, want int) {
	t.Helper()
	changes, err := c.Plan(context.Background(), opts)
	if got := PlanStatus(changes, err); got != want {
		t.Fatalf("plan ended with %d, want %d: %v", got, want, err)
	}
}

func TestRealInitAgainWhenDue(t *testing.T) {
	requireTool(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": root})
	var progress bytes.Buffer
	c, err := New(dir, Options{Progress: &progress})
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name  string
		files map[string]string
		due   bool
	}{
		{"first", nil, true},
		{"nothing new", nil, false},
		{"another resource", map[string]string{"more.tf": `resource "terraform_data" "more" {}`}, false},
		{"a module", map[string]string{"m/m.tf": "", "use.tf": `module "m" { source = "./m" }`}, true},
		{"a lock file", map[string]string{lockFile: "# a comment\n"}, true},
		{"nothing new again", nil, false},
	}
	for _, s := range steps {
		put(t, dir, s.files)
		progress.Reset()
		if _, err := c.Plan(context.Background(), PlanOptions{}); err != nil {
			t.Fatalf("%s: %v\n%s", s.name, err, progress.String())
		}
		if got := strings.Contains(progress.String(), "Initializing"); got != s.due {
			t.Errorf("%s: initialised is %t", s.name, got)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, ".terraform")); err != nil {
		t.Fatal(err)
	}
	progress.Reset()
	if _, err := c.Plan(context.Background(), PlanOptions{}); err != nil || !strings.Contains(progress.String(), "Initializing") {
		t.Errorf("not initialised after the folder went: %v", err)
	}
}

func TestRealValidate(t *testing.T) {
	requireTool(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": root + "output \"bad\" {\n  value = terraform_data.nope.id\n}\n"})
	c, err := New(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	diags, err := c.Validate(context.Background())
	if err != nil || len(diags) != 1 || !diags.HasErrors() {
		t.Fatalf("got %v, %v", diags, err)
	}
	at := diags[0].Subject
	if at == nil || at.Filename != filepath.Join(dir, "main.tf") || at.Start.Line != 16 || at.Start.Column != 11 {
		t.Errorf("at %v", at)
	}
	put(t, dir, map[string]string{"main.tf": root})
	if diags, err := c.Validate(context.Background()); err != nil || len(diags) > 0 {
		t.Errorf("got %v, %v", diags, err)
	}
}

func TestRealFailure(t *testing.T) {
	requireTool(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": `output "bad" { value = nope.nope.id }`})
	for _, progress := range []*bytes.Buffer{nil, {}} {
		opts := Options{}
		if progress != nil {
			opts.Progress = progress
		}
		c, err := New(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := c.Plan(context.Background(), PlanOptions{})
		var failed *CommandError
		if !errors.As(err, &failed) || PlanStatus(changes, err) != 1 || !strings.Contains(failed.Stderr, "Reference to undeclared resource") {
			t.Fatalf("got %v", err)
		}
		told := strings.Contains(err.Error(), "Reference to undeclared resource")
		if told == (progress != nil) {
			t.Errorf("with progress %t the message is %v", progress != nil, err)
		}
		if progress != nil && strings.Count(progress.String(), "Reference to undeclared resource") != 1 {
			t.Errorf("progress:\n%s", progress.String())
		}
	}
}

// TestRealCancel interrupts an apply that has created one thing. The state
// must have it.
func TestRealCancel(t *testing.T) {
	requireTool(t)
	if _, err := exec.LookPath("sleep"); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": `
resource "terraform_data" "first" { input = 1 }
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "sleep 3" }
}
`})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	progress := &watcher{until: "terraform_data.slow: Creating...", then: cancel}
	c, err := New(dir, Options{Progress: progress})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Apply(ctx, "", Variables{})
	if !errors.Is(err, context.Canceled) || Status(err) == 0 {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(progress.String(), "Interrupt received") {
		t.Errorf("progress:\n%s", progress.String())
	}
	if state, err := os.ReadFile(filepath.Join(dir, "terraform.tfstate")); err != nil || !strings.Contains(string(state), `"first"`) {
		t.Errorf("the state was lost: %v\n%s", err, state)
	}
}

func TestWorkspaceVariable(t *testing.T) {
	requireTool(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": root})
	c, err := New(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TF_WORKSPACE", "other")
	var refused *WorkspaceError
	if _, err := c.Plan(context.Background(), PlanOptions{}); !errors.As(err, &refused) || refused.Selected != "default" {
		t.Errorf("got %v", err)
	}
	t.Setenv("TF_WORKSPACE", "default")
	expectPlan(t, c, PlanOptions{}, StatusChanges)
}

func TestEnvironmentGoesThrough(t *testing.T) {
	requireTool(t)
	dir := t.TempDir()
	put(t, dir, map[string]string{"main.tf": root})
	c, err := New(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TF_VAR_word", "from the environment")
	t.Setenv("TF_DATA_DIR", ".data")
	if err := c.Apply(context.Background(), "", Variables{}); err != nil {
		t.Fatal(err)
	}
	out, err := c.Output(context.Background())
	if err != nil || string(out["word"].Value) != `"from the environment"` {
		t.Errorf("got %s, %v", out["word"].Value, err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".data", stampFile)); err != nil {
		t.Error(err)
	}
}
