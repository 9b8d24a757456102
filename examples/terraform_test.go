package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"scaffold/render"
)

// TestTerraform runs the real terraform with the real provider on every root
// for which a provider is at hand: format, validate without a warning, and plan
// with credentials that lead nowhere.
func TestTerraform(t *testing.T) {
	program, err := exec.LookPath("terraform")
	require(t, err == nil, "terraform")
	for _, name := range withRest(t) {
		t.Run(name, func(t *testing.T) {
			for _, root := range rendered(t, name) {
				if !hasConfig(root.Result) {
					continue
				}
				t.Run(root.Folder, func(t *testing.T) { accept(t, program, root.Result) })
			}
		})
	}
}

// TestTerraformOnRandomBlueprints runs the same on roots of random blueprints.
func TestTerraformOnRandomBlueprints(t *testing.T) {
	program, err := exec.LookPath("terraform")
	require(t, err == nil, "terraform")
	randomRoots(t, "aws", map[string]int{"quick": 1, "ci": 10, "all": 40}[depth()], func(t *testing.T, result *render.Result) {
		accept(t, program, result)
	})
}

// accept requires that terraform takes a root as it is.
func accept(t *testing.T, program string, result *render.Result) terraform {
	t.Helper()
	dir := t.TempDir()
	writeRoot(t, dir, result)
	tf := terraform{t, program, dir}
	tf.run("fmt", "-check", "-recursive", "-diff")
	providers := providersOf(result)
	mirror := mirrorWith(providers)
	if mirror == "" {
		t.Skipf("no mirror holds %s; SCAFFOLD_PLUGIN_DIR can name one", providers)
	}
	tf.run("init", "-input=false", "-backend=false", "-plugin-dir="+mirror)
	if out := tf.run("validate", "-no-color"); warns(out) {
		t.Errorf("validate warns:\n%s", out)
	}
	tf.override(false)
	tf.run("init", "-input=false", "-plugin-dir="+mirror)
	tf.run(append([]string{"plan", "-input=false", "-no-color"}, tf.variables()...)...)
	return tf
}

// warns reports whether terraform warns of anything but its own configuration
// file, which a machine may lack.
func warns(out string) bool {
	return strings.Count(out, "Warning:") > strings.Count(out, "Warning: Unable to open CLI configuration file")
}

type terraform struct {
	t       *testing.T
	program string
	dir     string
}

func (tf terraform) run(args ...string) string {
	tf.t.Helper()
	cmd := exec.Command(tf.program, args...)
	cmd.Dir = tf.dir
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_EC2_METADATA_DISABLED=true",
		"GOOGLE_OAUTH_ACCESS_TOKEN=fake", "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		tf.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, tail(string(out), 120))
	}
	return string(out)
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// override keeps the provider from asking whether the credentials are good, nor,
// where no one can answer, whose they are; and the state in the folder. Where
// someone answers, a request is sent again whose connection was lost.
func (tf terraform) override(answered bool) {
	tf.t.Helper()
	const text = `provider "aws" {
  skip_credentials_validation = true
  skip_requesting_account_id  = %t
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
  allowed_account_ids         = null
  max_retries                 = %d
}
`
	attempts := 1
	if answered {
		attempts = 5
	}
	provider := fmt.Sprintf(text, !answered, attempts)
	all := provider + "\nterraform {\n  backend \"local\" {}\n}\n"
	aliases := regexp.MustCompile(`alias\s+= "([a-z0-9_]+)"`)
	files, _ := filepath.Glob(filepath.Join(tf.dir, "*.tf"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tf.t.Fatal(err)
		}
		for _, m := range aliases.FindAllStringSubmatch(string(data), -1) {
			all += "\n" + strings.Replace(provider, "{", fmt.Sprintf("{\n  alias = %q", m[1]), 1)
		}
	}
	if err := os.WriteFile(filepath.Join(tf.dir, "test_override.tf"), []byte(all), 0o644); err != nil {
		tf.t.Fatal(err)
	}
}

// variables gives a value to every variable that has no default.
func (tf terraform) variables() []string {
	tf.t.Helper()
	const certificate = "123456789012:certificate/11111111-2222-3333-4444-555555555555"
	values := map[string]string{
		"image_id":             "ami-0123456789abcdef0",
		"certificate_arn":      "arn:aws:acm:eu-west-1:" + certificate,
		"edge_certificate_arn": "arn:aws:acm:us-east-1:" + certificate, // CloudFront takes no other
	}
	declared := regexp.MustCompile(`(?ms)^variable "([a-z0-9_]+)" \{(.*?)^\}`)
	given := regexp.MustCompile(`(?m)^  default\s+=`)
	var args []string
	files, _ := filepath.Glob(filepath.Join(tf.dir, "*.tf"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tf.t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(data), -1) {
			if given.MatchString(m[2]) {
				continue
			}
			value, ok := values[m[1]]
			if !ok {
				value = "example"
			}
			args = append(args, "-var", m[1]+"="+value)
		}
	}
	return args
}

func hasConfig(r *render.Result) bool {
	for _, f := range r.Files {
		if f.Form == render.Config {
			return true
		}
	}
	return false
}

func writeRoot(t testing.TB, dir string, r *render.Result) {
	t.Helper()
	for name, f := range r.Files {
		if f.Form == render.Object {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var providerSource = regexp.MustCompile(`source\s+= "([a-z0-9-]+/[a-z0-9-]+)"`)

func providersOf(r *render.Result) []string {
	var out []string
	for name, f := range r.Files {
		if !strings.HasSuffix(name, ".tf") {
			continue
		}
		for _, m := range providerSource.FindAllSubmatch(f.Data, -1) {
			out = append(out, string(m[1]))
		}
	}
	return out
}

// mirrorWith finds a filesystem mirror that holds the providers: a folder that
// SCAFFOLD_PLUGIN_DIR names, or one where Terraform itself looks.
func mirrorWith(providers []string) string {
	home, _ := os.UserHomeDir()
	folders := append(filepath.SplitList(os.Getenv("SCAFFOLD_PLUGIN_DIR")),
		filepath.Join(home, ".terraform.d", "plugins"), "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
next:
	for _, folder := range folders {
		for _, p := range providers {
			if found, _ := filepath.Glob(filepath.Join(folder, "registry.terraform.io", p, "*")); len(found) == 0 {
				continue next
			}
		}
		if len(providers) > 0 {
			return folder
		}
	}
	return ""
}
