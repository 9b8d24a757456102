package check_test

import "testing"

func TestArguments(t *testing.T) {
	runExamples(t, []example{
		{name: "valid", text: box("size = 1")},
		{name: "number as string", text: box(`size = "1"`)},
		{
			name: "unknown argument",
			text: box("sise = 1"),
			want: `4: Unsupported argument: An argument named "sise" is not expected here. Did you mean "size"?`,
		},
		{
			name: "unknown block",
			text: box("lidd {}"),
			want: `4: Unsupported block type: Blocks of type "lidd" are not expected here. Did you mean "lid"?`,
		},
		{
			name: "missing argument",
			text: "resource \"toy_box\" \"x\" {\n  lid {}\n}",
			want: `1: Missing required argument: The argument "name" is required, but no definition was found.`,
		},
		{
			name: "null for a required argument",
			text: "resource \"toy_box\" \"x\" {\n  name = null\n  lid {}\n}",
			want: `2: Missing required argument: The argument "name" is required, but it is null here.`,
		},
		{name: "null for an optional argument", text: box("size = null")},
		{
			name: "missing block",
			text: "resource \"toy_box\" \"x\" {\n  name = \"x\"\n}",
			want: `1: Insufficient blocks: At least 1 "lid" blocks are required.`,
		},
		{
			name: "too many blocks",
			text: box("lid {}"),
			want: `4: Too many blocks: No more than 1 "lid" blocks are allowed.`,
		},
		{
			name: "second single block",
			text: box("lock {}", "lock {}"),
			want: `4: Block is deprecated (warning): The block "lock" is deprecated.
5: Block is deprecated (warning): The block "lock" is deprecated.
5: Too many blocks: No more than 1 "lock" blocks are allowed.`,
		},
		{
			name: "read-only argument",
			text: box(`arn = "a"`),
			want: `4: Value for unconfigurable attribute: Can't configure a value for "arn": its value will be decided automatically based on the result of applying this configuration.`,
		},
		{name: "read-only argument set to null", text: box(`arn = null`)},
		{
			name: "deprecated argument",
			text: box(`old = "a"`),
			want: `4: Argument is deprecated (warning): The argument "old" is deprecated.`,
		},
		{
			name: "wrong type",
			text: box(`size = "many"`),
			want: `4: Incorrect attribute value type: Inappropriate value for attribute "size": a number is required.`,
		},
		{
			name: "list for a string",
			text: box(`old = ["a"]`),
			want: `4: Argument is deprecated (warning): The argument "old" is deprecated.
4: Incorrect attribute value type: Inappropriate value for attribute "old": string required, but have tuple.`,
		},
		{name: "object for a map", text: box(`tags = { a = 1, b = true }`)},
		{
			name: "nested object for a map",
			text: box(`tags = { a = { b = 1 } }`),
			want: `4: Incorrect attribute value type: Inappropriate value for attribute "tags": element "a": string required, but have object.`,
		},
		{
			name: "null in a list",
			text: box(`ids = ["a", null]`),
			want: `4: Null value found in list: Null values are not allowed for this attribute value.`,
		},
		{
			name: "argument twice",
			text: box("size = 1", "size = 2"),
			want: `5: Attribute redefined: The argument "size" was already set at a.tf:4,3-7. Each argument may be set only once.`,
		},
		{name: "argument as block", text: box("rules {", "port = 1", "}")},
		{
			name: "argument as block with an unknown argument",
			text: box("rules {", "part = 1", "}"),
			want: `5: Unsupported argument: An argument named "part" is not expected here. Did you mean "port"?`,
		},
		{
			name: "argument as list of incomplete objects",
			text: box("rules = [{ port = 1 }]"),
			want: `4: Incorrect attribute value type: Inappropriate value for attribute "rules": element 0: attribute "note" is required.`,
		},
		{name: "dynamic block", text: box(`dynamic "label" {`, `for_each = ["a", "b"]`, "content {", "key = label.value", "}", "}")},
		{
			name: "too many dynamic blocks",
			text: box(`dynamic "label" {`, `for_each = ["a", "b", "c"]`, "content {", "key = label.value", "}", "}"),
			want: `4: Too many blocks: No more than 2 "label" blocks are allowed.`,
		},
		{name: "unknown number of dynamic blocks", text: box(`dynamic "label" {`, `for_each = [for c in split(",", var.text) : c]`, "content {", "key = label.value", "}", "}")},
		{
			name: "dynamic block of an unknown type",
			text: box(`dynamic "labl" {`, `for_each = []`, "content {", "}", "}"),
			want: `4: Unsupported block type: Blocks of type "labl" are not expected here.`,
		},
		{
			name: "dynamic block over a number",
			text: box(`dynamic "label" {`, `for_each = 5`, "content {", "key = 1", "}", "}"),
			want: `5: Invalid dynamic for_each value: Cannot use a number value in for_each. An iterable collection is required.`,
		},
		{
			name: "dynamic block with an iterator",
			text: box(`dynamic "label" {`, `for_each = [1]`, "iterator = it", "content {", "key = label.value", "}", "}"),
			want: `8: Reference to undeclared resource: A managed resource "label" "value" has not been declared in the root module.`,
		},
	})
}

