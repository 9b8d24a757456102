// Command generate converts what "terraform providers schema -json" prints into
// a schema file. How to get its input stands in the documentation of package
// schema.
package main

import (
	"fmt"
	"os"
	"strings"

	"scaffold/providers/schema"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: generate SOURCE.json.gz NAME-VERSION.schema")
	}
	source, target := args[0], args[1]
	if _, version := schema.SplitName(target); version == "" || !strings.HasSuffix(target, ".schema") {
		return fmt.Errorf("%s: the name must be NAME-VERSION.schema", target)
	}
	data, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	converted, err := schema.Convert(data)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	return os.WriteFile(target, converted, 0o644)
}
