// Command generate writes the embedded schema archive, and, for the tests that
// start an API server, the custom resource definitions themselves.
//
//	go run ./providers/kubernetes/generate -archive providers/kubernetes/data/schemas.zip
//	go run ./providers/kubernetes/generate -crds ~/.cache/scaffold-tools/crds
//
// It downloads the module zips of the projects that sources.hcl lists, takes
// the OpenAPI document of Kubernetes and every custom resource definition out
// of them, adds what constraints.hcl says about built-in types, drops
// descriptions and status, and stores equal nodes once. The module cache is
// the only thing it writes besides its output; a second run is offline.
//
// It may import the archive package, hcl and a YAML parser.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"

	"scaffold/providers/kubernetes/archive"
)

func main() {
	out := flag.String("archive", "", "write the schema archive to this file")
	crds := flag.String("crds", "", "write the custom resource definitions into this folder")
	sources := flag.String("from", "providers/kubernetes/generate", "folder of sources.hcl, constraints.hcl and crds/")
	flag.Parse()
	if err := run(*sources, *out, *crds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(from, out, crds string) error {
	list, err := readSources(from)
	if err != nil {
		return err
	}
	definitions, err := list.definitions(from)
	if err != nil {
		return err
	}
	if crds != "" {
		if err := writeDefinitions(crds, definitions); err != nil {
			return err
		}
	}
	if out == "" {
		return nil
	}
	return writeArchive(from, out, list, definitions)
}

func writeArchive(from, out string, list *sources, definitions []definition) error {
	rules, err := readConstraints(from)
	if err != nil {
		return err
	}
	core, err := list.builtin(rules)
	if err != nil {
		return err
	}
	w := archive.NewWriter()
	kinds, err := core.kinds()
	if err != nil {
		return err
	}
	for _, d := range definitions {
		more, err := d.kinds(core, rules)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		kinds = append(kinds, more...)
	}
	for _, k := range kinds {
		root, err := k.schema.store(w)
		if err != nil {
			return fmt.Errorf("%s: %w", k.kind, err)
		}
		w.AddKind(k.kind, k.cluster, root)
	}
	if err := rules.unused(); err != nil {
		return err
	}
	var data bytes.Buffer
	if _, err := w.WriteTo(&data); err != nil {
		return err
	}
	fmt.Printf("%d kinds, %d bytes\n", len(kinds), data.Len())
	return os.WriteFile(out, data.Bytes(), 0o644)
}
