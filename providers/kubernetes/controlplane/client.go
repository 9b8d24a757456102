package controlplane

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// reply is what the server answered.
type reply struct {
	status   int
	body     []byte
	warnings []string
}

// failed returns the message of a refusal, or "".
func (r reply) failed() string {
	if r.status < 300 {
		return ""
	}
	var status struct{ Message string }
	if err := json.Unmarshal(r.body, &status); err != nil || status.Message == "" {
		return fmt.Sprintf("%d %s", r.status, r.body)
	}
	return status.Message
}

func (c *Cluster) send(method, path, content string, body []byte) (reply, error) {
	request, err := http.NewRequest(method, c.address+path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Accept", "application/json")
	if content != "" {
		request.Header.Set("Content-Type", content)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	r := reply{status: response.StatusCode}
	for _, header := range response.Header.Values("Warning") {
		// 299 - "text"
		if _, text, ok := strings.Cut(header, `"`); ok {
			r.warnings = append(r.warnings, strings.ReplaceAll(strings.TrimSuffix(text, `"`), `\"`, `"`))
		}
	}
	r.body, err = io.ReadAll(response.Body)
	return r, err
}

// resource is how the server names a kind in its paths.
type resource struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Namespaced bool   `json:"namespaced"`
}

// resource asks the server which kinds a group and version has, once.
func (c *Cluster) resource(apiVersion, kind string) (resource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r, ok := c.resources[apiVersion+"/"+kind]; ok {
		return r, nil
	}
	answer, err := c.send(http.MethodGet, groupPath(apiVersion), "", nil)
	if err != nil {
		return resource{}, err
	}
	var list struct{ Resources []resource }
	if failed := answer.failed(); failed == "" {
		if err := json.Unmarshal(answer.body, &list); err != nil {
			return resource{}, err
		}
	}
	for _, r := range list.Resources {
		if !strings.Contains(r.Name, "/") {
			c.resources[apiVersion+"/"+r.Kind] = r
		}
	}
	r, ok := c.resources[apiVersion+"/"+kind]
	if !ok {
		return resource{}, fmt.Errorf("no kind %s in %s", kind, apiVersion)
	}
	return r, nil
}

func groupPath(apiVersion string) string {
	if !strings.Contains(apiVersion, "/") {
		return "/api/" + apiVersion
	}
	return "/apis/" + apiVersion
}

func (c *Cluster) path(o object) (string, error) {
	r, err := c.resource(o.APIVersion, o.Kind)
	if err != nil {
		return "", err
	}
	path := groupPath(o.APIVersion)
	if r.Namespaced {
		path += "/namespaces/" + url.PathEscape(o.namespace())
	}
	return path + "/" + r.Name + "/" + url.PathEscape(o.Metadata.Name), nil
}

// apply sends an object as kubectl apply --server-side --validate=strict does.
func (c *Cluster) apply(o object, dryRun bool) (reply, error) {
	if err := c.install(o); err != nil {
		return reply{}, err
	}
	path, err := c.path(o)
	if err != nil {
		return reply{}, err
	}
	query := "?fieldManager=scaffold&force=true&fieldValidation=Strict"
	if dryRun {
		query += "&dryRun=All"
	}
	return c.send(http.MethodPatch, path+query, "application/apply-patch+yaml", o.text)
}

// definition is a CustomResourceDefinition of the tools cache.
type definition struct {
	name string
	text []byte

	once    sync.Once // installs it
	failure error
}

func readDefinitions(dir string) (map[string]*definition, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	all := map[string]*definition{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var body struct {
			Metadata struct{ Name string }
			Spec     struct {
				Group string
				Names struct{ Kind string }
			}
		}
		if err := json.Unmarshal(text, &body); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[body.Spec.Group+"/"+body.Spec.Names.Kind] = &definition{name: body.Metadata.Name, text: text}
	}
	return all, nil
}

const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"

// install creates the definition of a custom resource when an object first
// needs it, and waits until the server serves the kind.
func (c *Cluster) install(o object) error {
	group, _, _ := strings.Cut(o.APIVersion, "/")
	d := c.definitions[group+"/"+o.Kind]
	if d == nil {
		return nil
	}
	d.once.Do(func() { d.failure = c.define(d, o) })
	return d.failure
}

// define creates a definition for the sake of an object of its kind.
func (c *Cluster) define(d *definition, o object) error {
	answer, err := c.send(http.MethodPatch, definitionsPath+d.name+"?fieldManager=scaffold&force=true",
		"application/apply-patch+yaml", d.text)
	if err != nil {
		return err
	}
	if failed := answer.failed(); failed != "" {
		return fmt.Errorf("installing %s: %s", d.name, failed)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err = c.resource(o.APIVersion, o.Kind); err == nil {
			answer, err := c.send(http.MethodGet, groupPath(o.APIVersion)+"/"+strings.SplitN(d.name, ".", 2)[0]+"?limit=1", "", nil)
			if err == nil && answer.status == http.StatusOK {
				return nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("%s is not served after %s", d.name, patience)
}
