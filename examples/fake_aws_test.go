package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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
	"sync"
	"testing"
	"time"
)

// applied are the examples that CI applies: an apply takes minutes, most of them
// waits that the provider has built in. Together they have most of what there is.
var applied = []string{"high-availability", "multi-layer-caching-detailed", "database-sharding", "rolling-updates"}

// TestApplyToFakeAWS applies the AWS root of the examples, and of the rest, to moto, a fake AWS.
// What moto lacks is listed in testdata/fake-aws.tsv. Every resource of the plan
// has to be created, or to be on that list, or to depend on one that is.
func TestApplyToFakeAWS(t *testing.T) {
	if depth() == "quick" {
		t.Skip("an apply takes minutes; SCAFFOLD_DEPTH=ci applies a sample, SCAFFOLD_DEPTH=all every example")
	}
	program, err := exec.LookPath("terraform")
	require(t, err == nil, "terraform")
	moto, err := exec.LookPath("moto_server")
	require(t, err == nil, "moto_server")
	mirror := mirrorWith([]string{"hashicorp/aws"})
	require(t, mirror != "", "a mirror with the AWS provider, named by SCAFFOLD_PLUGIN_DIR,")

	lacks := readLacks(t)
	all := 0 // of those that -run leaves
	t.Run("examples", func(t *testing.T) {
		for _, name := range append(examples(t), rest) {
			if depth() == "ci" && !slices.Contains(applied, name) {
				continue
			}
			t.Run(name, func(t *testing.T) {
				all++
				t.Parallel() // most of it is waiting
				applyToFake(t, program, moto, mirror, name, lacks)
			})
		}
	})
	if all == len(examples(t))+1 {
		lacks.allMet(t)
	}
}

func applyToFake(t *testing.T, program, moto, mirror, example string, lacks *lackList) {
	fake := startMoto(t, moto)
	for _, root := range renderedFor(t, example, "aws") {
		if !slices.Contains(providersOf(root.Result), "hashicorp/aws") {
			continue // manifests of its cluster
		}
		tf := terraform{t, program, t.TempDir()}
		writeRoot(t, tf.dir, root.Result)
		tf.override(true)
		fake.standIn(t, tf.dir)
		tf.run("init", "-input=false", "-plugin-dir="+mirror)
		fake.apply(t, tf, lacks)
		fake.noSecrets(t, tf.dir)
	}
}

type fakeAWS struct{ url string }

// startMoto starts moto on a socket that is open already: a port that was only
// looked up could be another program's by the time that moto has loaded.
func startMoto(t *testing.T, program string) fakeAWS {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	mends, err := filepath.Abs(filepath.Join("testdata", "moto"))
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", fmt.Sprint(address.Port))
	cmd.Env = append(os.Environ(), "PYTHONPATH="+mends, "PYTHONDONTWRITEBYTECODE=1", "MOTO_IAM_LOAD_MANAGED_POLICIES=true", "MOTO_ACM_VALIDATION_WAIT=1",
		// The server of Python takes a socket from the process that restarts it for new code; 3 is the first of ExtraFiles.
		"WERKZEUG_RUN_MAIN=true", "WERKZEUG_SERVER_FD=3")
	cmd.ExtraFiles = []*os.File{socket}
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	said := func() string {
		text, _ := os.ReadFile(log.Name())
		return tail(string(text), 20)
	}
	fake := fakeAWS{"http://" + address.String()}
	client := &http.Client{Timeout: 10 * time.Second}
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if resp, err := client.Get(fake.url + "/moto-api/"); err == nil {
			resp.Body.Close()
			return fake
		}
		select {
		case err := <-ended:
			t.Fatalf("moto ended before it answered: %v\n%s", err, said())
		default:
		}
	}
	t.Fatalf("moto did not answer within five minutes:\n%s", said())
	return fake
}

