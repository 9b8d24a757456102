package controlplane

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// stands replaces workloads that kube-score and the controllers of Kubernetes do
// not know with one they know, so that their pods are scored, and made, too.
var stands = []struct {
	apiVersion, kind  string
	asVersion, asKind string
	drop              []string // the fields of spec that the other kind lacks or writes differently
}{
	{"argoproj.io/v1alpha1", "Rollout", "apps/v1", "Deployment", []string{"strategy", "analysis", "rollbackWindow", "progressDeadlineAbort", "restartAt"}},
}

// lookups are the checks that need to see the pods of every workload. An object
// may ask to be left out of one of them, because operators make pods that
// kube-score cannot see; it can leave nothing else out.
var lookups = []string{
	"service-targets-pod", "networkpolicy-targets-pod", "horizontalpodautoscaler-has-target", "deployment-replicas",
}

const ignoreAnnotation = "kube-score/ignore"

// KubeScore scores the manifests of a folder with every check of kube-score.
// A critical finding and a warning fail the test.
func KubeScore(t testing.TB, dir string) {
	t.Helper()
	path := program(t, "kube-score")
	copied := t.TempDir()
	var files []string
	for _, name := range manifests(t, dir) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(copied, strings.ReplaceAll(strings.TrimPrefix(name, dir), string(filepath.Separator), "_"))
		if err := os.WriteFile(to, known(t, text), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, to)
	}
	args := append([]string{
		"score", "--kubernetes-version", "v1.37", "--all-default-optional",
		"--disable-ignore-checks-annotations", "-o", "json",
	}, files...)
	out, runErr := exec.Command(path, args...).Output()
	var scores []score
	if err := json.Unmarshal(out, &scores); err != nil {
		t.Fatalf("kube-score: %v\n%s", runErr, out)
	}
	for _, s := range scores {
		s.report(t)
	}
}

// score is what kube-score says about one object.
type score struct {
	Name string `json:"object_name"`
	Meta struct {
		Annotations map[string]string
	} `json:"object_meta"`
	Checks []struct {
		Check    struct{ ID string }
		Grade    int
		Skipped  bool
		Comments []struct{ Path, Summary, Description string }
	}
}

// worstWarning is the grade of a warning; critical findings have less.
const worstWarning = 5

func (s score) report(t testing.TB) {
	t.Helper()
	ignored := strings.FieldsFunc(s.Meta.Annotations[ignoreAnnotation], func(r rune) bool { return r == ',' || r == ' ' })
	for _, c := range s.Checks {
		excused := slices.Contains(lookups, c.Check.ID) && slices.Contains(ignored, c.Check.ID)
		if c.Skipped || c.Grade > worstWarning || excused {
			continue
		}
		t.Errorf("kube-score: %s: %s: %+v", s.Name, c.Check.ID, c.Comments)
	}
}

// known rewrites the workloads of a file, and references to them.
func known(t testing.TB, text []byte) []byte {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	for {
		var node yaml.Node
		if err := decoder.Decode(&node); err != nil {
			break
		}
		rewrite(&node)
		if err := encoder.Encode(&node); err != nil {
			t.Fatal(err)
		}
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func rewrite(node *yaml.Node) {
	if node.Kind == yaml.MappingNode {
		version, kind := entry(node, "apiVersion"), entry(node, "kind")
		for _, s := range stands {
			if version == nil || kind == nil || version.Value != s.apiVersion || kind.Value != s.kind {
				continue
			}
			spec := entry(node, "spec")
			if spec != nil && entry(spec, "template") == nil {
				continue // it borrows the pods of another workload, which is scored
			}
			version.Value, kind.Value = s.asVersion, s.asKind
			if spec != nil {
				for _, name := range s.drop {
					remove(spec, name)
				}
			}
		}
	}
	for _, child := range node.Content {
		rewrite(child)
	}
}

func entry(node *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	return nil
}

func remove(node *yaml.Node, name string) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			node.Content = slices.Delete(node.Content, i, i+2)
			return
		}
	}
}
