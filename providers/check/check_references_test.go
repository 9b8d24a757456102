package check_test

import "testing"

// value is a local value, for expressions.
func value(text string) string { return "locals {\n  x = " + text + "\n}\n" }

func TestReferences(t *testing.T) {
	runExamples(t, []example{
		{name: "all that exist", text: value(`[toy_box.one.arn, toy_box.many["a"].arn, toy_box.many, data.toy_shelf.one.id, var.text, path.module, terraform.workspace]`)},
		{
			name: "undeclared resource",
			text: value("toy_box.two.arn"),
			want: `2: Reference to undeclared resource: A managed resource "toy_box" "two" has not been declared in the root module.`,
		},
		{
			name: "data without data",
			text: value("toy_shelf.one.id"),
			want: `2: Reference to undeclared resource: A managed resource "toy_shelf" "one" has not been declared in the root module. Did you mean the data resource data.toy_shelf.one?`,
		},
		{
			name: "undeclared variable",
			text: value("var.txt"),
			want: `2: Reference to undeclared input variable: An input variable with the name "txt" has not been declared. Did you mean "text"?`,
		},
		{
			name: "undeclared local",
			text: value("local.y"),
			want: `2: Reference to undeclared local value: A local value with the name "y" has not been declared. Did you mean "x"?`,
		},
		{
			name: "undeclared module",
			text: value("module.y.z"),
			want: `2: Reference to undeclared module: No module call named "y" is declared in the root module.`,
		},
		{
			name: "undeclared data",
			text: value("data.toy_shelf.two.id"),
			want: `2: Reference to undeclared resource: A data resource "toy_shelf" "two" has not been declared in the root module.`,
		},
		{
			name: "unknown attribute",
			text: value("toy_box.one.arm"),
			want: `2: Unsupported attribute: This object has no argument, nested block, or exported attribute named "arm". Did you mean "arn"?`,
		},
		{
			name: "attribute of a list",
			text: value("toy_box.one.lid.colour"),
			want: `2: Invalid operation: Block type "lid" is represented by a list of objects, so it must be indexed using a numeric key, like .lid[0].`,
		},
		{
			name: "attribute of an element",
			text: value("toy_box.one.lid[0].color"),
			want: `2: Unsupported attribute: This object has no argument, nested block, or exported attribute named "color". Did you mean "colour"?`,
		},
		{
			name: "element of a set",
			text: value("toy_box.one.label[0].key"),
			want: `2: Cannot index a set value: Block type "label" is represented by a set of objects, and set elements do not have addressable keys. To find elements matching specific criteria, use a "for" expression with an "if" clause.`,
		},
		{
			name: "attribute of a string",
			text: value("toy_box.one.arn.region"),
			want: `2: Unsupported attribute: Can't access attributes on a primitive-typed value (string).`,
		},
		{
			name: "no instance key",
			text: value("toy_box.many.arn"),
			want: `2: Missing resource instance key: Because toy_box.many has "for_each" set, its attributes must be accessed on specific instances. For example, to correlate with indices of a referring resource, use: toy_box.many[each.key]`,
		},
		{
			name: "too much of a key",
			text: value("toy_box.one[0].arn"),
			want: `2: Unexpected resource instance key: Because toy_box.one does not have "count" or "for_each" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this resource.`,
		},
		{name: "unknown attribute of an instance", text: value(`[for b in toy_box.many : b.arm]`)},
		{
			name: "list for a number",
			text: box("size = toy_box.one.ids"),
			want: `4: Incorrect attribute value type (at plan): Inappropriate value for attribute "size": number required, but have list of string.`,
		},
		{
			name: "itself",
			text: box("size = toy_box.x.size"),
			want: `4: Self-referential block (at plan): Configuration for toy_box.x may not refer to itself.`,
		},
		{
			name: "itself without an instance key",
			text: box("for_each = toset([\"a\"])\n  size     = toy_box.x.size"),
			want: `5: Missing resource instance key: Because toy_box.x has "for_each" set, its attributes must be accessed on specific instances. For example, to correlate with indices of a referring resource, use: toy_box.x[each.key]`,
		},
		{
			name: "an attribute that it does not have itself",
			text: box("size = toy_box.x.sise"),
			want: `4: Unsupported attribute: This object has no argument, nested block, or exported attribute named "sise". Did you mean "size"?`,
		},
		{
			name: "type alone",
			text: value("toy_box"),
			want: `2: Invalid reference: A reference to a resource type must be followed by at least one attribute access, specifying the resource name.`,
		},
		{
			name: "var alone",
			text: value("var"),
			want: `2: Invalid reference: The "var" object cannot be accessed directly. Instead, access one of its attributes.`,
		},
		{
			name: "unknown path",
			text: value("path.home"),
			want: `2: Invalid "path" attribute: The "path" object does not have an attribute named "home".`,
		},
		{
			name: "unknown terraform",
			text: value("terraform.version"),
			want: `2: Invalid "terraform" attribute: The "terraform" object does not have an attribute named "version".`,
		},
		{
			name: "self",
			text: value("self.arn"),
			want: `2: Invalid "self" reference: The "self" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.`,
		},
		{
			name: "each",
			text: value("each.key"),
			want: `2: Reference to "each" in context without for_each: The "each" object can be used only in "module" or "resource" blocks, and only when the "for_each" argument is set.`,
		},
		{
			name: "reserved word",
			text: value("template.x"),
			want: `2: Reserved symbol name: The symbol name "template" is reserved for use in a future Terraform version.`,
		},
		{
			name: "cycle of locals",
			text: "locals {\n  a = local.b\n  b = local.a\n}",
			want: `2: Cycle: These need each other, so none of them can come first: local.a, local.b.`,
		},
		{
			name: "local cycle of one",
			text: "locals {\n  a = local.a\n}",
			want: `2: Cycle: These need each other, so none of them can come first: local.a.`,
		},
		{
			name: "cycle of resources",
			text: "resource \"toy_box\" \"p\" {\n  name = toy_box.q.arn\n  lid {}\n}\nresource \"toy_box\" \"q\" {\n  name = local.p\n  lid {}\n}\nlocals {\n  p = toy_box.p.arn\n}",
			want: `1: Cycle: These need each other, so none of them can come first: local.p, toy_box.p, toy_box.q.`,
		},
		{
			name: "ephemeral into an argument",
			text: "ephemeral \"toy_key\" \"k\" {}\n" + box("old = ephemeral.toy_key.k.value"),
			want: `5: Argument is deprecated (warning): The argument "old" is deprecated.
5: Invalid use of ephemeral value: Ephemeral values are not valid for "old", because it is not a write-only attribute and must be persisted to state.`,
		},
		{name: "ephemeral into a write-only argument", text: "ephemeral \"toy_key\" \"k\" {}\n" + box("secret_wo = ephemeral.toy_key.k.value")},
	})
}