// call sends a request as the AWS of a region would understand it.
func (f fakeAWS) call(t *testing.T, service, region, path string, header map[string]string, body string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, f.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	for k, v := range header {
		req.Header.Set(k, v)
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

// json calls an operation of a service that speaks JSON.
func (f fakeAWS) json(t *testing.T, service, region, operation, body string, answer any) {
	t.Helper()
	text := f.call(t, strings.ToLower(service), region, "/", map[string]string{
		"Content-Type": "application/x-amz-json-1.1",
		"X-Amz-Target": map[string]string{"ACM": "CertificateManager", "SecretsManager": "secretsmanager"}[service] + "." + operation,
	}, body)
	if err := json.Unmarshal([]byte(text), answer); err != nil {
		t.Fatalf("%s: %v: %s", operation, err, text)
	}
}

// find is what the pattern finds in an answer.
func find(t *testing.T, pattern, answer string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(answer)
	if found == nil {
		t.Fatalf("no %s in %s", pattern, answer)
	}
	return found[1]
}

// image is the id of a machine image that moto has.
func (f fakeAWS) image(t *testing.T, region string) string {
	t.Helper()
	form := url.Values{"Action": {"DescribeImages"}, "Version": {"2016-11-15"}}.Encode()
	answer := f.call(t, "ec2", region, "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, form)
	return find(t, `<imageId>(ami-[0-9a-f]+)</imageId>`, answer)
}

func (f fakeAWS) certificate(t *testing.T, region string) string {
	t.Helper()
	var answer struct{ CertificateArn string }
	f.json(t, "ACM", region, "RequestCertificate", `{"DomainName":"example.com"}`, &answer)
	return answer.CertificateArn
}

func (f fakeAWS) hostedZone(t *testing.T) string {
	t.Helper()
	const zone = `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>example.com</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>`
	return find(t, `<Id>/hostedzone/([A-Z0-9]+)</Id>`, f.call(t, "route53", "us-east-1", "/2013-04-01/hostedzone", nil, zone))
}

// standIn makes what a root takes for granted, an image, certificates and a zone, and
// puts their ids into its files and into the values of its variables.
func (f fakeAWS) standIn(t *testing.T, dir string) {
	t.Helper()
	const region = "eu-west-1" // of the examples
	image, certificate, edge, zone := f.image(t, region), f.certificate(t, region), f.certificate(t, "us-east-1"), f.hostedZone(t)
	given := strings.NewReplacer("ami-0123456789abcdef0", image, "Z0123456789ABCDEFGHIJ", zone)
	files, _ := filepath.Glob(filepath.Join(dir, "*.tf"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(given.Replace(string(data))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	values, err := json.Marshal(map[string]string{"image_id": image, "certificate_arn": certificate, "edge_certificate_arn": edge})
	if err != nil {
		t.Fatal(err)
	}
	// Of a file Terraform takes what is declared, of the command line it wants no more than that.
	if err := os.WriteFile(filepath.Join(dir, "terraform.tfvars.json"), values, 0o644); err != nil {
		t.Fatal(err)
	}
}

// command prepares terraform for moto.
func (f fakeAWS) command(ctx context.Context, tf terraform, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, tf.program, args...)
	cmd.Dir = tf.dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+f.url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	return cmd
}

// event is a line of `terraform apply -json`.
type event struct {
	Type       string
	Diagnostic struct{ Severity, Summary, Detail, Address string }
	Hook       struct {
		Resource struct{ Addr, Resource string }
		Action   string
	}
}

// apply applies the root and accounts for every resource of its plan.
func (f fakeAWS) apply(t *testing.T, tf terraform, lacks *lackList) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	if out, err := f.command(ctx, tf, "plan", "-input=false", "-no-color", "-out=plan").CombinedOutput(); err != nil {
		t.Fatalf("plan: %v\n%s", err, tail(string(out), 60))
	}
	planned := f.planned(t, ctx, tf)
	out, applyErr := f.command(ctx, tf, "apply", "-input=false", "-json", "-parallelism=6", "plan").Output()

	created, lacking := map[string]bool{}, map[string]bool{}
	for _, e := range events(out) {
		switch {
		case e.Type == "apply_complete" && e.Hook.Action == "create":
			created[e.Hook.Resource.Addr] = true
		case e.Type == "diagnostic" && e.Diagnostic.Severity == "error":
			d := e.Diagnostic
			lacking[d.Address] = true
			message := strings.TrimSpace(d.Summary + " " + d.Detail)
			if lacks.met(kindOf(d.Address), message) {
				t.Logf("lacking: %s: %s", d.Address, message)
			} else {
				t.Errorf("%s: %s", d.Address, message)
			}
		}
	}
	if applyErr != nil && len(lacking) == 0 {
		t.Fatalf("apply: %v\n%s", applyErr, tail(string(out), 20))
	}
	needs := f.graph(t, ctx, tf)
	behind := 0
	for _, address := range planned {
		switch {
		case created[address] || lacking[address]:
		case dependsOn(needs, withoutKey(address), lacking):
			behind++
		default:
			t.Errorf("%s was planned, and neither created nor refused, nor does it depend on what was", address)
		}
	}
	if len(created)+len(lacking)+behind != len(planned) {
		t.Errorf("%d created, %d lacking and %d behind these do not make the %d that were planned", len(created), len(lacking), behind, len(planned))
	}
	t.Logf("%d of %d created; moto lacks %d, and %d depend on these", len(created), len(planned), len(lacking), behind)
}

func events(out []byte) []event {
	var all []event
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

// planned are the addresses of the resources that the plan creates.
func (f fakeAWS) planned(t *testing.T, ctx context.Context, tf terraform) []string {
	t.Helper()
	out, err := f.command(ctx, tf, "show", "-json", "plan").Output()
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Changes []struct {
			Address, Mode string
			Change        struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		t.Fatal(err)
	}
	var addresses []string
	for _, c := range plan.Changes {
		if c.Mode == "managed" && slices.Contains(c.Change.Actions, "create") {
			addresses = append(addresses, c.Address)
		}
	}
	return addresses
}

// graph tells of each resource which others it needs, through whatever locals.
func (f fakeAWS) graph(t *testing.T, ctx context.Context, tf terraform) map[string][]string {
	t.Helper()
	out, err := f.command(ctx, tf, "graph").Output()
	if err != nil {
		t.Fatal(err)
	}
	needs := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s*"([^"]+)" -> "([^"]+)";`).FindAllStringSubmatch(string(out), -1) {
		needs[m[1]] = append(needs[m[1]], m[2])
	}
	return needs
}

// dependsOn reports whether a resource needs one that is lacking, however far.
func dependsOn(needs map[string][]string, resource string, lacking map[string]bool) bool {
	bad := map[string]bool{}
	for address := range lacking {
		bad[withoutKey(address)] = true
	}
	seen := map[string]bool{}
	var visit func(string) bool
	visit = func(r string) bool {
		if seen[r] {
			return false
		}
		seen[r] = true
		return bad[r] && r != resource || slices.ContainsFunc(needs[r], visit)
	}
	return visit(resource)
}

func withoutKey(address string) string {
	resource, _, _ := strings.Cut(address, "[")
	return resource
}

func kindOf(address string) string {
	kind, _, _ := strings.Cut(address, ".")
	return kind
}

// words are what can be a password in the text of a secret, which may be JSON.
var words = regexp.MustCompile(`[A-Za-z0-9]{20,}`)

// noSecrets looks in the state for the passwords of every secret that the fake
// holds, and for a value of any argument that takes one.
func (f fakeAWS) noSecrets(t *testing.T, dir string) {
	t.Helper()
	state, err := os.ReadFile(filepath.Join(dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ SecretList []struct{ ARN string } }
	f.json(t, "SecretsManager", "eu-west-1", "ListSecrets", "{}", &list)
	kept := 0
	for _, secret := range list.SecretList {
		var value struct{ SecretString string }
		f.json(t, "SecretsManager", "eu-west-1", "GetSecretValue", fmt.Sprintf(`{"SecretId":%q}`, secret.ARN), &value)
		for _, word := range words.FindAllString(value.SecretString, -1) {
			kept++
			if bytes.Contains(state, []byte(word)) {
				t.Errorf("the state holds a word of the secret %s", secret.ARN)
			}
		}
	}
	t.Logf("%d secrets with %d long words in them, none of which is in the state", len(list.SecretList), kept)
	for _, m := range regexp.MustCompile(`"(password|secret_string|auth_token|master_password|secret_key|private_key|passwords)": ("[^"]+"|\[\s*")`).FindAllSubmatch(state, -1) {
		t.Errorf("the state holds a secret: %s", m[1])
	}
}

// lackList is testdata/fake-aws.tsv: by type of resource, what moto answers.
type lackList struct {
	sync.Mutex
	messages map[string][]string
	used     map[string]bool
}

func readLacks(t *testing.T) *lackList {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "fake-aws.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	l := &lackList{messages: map[string][]string{}, used: map[string]bool{}}
	for _, line := range strings.Split(string(data), "\n") {
		if kind, part, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			l.messages[kind] = append(l.messages[kind], part)
		}
	}
	return l
}

func (l *lackList) met(kind, message string) bool {
	l.Lock()
	defer l.Unlock()
	for _, part := range l.messages[kind] {
		if strings.Contains(message, part) {
			l.used[kind+"\t"+part] = true
			return true
		}
	}
	return false
}

// allMet requires that moto still lacks all that it is said to lack.
func (l *lackList) allMet(t *testing.T) {
	t.Helper()
	for kind, parts := range l.messages {
		for _, part := range parts {
			if !l.used[kind+"\t"+part] {
				t.Errorf("testdata/fake-aws.tsv: no example met %q of %s", part, kind)
			}
		}
	}
}
