package main

import (
	"github.com/spf13/cobra"

	"scaffold/cmd/project"
)

const schemaHelp = `Print the JSON Schema (draft 2020-12) of what 'scaffold show --format json' prints. It
is made from the definitions, yours among them, and is what an editor needs to know of
blueprints: blocks and their labels, and for every input its type, default, unit,
bounds, allowed values and description. Where JSON Schema has no word, "x-scaffold" says it.

  scaffold schema > scaffold.schema.json
  scaffold schema | jq '."$defs"."component.service".properties.memory'`

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema [BLUEPRINT]", Short: "Print the JSON Schema for editors and other programs", Long: schemaHelp, Args: args(0, 1),
		Annotations: map[string]string{plain: "true"},
		RunE:        func(_ *cobra.Command, args []string) error { return a.schema(args) },
	}
}

func (a *app) schema(args []string) error {
	open := a.openOrEmpty
	if len(args) > 0 {
		open = func() (*project.Project, error) { return a.open(args) }
	}
	p, err := open()
	if err != nil {
		return err
	}
	properties, defs, diags := p.Catalog.Schema()
	if diags.HasErrors() {
		return a.report(p, diags)
	}
	a.printJSON(showSchema(properties, defs))
	return nil
}

type object = map[string]any

// showSchema is the schema of showJSON.
func showSchema(properties, defs object) object {
	text := func(description string) object { return object{"type": "string", "description": description} }
	for name, property := range (object{
		"folder":      text("The root's folder among what is rendered."),
		"name":        text("The blueprint's name."),
		"environment": object{"type": []string{"string", "null"}},
		"labels":      object{"type": "object", "additionalProperties": object{"type": "string"}},
		"origins": object{
			"type": "object", "additionalProperties": object{"$ref": "#/$defs/origin"},
			"description": "Where each value comes from, by its path as 'scaffold explain' takes it.",
		},
	}) {
		properties[name] = property
	}
	defs["root"] = closedObject(properties)
	defs["origin"] = closedObject(object{
		"source":     text(`"blueprint", "environment NAME", "profile NAME", "default" or "derived".`),
		"file":       text("The blueprint or definition."),
		"line":       object{"type": "integer", "minimum": 1},
		"expression": text("What it is computed by."),
		"text":       text("An amount in its unit, as a blueprint writes it."),
	}, "source")
	doc := closedObject(object{
		"blueprint": text("The blueprint's file."),
		"roots":     object{"type": "array", "items": object{"$ref": "#/$defs/root"}},
	})
	doc["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	doc["title"] = "A blueprint of scaffold with every value that holds"
	doc["$defs"] = defs
	// What a blueprint has beside targets and components.
	doc["x-scaffold"] = object{"blocks": object{
		"blueprint":   object{"labels": []string{"name"}, "arguments": []string{"profile", "labels", "extensions"}},
		"variable":    object{"labels": []string{"name"}, "arguments": []string{"type", "default", "description"}, "many": true},
		"locals":      object{"labels": []string{}, "many": true},
		"environment": object{"labels": []string{"name"}, "many": true},
	}}
	return doc
}

// closedObject has these properties and no others; all are required where none
// is named.
func closedObject(properties object, required ...string) object {
	if required == nil {
		required = sortedKeys(properties)
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