func TestMetaArguments(t *testing.T) {
	runExamples(t, []example{
		{
			name: "count and for_each",
			text: box("count = 1", "for_each = {}"),
			want: `5: Invalid combination of "count" and "for_each": The "count" and "for_each" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.`,
		},
		{
			name: "count of no number",
			text: box(`count = "many"`),
			want: `4: Invalid count argument: The given "count" argument value is unsuitable: a number is required.`,
		},
		{
			name: "negative count",
			text: box(`count = -1`),
			want: `4: Invalid count argument: The given "count" argument value is unsuitable: it must be greater than or equal to zero.`,
		},
		{
			name: "half a count",
			text: box(`count = 0.5`),
			want: `4: Invalid count argument: The given "count" argument value is unsuitable: it must be a whole number.`,
		},
		{
			name: "count null",
			text: box(`count = null`),
			want: `4: Invalid count argument: The given "count" argument value is unsuitable: it is null.`,
		},
		{
			name: "for_each over a list",
			text: box(`for_each = ["a"]`),
			want: `4: Invalid for_each argument: The given "for_each" argument value is unsuitable: it must be a map, or set of strings, and you have provided a value of type tuple.`,
		},
		{
			name: "for_each over numbers",
			text: box(`for_each = toset([1])`),
			want: `4: Invalid for_each argument: The given "for_each" argument value is unsuitable: sets of strings are allowed, and you have provided a set containing type number.`,
		},
		{
			name: "for_each over a string",
			text: box(`for_each = var.text`),
			want: `4: Invalid for_each argument: The given "for_each" argument value is unsuitable: it must be a map, or set of strings, and you have provided a value of type string.`,
		},
		{
			name: "for_each null",
			text: box(`for_each = null`),
			want: `4: Invalid for_each argument: The given "for_each" argument value is unsuitable: it is null. A map, or set of strings is allowed.`,
		},
		{
			name: "each without for_each",
			text: box(`old = each.key`),
			want: `4: Reference to "each" in context without for_each: The "each" object can be used only in "module" or "resource" blocks, and only when the "for_each" argument is set.`,
		},
		{
			name: "each of nothing",
			text: box(`for_each = {}`, `tags = { a = each.index }`),
			want: `5: Invalid "each" attribute: The "each" object does not have an attribute named "index". The supported attributes are each.key and each.value, the current key and value pair of the "for_each" attribute set.`,
		},
		{
			name: "count without count",
			text: box(`size = count.index`),
			want: `4: Reference to "count" in non-counted context: The "count" object can only be used in "module", "resource", and "data" blocks, and only when the "count" argument is set.`,
		},
		{
			name: "unknown alias",
			text: box(`provider = toy.east`),
			want: `4: Provider configuration not present: There is no provider block for "toy" with the alias "east".`,
		},
		{name: "declared alias", text: "provider \"toy\" {\n  alias = \"east\"\n}\n" + box(`provider = toy.east`)},
		{
			name: "provider as expression",
			text: box(`provider = upper("a")`),
			want: `4: Invalid provider configuration reference: The provider argument requires a provider type name, optionally followed by a period and then a configuration alias.`,
		},
		{
			name: "depends_on nothing",
			text: box("depends_on = [toy_box.nope]"),
			want: `4: Reference to undeclared resource: A managed resource "toy_box" "nope" has not been declared in the root module.`,
		},
		{
			name: "depends_on an attribute",
			text: box("depends_on = [toy_box.one.name]"),
			want: `4: Invalid depends_on reference: References in depends_on must be to a whole object (resource, etc), not to an attribute of an object.`,
		},
		{name: "depends_on a whole resource", text: box("depends_on = [toy_box.many, data.toy_shelf.one]")},
		{
			name: "ignore_changes of nothing",
			text: box("lifecycle {", "ignore_changes = [nope, tags[\"a\"], lid[0].colour]", "}"),
			want: `5: Unsupported attribute: This object has no argument, nested block, or exported attribute named "nope". Did you mean "name"?`,
		},
		{
			name: "ignore_changes of the provider's",
			text: box("lifecycle {", "ignore_changes = [arn]", "}"),
			want: `5: Redundant ignore_changes element (warning): The attribute arn is decided by the provider alone and therefore there can be no configured value to compare with.`,
		},
		{name: "ignore_changes of all", text: box("lifecycle {", "ignore_changes = all", "}")},
		{
			name: "variable in lifecycle",
			text: box("lifecycle {", "prevent_destroy = var.text", "}"),
			want: `5: Variables not allowed: Variables may not be used here.`,
		},
		{
			name: "unknown lifecycle argument",
			text: box("lifecycle {", "nope = 1", "}"),
			want: `5: Unsupported argument: An argument named "nope" is not expected here.`,
		},
		{
			name: "two lifecycles",
			text: box("lifecycle {}", "lifecycle {}"),
			want: `5: Duplicate lifecycle block: "lifecycle" was already declared at a.tf:4,3-12. Names must be unique in a root.`,
		},
		{
			name: "lifecycle of data",
			text: "data \"toy_shelf\" \"x\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}",
			want: `3: Invalid lifecycle argument: The lifecycle argument "prevent_destroy" is defined only for managed resources, and is not valid for a data block.`,
		},
		{name: "triggers", text: box("lifecycle {", "replace_triggered_by = [toy_box.one, toy_box.many[\"a\"].arn]", "}")},
		{
			name: "trigger of nothing",
			text: box("lifecycle {", "replace_triggered_by = [toy_box.nope]", "}"),
			want: `5: Reference to undeclared resource (at plan): A managed resource "toy_box" "nope" has not been declared in the root module.`,
		},
		{
			name: "trigger of a variable",
			text: box("lifecycle {", "replace_triggered_by = [var.text]", "}"),
			want: `5: Invalid reference in replace_triggered_by expression: Only resources can be used in replace_triggered_by.`,
		},
		{name: "conditions", text: box("lifecycle {", "precondition {", "condition = var.text != \"\"", "error_message = \"x\"", "}", "postcondition {", "condition = self.size > 0", "error_message = \"x\"", "}", "}")},
		{
			name: "condition that asks nothing",
			text: box("lifecycle {", "precondition {", "condition = true", "error_message = \"x\"", "}", "}"),
			want: `6: Invalid precondition expression: The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.`,
		},
		{
			name: "self before it exists",
			text: box("lifecycle {", "precondition {", "condition = self.size > 0", "error_message = \"x\"", "}", "}"),
			want: `6: Invalid "self" reference: The "self" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.`,
		},
		{
			name: "condition without a message",
			text: box("lifecycle {", "precondition {", "condition = var.text != \"\"", "}", "}"),
			want: `5: Missing required argument: The argument "error_message" is required, but no definition was found.`,
		},
		{name: "provisioner", text: box("provisioner \"local-exec\" {", "command = self.name", "}")},
		{
			name: "unknown provisioner",
			text: box("provisioner \"chef\" {", "}"),
			want: `4: Unknown provisioner: There is no provisioner "chef".`,
		},
		{
			name: "provisioner without its argument",
			text: box("provisioner \"local-exec\" {", "}"),
			want: `4: Missing required argument: The argument "command" is required, but no definition was found.`,
		},
	})
}
