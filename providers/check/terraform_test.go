package check_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pluginFolders are where people keep filesystem mirrors of providers, besides
// what Terraform's own configuration says. They are tried in this order.
var pluginFolders = []string{
	"$SCAFFOLD_PLUGIN_DIR", "$TF_PLUGIN_MIRROR", "$TF_PLUGIN_CACHE_DIR",
	"~/.terraform.d/plugins", "~/.terraform.d/plugin-cache",
	"/usr/share/terraform/plugins", "/usr/local/share/terraform/plugins", "/opt/tf-plugins",
}

// terraform runs "terraform validate" on files, with one set of plugins that
// all runs share.
type terraform struct {
	data        string // .terraform
	lock        []byte // the dependency lock file
	environment []string
}

type verdict struct {
	Valid       bool `json:"valid"`
	Diagnostics []struct {
		Severity, Summary, Detail string
		Range                     struct{ Filename string }
	}
	took time.Duration
}

// errors are the summaries of what Terraform refuses.
func (v verdict) errors() []string {
	list := []string{}
	for _, diag := range v.Diagnostics {
		if diag.Severity == "error" {
			list = append(list, strings.Join(strings.Fields(diag.Summary+": "+diag.Detail), " "))
		}
	}
	return list
}

// newTerraform prepares the plugins that a root needs, or skips the test where
// there is no Terraform or no provider.
func newTerraform(t *testing.T, root string) *terraform {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("there is no terraform on the PATH")
	}
	folder := t.TempDir()
	tf := &terraform{data: filepath.Join(folder, ".terraform"), environment: os.Environ()}
	if file := os.Getenv("TF_CLI_CONFIG_FILE"); file != "" {
		if _, err := os.Stat(file); err != nil { // a warning would be in the way of JSON
			tf.environment = append(tf.environment, "TF_CLI_CONFIG_FILE="+os.DevNull)
		}
	}
	tf.environment = append(tf.environment, "TF_DATA_DIR="+tf.data, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	write(t, folder, load(t, root))
	if !tf.init(folder) {
		t.Skip("terraform init finds no provider: no mirror in ", pluginFolders)
	}
	lock, err := os.ReadFile(filepath.Join(folder, ".terraform.lock.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	tf.lock = lock
	tf.attach(t)
	return tf
}

// init tries the mirrors, then what Terraform itself is configured to use.
func (tf *terraform) init(folder string) bool {
	arguments := [][]string{}
	home, _ := os.UserHomeDir()
	for _, candidate := range pluginFolders {
		candidate = strings.Replace(os.ExpandEnv(candidate), "~", home, 1)
		if found, err := os.Stat(candidate); candidate != "" && err == nil && found.IsDir() {
			arguments = append(arguments, []string{"-plugin-dir=" + candidate})
		}
	}
	for _, extra := range append(arguments, nil) {
		command := exec.Command("terraform", append([]string{"init", "-backend=false", "-input=false"}, extra...)...)
		command.Dir, command.Env = folder, tf.environment
		if command.Run() == nil {
			return true
		}
	}
	return false
}

var reattach = regexp.MustCompile(`TF_REATTACH_PROVIDERS='(.*)'`)

// attach keeps the provider running between runs of Terraform: most of the
// time of a run is the provider's start. Without success nothing is lost.
func (tf *terraform) attach(t *testing.T) {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	binaries, _ := filepath.Glob(filepath.Join(tf.data, "providers/*/*/*/*", platform, "terraform-provider-*"))
	if len(binaries) != 1 {
		return
	}
	command := exec.Command(binaries[0], "-debug")
	output, err := command.StdoutPipe()
	if err != nil || command.Start() != nil {
		return
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if match := reattach.FindStringSubmatch(lines.Text()); match != nil {
			tf.environment = append(tf.environment, "TF_REATTACH_PROVIDERS="+match[1])
			break
		}
	}
	go func() { // the provider must not block on a full pipe
		for lines.Scan() {
		}
	}()
}

// validate runs Terraform on files in a folder of its own.
func (tf *terraform) validate(files map[string][]byte) (verdict, error) {
	var v verdict
	folder, err := os.MkdirTemp("", "agreement")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(folder)
	if err := writeFiles(folder, files); err != nil {
		return v, err
	}
	if err := os.WriteFile(filepath.Join(folder, ".terraform.lock.hcl"), tf.lock, 0o644); err != nil {
		return v, err
	}
	command := exec.Command("terraform", "validate", "-json")
	command.Dir, command.Env = folder, tf.environment
	start := time.Now()
	var problems bytes.Buffer
	command.Stderr = &problems
	output, _ := command.Output() // it fails if the files are wrong
	v.took = time.Since(start)
	if err := json.Unmarshal(output, &v); err != nil {
		return v, fmt.Errorf("terraform validate gave no JSON: %w\n%s%s", err, output, problems.Bytes())
	}
	return v, nil
}

func write(t *testing.T, folder string, files map[string][]byte) {
	t.Helper()
	if err := writeFiles(folder, files); err != nil {
		t.Fatal(err)
	}
}

func writeFiles(folder string, files map[string][]byte) error {
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