func TestFunctions(t *testing.T) {
	runExamples(t, []example{
		{name: "known functions", text: value(`[cidrsubnet("10.0.0.0/16", 8, 3), cidrhost("10.0.0.0/24", -2), core::upper("a"), provider::toy::fold("a"), try(1, 2)]`)},
		{
			name: "unknown function",
			text: value("uper(1)"),
			want: `2: Call to unknown function: There is no function named "uper". Did you mean "upper"?`,
		},
		{
			name: "unknown function of a provider",
			text: value(`provider::toy::unfold("a")`),
			want: `2: Call to unknown function: There is no function named "unfold" in namespace provider::toy::.`,
		},
		{
			name: "too few arguments",
			text: value("upper()"),
			want: `2: Not enough function arguments: Function "upper" expects 1 argument(s). Missing value for "str".`,
		},
		{
			name: "too many arguments",
			text: value(`upper("a", "b")`),
			want: `2: Too many function arguments: Function "upper" expects only 1 argument(s).`,
		},
		{
			name: "wrong argument",
			text: value(`upper(["a"])`),
			want: `2: Invalid function argument: Invalid value for "str" parameter: string required, but have tuple.`,
		},
		{
			name: "length of a number",
			text: value("length(5)"),
			want: `2: Invalid function argument: Invalid value for "value" parameter: argument must be a string, a collection type, or a structural type.`,
		},
		{
			name: "removed function",
			text: value("list(1)"),
			want: `2: Error in function call: Call to function "list" failed: the "list" function was deprecated in Terraform v0.12 and is no longer available; use tolist([ ... ]) syntax to write a literal.`,
		},
		{
			name: "bad network",
			text: value(`cidrsubnet("10.0.0.0", 8, 3)`),
			want: `2: Invalid function argument: Invalid value for "prefix" parameter: invalid CIDR expression: invalid CIDR address: 10.0.0.0.`,
		},
		{
			name: "network too small",
			text: value(`cidrsubnet("10.0.0.0/30", 8, 3)`),
			want: `2: Error in function call: Call to function "cidrsubnet" failed: insufficient address space to extend prefix of 30 by 8.`,
		},
		{
			name: "host too large",
			text: value(`cidrhost("10.0.0.0/30", 8)`),
			want: `2: Error in function call: Call to function "cidrhost" failed: prefix of 30 does not accommodate a host numbered 8.`,
		},
		{
			name: "lookup of a missing key",
			text: value(`lookup({ a = 1 }, "b")`),
			want: `2: Error in function call: Call to function "lookup" failed: lookup failed to find key "b".`,
		},
		{
			name: "missing file",
			text: value(`file("nope")`),
			want: `2: Invalid function argument: Invalid value for "argument" parameter: no file exists at "nope".`,
		},
		{name: "text as template", text: value("templatestring(local.t, { name = 1 })") + "locals {\n  t = \"hi $${name}\"\n}\n"},
		{
			name: "literal as template",
			text: value("templatestring(\"a\", {})"),
			want: `2: Invalid function argument: Invalid value for "template" parameter: must be a direct reference to a single string from elsewhere, containing valid template syntax.`,
		},
		{
			name: "text as template without its variable",
			text: value("templatestring(local.t, {})") + "locals {\n  t = \"hi $${name}\"\n}\n",
			want: `2: Invalid function argument: Invalid value for "vars" parameter: vars map does not contain key "name", referenced at template:1,6-10.`,
		},
		{name: "template", text: value("templatefile(\"${path.module}/files/good.tftpl\", { name = var.text })")},
		{
			name: "template without its variable",
			text: value("templatefile(\"${path.module}/files/good.tftpl\", { nome = var.text })"),
			want: `2: Invalid function argument: Invalid value for "vars" parameter: vars map does not contain key "name", referenced at files/good.tftpl:1,9-13.`,
		},
		{
			name: "broken template",
			text: value("templatefile(\"files/bad.tftpl\", {})"),
			want: `2: Invalid function argument: Invalid value for "path" parameter: files/bad.tftpl:1,9-9: Missing expression; Expected the start of an expression, but found the end of the file..`,
		},
	})
}

