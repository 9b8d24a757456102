package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// printed runs a command that prints JSON.
func printed(t *testing.T, args ...string) any {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(context.Background(), args, strings.NewReader(""), &out, &errOut); code != exitOK || errOut.Len() > 0 {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, out.String(), errOut.String())
	}
	doc, err := jsonschema.UnmarshalJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func compiledSchema(t *testing.T, args ...string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("scaffold.json", printed(t, append([]string{"schema"}, args...)...)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scaffold.json") // against the schema of draft 2020-12 as well
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchema holds what is shown of every example against the schema.
func TestSchema(t *testing.T) {
	t.Parallel()
	s := compiledSchema(t)
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "scaffold.hcl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		if err := s.Validate(printed(t, "show", "--format", "json", file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	gauge := filepath.Join("..", "..", "testdata", "gauge", "scaffold.hcl")
	if err := compiledSchema(t, gauge).Validate(printed(t, "show", "--format", "json", gauge)); err != nil {
		t.Errorf("%s: %v", gauge, err)
	}
	platform := filepath.Join("..", "..", "testdata", "platform")
	own := filepath.Join(t.TempDir(), "scaffold.hcl")
	abs, err := filepath.Abs(platform)
	if err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(filepath.Dir(own), abs)
	if err != nil {
		t.Fatal(err)
	}
	blueprint := "blueprint \"shop\" { extensions = [\"" + filepath.ToSlash(rel) + "\"] }\ntarget \"acme\" { region = \"north\" }\njob \"report\" {\n  image = \"a\"\n  weekly_rest { rest = \"saturday\" }\n}\n"
	if err := os.WriteFile(own, []byte(blueprint), 0o644); err != nil {
		t.Fatal(err)
	}
	doc := printed(t, "show", "--format", "json", own)
	if err := s.Validate(doc); err == nil {
		t.Error("the schema without a blueprint knows a component of somebody's own")
	}
	if err := compiledSchema(t, own).Validate(doc); err != nil {
		t.Errorf("the schema with a blueprint does not know its own component: %v", err)
	}
}

// TestSchemaRefuses breaks what is shown of an example in turn.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := compiledSchema(t)
	shown := printed(t, "show", "--format", "json", "--target", "kubernetes", filepath.Join("..", "..", "examples", "everything"))
	text, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	for path, value := range map[string]any{
		"name":                                   nil,
		"profile":                                "no-such-profile",
		"target/kubernetes/version":              1.33,
		"target/kubernetes/nothing":              1,
		"components/nothing":                     map[string]any{},
		"components/service/Not A Name":          map[string]any{"image": "a:1"},
		"components/service/added":               map[string]any{"port": 8080},
		"components/service/web/port":            80,
		"components/service/web/protocol":        "gopher",
		"components/service/web/needs":           []any{"site.assets"},
		"components/service/checkout/needs":      []any{"service.web", "service.web"},
		"components/service/web/request_timeout": "10 s",
		"components/service/web/image":           nil,
		"components/service/web/replicas":        "3",
		"components/service/web/imagee":          "a:1",
		"components/service/web/read_replicas":   map[string]any{},
		"components/service/web/rolling_updates": map[string]any{"surge": -1},
		"components/database/orders/storage":     "200 gigabytes",
		"components/service/api/circuit_breaker_advanced/endpoint/suggestions/path":    7,
		"components/service/api/circuit_breaker_advanced/endpoint/suggestions/nothing": 7,
		"origins/service.web.port": map[string]any{"line": 0},
	} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Split(path, "/")
		at := doc.(map[string]any)["roots"].([]any)[0].(map[string]any)
		for _, word := range words[:len(words)-1] {
			at = at[word].(map[string]any)
		}
		at[words[len(words)-1]] = value
		if s.Validate(doc) == nil {
			t.Errorf("%s may be %v", path, value)
		}
	}
	if err := s.Validate(shown); err != nil {
		t.Error(err)
	}
}
