package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// applied are the examples that CI applies: an apply takes minutes, most of them
// waits that the provider has built in.
var applied = []string{"rolling-updates", "connection-pooling"}

// TestApplyToFakeAWS applies the AWS root of the examples to moto, a fake AWS.
// What moto lacks is listed in testdata/fake-aws.tsv; anything else has to work.
func TestApplyToFakeAWS(t *testing.T) {
	if depth() == "quick" {
		t.Skip("an apply takes minutes; SCAFFOLD_DEPTH=ci applies a sample, SCAFFOLD_DEPTH=all every example")
	}
	program, err := exec.LookPath("terraform")
	require(t, err == nil, "terraform")
	moto, err := exec.LookPath("moto_server")
	require(t, err == nil, "moto_server")
	lacking := readLacking(t)
	for _, name := range examples(t) {
		if depth() == "ci" && !slices.Contains(applied, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, root := range renderedFor(t, name, "aws") {
				if !slices.Contains(providersOf(root.Result), "hashicorp/aws") {
					continue
				}
				mirror := mirrorWith([]string{"hashicorp/aws"})
				require(t, mirror != "", "a mirror with the AWS provider, named by SCAFFOLD_PLUGIN_DIR,")
				fake := startMoto(t, moto)
				dir := t.TempDir()
				writeRoot(t, dir, root.Result)
				tf := terraform{t, program, dir}
				tf.override()
				shortenWaits(t, dir)
				tf.run("init", "-input=false", "-plugin-dir="+mirror)
				fake.apply(t, tf, lacking)
			}
		})
	}
}

type fakeAWS struct{ url string }

func startMoto(t *testing.T, program string) fakeAWS {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	cmd.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true", "MOTO_ACM_VALIDATION_WAIT=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	fake := fakeAWS{fmt.Sprintf("http://127.0.0.1:%d", port)}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if resp, err := http.Get(fake.url + "/moto-api/"); err == nil {
			resp.Body.Close()
			return fake
		}
	}
	t.Fatal("moto did not start within a minute")
	return fake
}

func (f fakeAWS) call(t *testing.T, service, target, contentType, body string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, f.url+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	if target != "" {
		req.Header.Set("X-Amz-Target", target)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// image is the id of a machine image that moto has.
func (f fakeAWS) image(t *testing.T) string {
	t.Helper()
	form := url.Values{"Action": {"DescribeImages"}, "Version": {"2016-11-15"}}.Encode()
	found := regexp.MustCompile(`<imageId>(ami-[0-9a-f]+)</imageId>`).FindStringSubmatch(f.call(t, "ec2", "", "application/x-www-form-urlencoded", form))
	if found == nil {
		t.Fatal("moto has no machine image")
	}
	return found[1]
}

func (f fakeAWS) certificate(t *testing.T) string {
	t.Helper()
	answer := f.call(t, "acm", "CertificateManager.RequestCertificate", "application/x-amz-json-1.1", `{"DomainName":"example.com"}`)
	found := regexp.MustCompile(`"CertificateArn": ?"([^"]+)"`).FindStringSubmatch(answer)
	if found == nil {
		t.Fatalf("moto made no certificate: %s", answer)
	}
	return found[1]
}

var failure = regexp.MustCompile(`(?ms)^(?:\x1b\[[0-9;]*m)*Error: (.*?)\n\n  with ([a-z0-9_]+)\.`)

// apply applies the root and requires that only what moto lacks has failed.
func (f fakeAWS) apply(t *testing.T, tf terraform, lacking map[string][]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	image, certificate := f.image(t), f.certificate(t)
	args := []string{"apply", "-input=false", "-no-color", "-auto-approve", "-parallelism=6"}
	for _, v := range tf.variables() {
		v = strings.Replace(v, "ami-0123456789abcdef0", image, 1)
		if strings.Contains(v, "certificate_arn=") {
			v = v[:strings.Index(v, "=")+1] + certificate
		}
		args = append(args, v)
	}
	cmd := exec.CommandContext(ctx, tf.program, args...)
	cmd.Dir = tf.dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+f.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_MAX_ATTEMPTS=2", "TF_IN_AUTOMATION=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	text := strings.NewReplacer("╷\n", "", "╵\n", "", "│ ", "", "│", "").Replace(out.String())
	failures := failure.FindAllStringSubmatch(text, -1)
	if err != nil && len(failures) == 0 {
		t.Fatalf("apply: %v\n%s", err, tail(text, 60))
	}
	for _, m := range failures {
		if !known(lacking, m[2], text, m[1]) {
			t.Errorf("%s: %s", m[2], m[1])
		}
	}
	created := strings.Count(text, ": Creation complete")
	t.Logf("%d resources created, %d that moto lacks", created, len(failures))
	if created == 0 {
		t.Errorf("nothing was created:\n%s", tail(text, 60))
	}
	noSecrets(t, tf.dir)
}

func known(lacking map[string][]string, kind, text, message string) bool {
	for _, part := range lacking[kind] {
		if strings.Contains(message, part) || part == "404" && (strings.Contains(message, "404") || strings.Contains(message, "not been implemented") || strings.Contains(message, "not implemented") || strings.Contains(message, "NotFound")) {
			return true
		}
	}
	return false
}

func readLacking(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "fake-aws.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, line := range strings.Split(string(data), "\n") {
		if kind, part, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			out[kind] = append(out[kind], part)
		}
	}
	return out
}

// shortenWaits gives up early on what moto makes but never shows as ready: read
// replicas, which get the resource id of their primary, and cache groups, whose
// members it does not know.
func shortenWaits(t *testing.T, dir string) {
	t.Helper()
	resource := regexp.MustCompile(`(?ms)^resource "(aws_db_instance|aws_elasticache_replication_group)" "([a-z0-9_]+)" \{\n(.*?)^\}`)
	files, _ := filepath.Glob(filepath.Join(dir, "*.tf"))
	var b strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range resource.FindAllStringSubmatch(string(data), -1) {
			if m[1] != "aws_db_instance" || strings.Contains(m[3], "replicate_source_db") {
				fmt.Fprintf(&b, "resource %q %q {\n  timeouts {\n    create = \"30s\"\n  }\n}\n", m[1], m[2])
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "waits_override.tf"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// noSecrets looks for a password in the state.
func noSecrets(t *testing.T, dir string) {
	t.Helper()
	state, err := os.ReadFile(filepath.Join(dir, "terraform.tfstate"))
	if err != nil {
		return
	}
	for _, m := range regexp.MustCompile(`"(password|secret_string|auth_token|master_password|secret_key)": "([^"]+)"`).FindAllSubmatch(state, -1) {
		t.Errorf("the state holds a secret: %s", m[1])
	}
}