func TestDeclarations(t *testing.T) {
	runExamples(t, []example{
		{
			name: "syntax",
			text: "locals {\n  a = \n}",
			want: `2: Invalid expression: Expected the start of an expression, but found an invalid expression token.`,
		},
		{
			name: "unknown top-level block",
			text: "resources \"a\" \"b\" {}",
			want: `1: Unsupported block type: Blocks of type "resources" are not expected here. Did you mean "resource"?`,
		},
		{
			name: "top-level argument",
			text: "a = 1",
			want: `1: Unsupported argument: An argument named "a" is not expected here.`,
		},
		{
			name: "one label",
			text: "resource \"toy_box\" {}",
			want: `1: Missing name for resource: All resource blocks must have 2 labels (type, name).`,
		},
		{
			name: "three labels",
			text: "resource \"toy_box\" \"a\" \"b\" {}",
			want: `1: Extraneous label for resource: Only 2 labels (type, name) are expected for resource blocks.`,
		},
		{
			name: "bad name",
			text: "resource \"toy_box\" \"1 a\" {\n  name = \"x\"\n  lid {}\n}",
			want: `1: Invalid resource name: A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.`,
		},
		{
			name: "unknown type",
			text: "resource \"toy_bix\" \"a\" {}",
			want: `1: Invalid resource type: The provider registry.terraform.io/example/toy does not support resource type "toy_bix". Did you mean "toy_box"?`,
		},
		{
			name: "unknown data source",
			text: "data \"toy_box\" \"a\" {}",
			want: `1: Invalid data source: The provider registry.terraform.io/example/toy does not support data source "toy_box".`,
		},
		{
			name: "unknown provider",
			text: "resource \"tay_box\" \"a\" {}",
			want: `1: Missing required provider: No schema is known of a provider "tay".`,
		},
		{
			name: "resource twice",
			text: "resource \"toy_box\" \"one\" {\n  name = \"x\"\n  lid {}\n}",
			want: `2: Duplicate resource: "toy_box.one" was already declared at a.tf:1,1-25. Names must be unique in a root.`,
		},
		{
			name: "variable twice",
			text: "variable \"text\" {}",
			want: `15: Duplicate variable declaration: "text" was already declared at a.tf:1,1-16. Names must be unique in a root.`,
		},
		{
			name: "local twice",
			text: "locals {\n  a = 1\n}\nlocals {\n  a = 1\n}",
			want: `5: Duplicate local value definition: "a" was already declared at a.tf:2,3-4. Names must be unique in a root.`,
		},
		{
			name: "output twice",
			text: "output \"a\" {\n  value = 1\n}\noutput \"a\" {\n  value = 1\n}",
			want: `4: Duplicate output definition: "a" was already declared at a.tf:1,1-11. Names must be unique in a root.`,
		},
		{
			name: "provider twice",
			text: "provider \"toy\" {}\nprovider \"toy\" {}",
			want: `2: Duplicate provider configuration: "toy" was already declared at a.tf:1,1-15. Names must be unique in a root.`,
		},
		{name: "unused provider", text: "provider \"toy\" {\n  alias = \"east\"\n  nope  = 1\n}"},
		{
			name: "used provider",
			text: "provider \"toy\" {\n  nope  = 1\n}",
			want: `2: Unsupported argument: An argument named "nope" is not expected here.`,
		},
		{
			name: "default of another type",
			text: "variable \"a\" {\n  type = number\n  default = \"a\"\n}",
			want: `3: Invalid default value for variable: This default value is not compatible with the variable's type constraint: a number is required.`,
		},
		{
			name: "type of no kind",
			text: "variable \"a\" {\n  type = text\n}",
			want: `2: Invalid type specification: The keyword "text" is not a valid type specification.`,
		},
		{
			name: "reserved variable",
			text: "variable \"count\" {}",
			want: `1: Invalid variable name: The variable name "count" is reserved due to its special meaning inside module blocks.`,
		},
		{
			name: "validation of another",
			text: "variable \"a\" {\n  validation {\n    condition = var.text != \"\"\n    error_message = \"x\"\n  }\n}",
			want: `3: Invalid variable validation condition: The condition for variable "a" must refer to var.a in order to test incoming values.`,
		},
		{
			name: "output without value",
			text: "output \"a\" {}",
			want: `1: Missing required argument: The argument "value" is required, but no definition was found.`,
		},
		{
			name: "ephemeral output",
			text: "ephemeral \"toy_key\" \"k\" {}\noutput \"a\" {\n  value = ephemeral.toy_key.k.value\n}",
			want: `3: Ephemeral value not allowed: This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.`,
		},
		{
			name: "two sets of requirements",
			text: "terraform {\n  required_providers {}\n  required_providers {}\n}",
			want: `3: Duplicate required_providers configuration: "required_providers" was already declared at a.tf:2,3-21. Names must be unique in a root.`,
		},
		{
			name: "other source",
			text: "terraform {\n  required_providers {\n    toy = {\n      source = \"example/ball\"\n    }\n  }\n}",
			want: `3: Missing required provider: The provider "toy" is required from example/ball, but its schema is that of registry.terraform.io/example/toy.`,
		},
		{
			name: "bad version",
			text: "terraform {\n  required_version = \"new\"\n}",
			want: `2: Invalid version constraint: This string does not use correct version constraint syntax.`,
		},
		{name: "moved data", text: "moved {\n  from = data.toy_box.a\n  to = data.toy_box.b\n}"},
		{
			name: "removed data",
			text: "removed {\n  from = data.toy_shelf.gone\n}",
			want: `2: Invalid address: Only managed resources and modules can be removed.`,
		},
		{
			name: "removed instance",
			text: "removed {\n  from = toy_box.gone[0]\n}",
			want: `2: Resource instance address not allowed: This address must name a whole resource or module, without an instance key.`,
		},
		{name: "moved", text: "moved {\n  from = toy_box.a\n  to = toy_box.b[\"k\"]\n}"},
		{
			name: "moved to a module",
			text: "moved {\n  from = toy_box.a\n  to = module.b\n}",
			want: `1: Invalid "moved" addresses: The "from" and "to" addresses must either both refer to resources or both refer to modules.`,
		},
		{
			name: "removed but there",
			text: "removed {\n  from = toy_box.one\n}",
			want: `2: Removed resource still exists: This statement declares that toy_box.one was removed, but it is still declared in the configuration.`,
		},
		{
			name: "import into nothing",
			text: "import {\n  to = toy_box.nope\n  id = \"x\"\n}",
			want: `2: Configuration for import target does not exist (at plan): The configuration for the given import target toy_box.nope does not exist. All target instances must have an associated configuration to be imported.`,
		},
		{
			name: "check of nothing",
			text: "check \"a\" {}",
			want: `1: Zero assert blocks: Check blocks must have at least one assert block.`,
		},
		{name: "check", text: "check \"a\" {\n  data \"toy_shelf\" \"b\" {}\n  assert {\n    condition = data.toy_shelf.b.id != \"\"\n    error_message = \"x\"\n  }\n}"},
	})
}
