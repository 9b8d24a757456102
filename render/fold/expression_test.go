package fold

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

type row struct{ name, in, want string }

// same is a row whose text must stay as it is, byte for byte.
func same(name, in string) row { return row{name, in, in} }

var expressionRows = []row{
	// Names and literals.
	{"string", `database.name`, `"orders-db"`},
	{"number", `database.size`, `200`},
	{"bool", `database.multi`, `true`},
	{"list", `database.zones`, `["a", "b"]`},
	{"empty list", `database.nothing`, `[]`},
	{"object", `database.tags`, `{ "a-b" = "x", team = "shop" }`},
	{"object key for", `database.for`, `{ "for" = 1 }`},
	{"long list", `database.many`, "[\n\"alpha-alpha-alpha-alpha\",\n\"bravo-bravo-bravo-bravo\",\n\"charlie-charlie-charlie\",\n\"delta-delta-delta\",\n\"echo-echo-echo\",\n]"},
	{"splat", `database.clients[*].name`, `["web", "batch-job"]`},
	{"third", `database.third`, `0.3333333333333333`},
	{"arithmetic", `database.size * 2 + 1`, `401`},
	{"operand", `local.x + database.size`, `local.x + 200`},
	{"negative operand", `local.x - database.negative`, `local.x - (-3)`},
	{"negative alone", `database.negative`, `-3`},
	{"number before a dot", `database.clients[0][local.k]`, `{ name = "web", port = 80 }[local.k]`},
	same("numbers", `[10.1200, 1e400, local.x]`),
	same("constants", `upper("a")`),
	same("constant arithmetic", `local.a[1 + 1]`),
	{"comments", `/* c */ [local.x + /* d */ database.size]`, `/* c */ [local.x + /* d */ 200]`},
	{"constructor layout", "[\n  database.name, # the name\n\n  \"x\",\n]", "[\n  \"orders-db\", # the name\n\n  \"x\",\n]"},
	{"pure function", `upper(database.name)`, `"ORDERS-DB"`},
	{"function of Terraform", `file("${database.name}.txt")`, `file("orders-db.txt")`},
	{"provider function", `provider::aws::f(database.name)`, `provider::aws::f("orders-db")`},
	{"encoder", `jsonencode({ a = database.size })`, `jsonencode({ a = 200 })`},
	{"encoder of a value", `jsonencode(database.zones)`, `"[\"a\",\"b\"]"`},
	{"set operand", `local.x == database.set`, `local.x == toset(["a", "b"])`},
	{"set", `database.set`, `["a", "b"]`},
	{"expanded argument", `max(local.x, database.zones...)`, `max(local.x, ["a", "b"]...)`},

	// Lists that are all written out are joined.
	{"joined lists", `concat([local.a, database.name], [local.b])`, `[local.a, "orders-db", local.b]`},
	{"joined with unrolled", "concat(\n  [\n    local.a, # first\n  ],\n  [for z in database.zones : file(z)],\n)", "concat(\n  [\n    local.a, # first\n  ],\n  [file(\"a\"), file(\"b\")],\n)"},
	{"joined lines", "concat(\n  [\n    # The first.\n    { a = local.a },\n    database.name, # why\n    local.b\n  ],\n  [for z in database.zones : file(z)],\n)", "[\n# The first.\n    { a = local.a },\n    \"orders-db\", # why\n    local.b,\nfile(\"a\"), file(\"b\"),\n]"},
	{"joined choice", `concat([local.a], database.multi ? [local.b] : [], database.single ? [local.c] : [])`, `[local.a, local.b]`},
	{"joined to nothing", `concat(database.single ? [local.a] : [])`, `[]`},
	{"joined in a template", "\"${join(\",\", concat([local.y], [database.name]))}!\"", "\"${join(\",\", [local.y, \"orders-db\"])}!\""},
	{"joined before an index", `concat([local.a, database.name], [local.b])[0]`, `[local.a, "orders-db", local.b][0]`},
	{"joined with a list of Terraform", `concat([database.name], local.l)`, `concat(["orders-db"], local.l)`},
	{"joined where a comment stands between", "concat([database.name, local.a], # those\n[local.b])", "concat([\"orders-db\", local.a], # those\n[local.b])"},
	{"joined after a heredoc", "concat([database.name, <<-E\n  ${local.y}\nE\n], [local.b])", "concat([\"orders-db\", <<-E\n  ${local.y}\nE\n], [local.b])"},
	same("joined without anything known", `concat([local.a], [local.b])`),

	// A call whose arguments turn out to be known is computed after all.
	{"settled by its branches", `join(",", [for z in database.zones : database.multi ? "z-${z}" : local.z])`, `"z-a,z-b"`},
	{"settled as a number", `max(database.multi ? 3 : local.x, 2)`, `3`},
	{"settled before an operator", `local.x - max(database.multi ? -3 : local.x, -5)`, `local.x - (-3)`},
	{"settled inside another call", `upper(join("", [for n in ["x"] : database.multi ? n : local.z]))`, `"X"`},
	{"settled to nothing", `join(",", [for z in database.nothing : local.z])`, `""`},
	{"not settled", `join(",", [for z in database.zones : database.multi ? local.z : z])`, `join(",", [local.z, local.z])`},
	{"not settled by a function of Terraform", `join(",", [for z in ["x"] : database.multi ? file(z) : local.z])`, `join(",", [file("x")])`},
	{"lines stay as they were laid out", "join(\"\\n\", [\n  database.multi ? \"a\" : local.z,\n  \"b\",\n])", "join(\"\\n\", [\n  \"a\",\n  \"b\",\n])"},
	{"lists stay", `toset([database.multi ? "a" : local.z])`, `toset(["a"])`},
	{"comments stay", "join(\",\", [\n  database.multi ? \"a\" : local.z, # why\n])", "join(\",\", [\n  \"a\", # why\n])"},
	{"encoders stay", `jsonencode([database.multi ? "a" : local.z])`, `jsonencode(["a"])`},
	{"in a template", `"${join(",", [database.multi ? "a" : local.z])} ${local.y}"`, `"${join(",", ["a"])} ${local.y}"`},

	// Splats and old spellings stay.
	same("splat of attributes", `local.a.*.b[0]`),
	same("full splat", `local.a[*].b[0]`),
	same("old index", `local.a.0.b`),
	{"key of a splat", `local.a[*].b[database.size]`, `local.a[*].b[200]`},

	// Conditionals.
	{"true", `database.multi ? local.a : local.b`, `local.a`},
	{"false", `database.single ? local.a : local.b`, `local.b`},
	{"dead branch", `database.multi ? local.a : database.missing`, `local.a`},
	{"in parentheses", `(database.multi ? local.a : local.b)`, `local.a`},
	{"term as operand", `local.x + (database.multi ? local.a : local.b)`, `local.x + local.a`},
	{"operation as operand", `local.x * (database.multi ? local.a + 1 : local.b)`, `local.x * (local.a + 1)`},
	{"negative as operand", `local.x - (database.multi ? -3 : local.b)`, `local.x - (-3)`},
	{"before a dot", `(database.multi ? local.a : local.b).id`, `local.a.id`},
	{"splat before a dot", `(database.multi ? local.a[*] : local.b).id`, `(local.a[*]).id`},
	{"nested", `database.multi ? (database.single ? local.a : (local.b + 1)) : local.c`, `local.b + 1`},
	{"dynamic with static parts", `local.x ? database.size : database.negative`, `local.x ? 200 : -3`},
	{"types of branches", `database.multi ? 1 : "a"`, `"1"`},
	{"chosen constructor", `database.multi ? [database.name, local.x] : []`, `["orders-db", local.x]`},
	{"differing objects", `database.multi ? { a = 1 } : { b = [] }`, `{ a = 1 }`},
	same("constant condition", `true ? local.a : local.b`),
	{"glue", `[for x in local.l : x if(database.multi ? local.a : local.b)]`, `[for x in local.l : x if local.a]`},
	{"line break", "(database.multi ? local.a +\n local.b : 1)", "(local.a +\n local.b)"},
	{"heredoc", "(database.multi ? <<EOT\nx ${local.y}\nEOT\n : \"\")", "(<<EOT\nx ${local.y}\nEOT\n)"},

	// Short circuits.
	{"and true", `database.multi && local.x`, `local.x`},
	{"and false", `database.single && local.x`, `false`},
	{"or true", `database.multi || local.x`, `true`},
	{"or false", `database.single || local.x`, `local.x`},
	{"right", `local.x == 1 && database.multi`, `local.x == 1`},
	{"guard", `database.single && database.missing == local.x`, `false`},

	// try and can.
	{"try missing", `try(database.missing, local.x)`, `local.x`},
	{"try present", `try(database.size, local.x)`, `200`},
	{"try later", `try(local.x, database.missing, database.size, local.y)`, `try(local.x, 200)`},
	{"try keeps", `try(local.x, database.size)`, `try(local.x, 200)`},
	{"try template", `try("${database.missing}${local.x}", 1)`, `1`},
	{"can missing", `can(database.missing)`, `false`},
	{"can present", `can(database.size)`, `true`},
	same("can dynamic", `can(local.x)`),

	// Objects.
	{"bare key is text", `{ database = database.size }`, `{ database = 200 }`},
	{"computed key", `{ (database.name) = local.x }`, `{ "orders-db" = local.x }`},
	{"template key", `{ "${database.name}-x" = local.x }`, `{ "orders-db-x" = local.x }`},
	{"key for", `{ (keys(database.for)[0]) = local.x }`, `{ "for" = local.x }`},
	same("constant duplicates", `{ a = 1, a = local.x }`),

	// Loops.
	same("loop", `[for x in local.xs : x.n if x.ok]`),
	{"loop over a known list", `[for z in database.zones : z]`, `["a", "b"]`},
	{"unrolled list", `[for z in database.zones : "${local.r}${z}"]`, `["${local.r}a", "${local.r}b"]`},
	{"unrolled object", `{ for c in database.clients : c.name => aws_security_group[c.name].id }`,
		"{\nweb = aws_security_group.web.id\n\"batch-job\" = aws_security_group.batch_job.id\n}"},
	{"unrolled with condition", `[for c in database.clients : local.x[c.port] if c.port > 80]`, `[local.x[81]]`},
	{"unrolled with index", `[for i, z in database.zones : local.x[i]]`, `[local.x[0], local.x[1]]`},
	{"unrolled empty list", `[for z in database.nothing : local.x[z]]`, `[]`},
	{"unrolled empty object", `{ for z in database.nothing : z => local.x }`, `{}`},
	{"grouped", `{ for z in database.zones : z => local.x... }`, `{ for z in ["a", "b"] : z => local.x... }`},
	{"condition for Terraform", `[for z in database.zones : z if local.ok]`, `[for z in ["a", "b"] : z if local.ok]`},
	{"key for Terraform", `{ for z in database.zones : local.p[z] => database.size }`, `{ for z in ["a", "b"] : local.p[z] => 200 }`},
	{"captured name", `[for database in local.xs : database.n]`, `[for database in local.xs : database.n]`},
	{"inner loop", `[for z in database.zones : [for y in local.l : "${z}${y}"]]`, `[[for y in local.l : "a${y}"], [for y in local.l : "b${y}"]]`},
	{"inner loop hides", `[for z in database.zones : [for z in local.l : z]]`, `[[for z in local.l : z], [for z in local.l : z]]`},
	{"literal collection", `[for z in ["a"] : "${database.name}-${local.y}-${z}"]`, `["orders-db-${local.y}-a"]`},

	// Addresses.
	{"this", `aws_db_instance.this.id`, `aws_db_instance.orders_db.id`},
	{"this with suffix", `aws_db_instance.this_replica[0].id`, `aws_db_instance.orders_db_replica[0].id`},
	{"this of data", `data.aws_iam_role.this.arn`, `data.aws_iam_role.orders_db.arn`},
	{"this of ephemeral", `ephemeral.x.this.y`, `ephemeral.x.orders_db.y`},
	{"local this", `local.this_host`, `local.orders_db_host`},
	{"var this", `var.this`, `var.orders_db`},
	{"module this", `module.this.x`, `module.orders_db.x`},
	same("not the name", `aws_db_instance.x.this`),
	same("each", `each.this`),
	same("path", `path.this`),
	same("terraform", `terraform.this`),
	same("longer word", `local.thisx`),
	same("type of data", `data.this.x`),
	{"hidden root", `[for aws in local.x : aws.this]`, `[for aws in local.x : aws.this]`},
	{"other", `aws_security_group[database.name].id`, `aws_security_group.orders_db.id`},
	{"other with suffix", `aws_security_group["${database.name}_replica"][0].id`, `aws_security_group.orders_db_replica[0].id`},
	{"other local", `local["${database.name}_host"]`, `local.orders_db_host`},
	{"other data", `data.aws_x[database.name].arn`, `data.aws_x.orders_db.arn`},
	{"other splat", `aws_x[database.name][*].id`, `aws_x.orders_db[*].id`},
	{"number is an index", `local[database.size]`, `local[200]`},
	{"index of an instance", `aws_x.this[database.name].id`, `aws_x.orders_db["orders-db"].id`},
	same("index of each", `aws_x.y[each.key]`),

	// Templates.
	{"static template", `"${database.name}"`, `"orders-db"`},
	{"static mixed template", `"${blueprint.name}-${database.name}"`, `"shop-orders-db"`},
	{"lone keeps type", `"${database.size}"`, `200`},
	{"mixed", `"${blueprint.name}-${database.name}-replica-${each.key}"`, `"shop-orders-db-replica-${each.key}"`},
	same("lone", `"${local.x}"`),
	{"lone inner", `"${local.x[database.size]}"`, `"${local.x[200]}"`},
	{"empty beside a lone", `"${database.empty}${local.x}"`, `"${""}${local.x}"`},
	{"quote beside", `"${"a" == local.x} z ${database.size}"`, `"${"a" == local.x} z 200"`},
	{"known in an interpolation", `"${upper("x") == local.x ? database.name : "2"} z"`, `"${upper("x") == local.x ? "orders-db" : "2"} z"`},
	{"line breaks", `"pre ${database.nl} ${local.x}"`, `"pre a\nEOT\nb ${local.x}"`},
	{"escapes", `"${database.interp}${local.x}"`, `"$${x} %%{y}${local.x}"`},
	{"dollar at the end", `"${database.dollar}${local.x}"`, `"${"cost$"}${local.x}"`},
	{"percent before a brace", `"100%${database.brace}${local.x}"`, `"100%${"{x}"}${local.x}"`},
	{"trim", `"a ${~ database.name ~} b ${local.x}"`, `"a ${~ "orders-db" ~} b ${local.x}"`},
	{"beside a trim", `"x ${database.empty}${~ local.x}"`, `"x ${""}${~ local.x}"`},
	{"through a trim", `"${database.blank} ${~ local.x}"`, `"${"  in  "} ${~ local.x}"`},
	{"conditional", `"${database.multi ? local.a : local.b}-x"`, `"${local.a}-x"`},
	{"conditional to text", `"${database.multi ? "a" : local.b}-${local.x}"`, `"a-${local.x}"`},
	{"object inside", `"${length(local.x[database.tags])} a"`, `"${length(local.x[{ "a-b" = "x", team = "shop" }])} a"`},
	same("escaped markers", `"$${database.name} %%{ if database } ${local.x}"`),
	same("if directive", `"%{ if local.x }a%{ else }b%{ endif }"`),
	same("for directive", `"%{ for x in local.xs }${x}%{ endfor }"`),
	{"static if", `"%{ if database.multi }a%{ else }b%{ endif } ${local.x}"`, `"a ${local.x}"`},
	{"static for", `"%{ for z in database.zones }${z},%{ endfor }${local.x}"`, `"a,b,${local.x}"`},
	{"for over a known list", `"%{ for z in database.zones }${z}${local.x}${database.name}%{ endfor }"`, `"%{ for z in ["a", "b"] }${z}${local.x}orders-db%{ endfor }"`},
	{"if around known", `"%{ if local.x }${database.name}%{ else }${database.size}%{ endif }"`, `"%{ if local.x }orders-db%{ else }200%{ endif }"`},
	{"empty if", `"%{ if local.x }%{ endif }${database.name}"`, `"%{ if local.x }%{ endif }orders-db"`},
	{"literal in if", `"%{ if local.x }${5}%{ endif }${database.name}"`, `"%{ if local.x }${5}%{ endif }orders-db"`},

	{"pruned if", `"a%{ if database.multi } ${local.x}%{ else }${database.missing}%{ endif }b"`, `"a ${local.x}b"`},
	{"pruned else", `"a%{ if database.single }${local.y} %{ else } ${local.x}${database.name}%{ endif }b"`, `"a ${local.x}orders-dbb"`},
	{"pruned to nothing", `"a%{ if database.single }${local.y}%{ endif }b${local.x}"`, `"ab${local.x}"`},
	{"pruned would be lone", `"%{ if database.multi }${local.x}%{ endif }"`, `"%{ if true }${local.x}%{ endif }"`},
	{"pruned would make a marker", `"$%{ if database.multi }{${local.x}}%{ endif }"`, `"$%{ if true }{${local.x}}%{ endif }"`},
	{"pruned with trims", `"a %{ if database.multi ~} b ${local.x} %{~ endif ~} c"`, `"a %{ if true ~} b ${local.x} %{~ endif ~} c"`},
	{"pruned inside for", `"%{ for x in local.xs }%{ if database.multi }${x}-%{ endif }%{ endfor }"`, `"%{ for x in local.xs }${x}-%{ endfor }"`},
	{"pruned twice", `"%{ if database.multi }a%{ if database.single }b%{ endif }${local.x}%{ endif }"`, `"a${local.x}"`},

	// Heredocs.
	// There HCL takes no indent off a line behind a trim, so the text is not the branch's.
	{"flush lines stay", "<<-EOT\n  a\n  %{ if database.multi ~}\n  b ${local.x}\n  %{ endif ~}\n  EOT\n", "<<-EOT\n  a\n  %{ if true ~}\n  b ${local.x}\n  %{ endif ~}\n  EOT"},
	{"object in a heredoc", "<<EOT\n${jsonencode(merge(database.clients[0], { a = local.x }))}\nEOT\n", "<<EOT\n${jsonencode(merge({ name = \"web\", port = 80 }, { a = local.x }))}\nEOT"},
	{"pruned lines of else", "<<EOT\n%{ if database.single ~}\nb ${local.x}\n%{ else ~}\nc ${database.name}\n%{ endif ~}\nd\nEOT\n", "<<EOT\nc orders-db\nd\nEOT"},
	{"pruned lines without trims", "<<EOT\n%{ if database.multi }\nb\n%{ endif }\nEOT\n", "<<EOT\n%{ if true }\nb\n%{ endif }\nEOT"},
	{"heredoc text", "<<EOT\n  ${database.name} \"x\"\nEOT\n", "<<EOT\n  orders-db \"x\"\nEOT"},
	{"flush heredoc", "<<-EOT\n    ${database.name} x\n  y ${local.x}\n  EOT\n", "<<-EOT\n    orders-db x\n  y ${local.x}\n  EOT"},
	{"flush heredoc and blanks", "<<-EOT\n    ${database.blank}x\n  y\n  EOT\n", "<<-EOT\n    ${\"  in  \"}x\n  y\n  EOT"},
	{"heredoc line breaks", "<<EOT\nx ${database.nl}\nEOT\n", "<<EOT\nx ${\"a\\nEOT\\nb\"}\nEOT"},
	{"heredoc marker", "<<EOT\n${database.marker}\nEOT\n", "<<EOT\n${\"EOT\"}\nEOT"},
	{"heredoc escapes", "<<EOT\nx ${database.interp} \\n\nEOT\n", "<<EOT\nx $${x} %%{y} \\n\nEOT"},
	same("heredoc kind", "<<EOT\n  a\n    b\nEOT"),
}

func TestExpression(t *testing.T) {
	t.Parallel()
	for _, r := range expressionRows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got := foldExpr(t, r.in)
			if got != r.want {
				t.Errorf("%s\n got %s\nwant %s", r.in, got, r.want)
			}
			if again := foldExpr(t, got); again != got {
				t.Errorf("folded again, %s became %s", got, again)
			}
		})
	}
}

func foldExpr(t *testing.T, src string) string {
	t.Helper()
	if strings.Contains(src, "EOT") && !strings.HasSuffix(src, "\n") && !strings.HasSuffix(src, ")") {
		src += "\n"
	}
	e, diags := hclsyntax.ParseExpression([]byte(src), "pack.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	out, diags := Expression([]byte(src), e, testScope())
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	text := out.String()
	// Text around the expression is the caller's: comments before it.
	text = src[:e.Range().Start.Byte] + text
	return text
}
