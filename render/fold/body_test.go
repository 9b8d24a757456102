package fold

import (
	"strings"
	"testing"
)

var bodyRows = []row{
	same("comments and order", `# first
b = 1

/* second */
a = local.x # behind
`),
	{"null drops", `a = 1

# the key
# of two lines
kms_key_id = database.none # behind
b = database.size
`, `a = 1

b = 200
`},
	{"chosen null drops", `# c
a = database.multi ? null : local.x
b = 1
`, `b = 1
`},
	{"constant null stays", `a = null
b = database.size
`, `a = null
b = 200
`},
	{"block comment drops", `a = 1
/* about
   b */
b = database.none
`, `a = 1
`},
	{"when", `x {
  when = database.multi
  a    = 1
}

# gone
y {
  when = database.single
}
`, `x {
  a = 1
}
`},
	{"nested when", `x {
  # gone
  y {
    when = database.single
  }

  z {
    when = database.multi
    b    = 1
  }
}
`, `x {
  z {
    b = 1
  }
}
`},
	{"labels and locals", `resource "aws_db_instance" "this_replica" {
  a = aws_db_instance.this.id
}

locals {
  this_host = "x"
  this      = local.this_host
  that      = 1
}
`, `resource "aws_db_instance" "orders_db_replica" {
  a = aws_db_instance.orders_db.id
}

locals {
  orders_db_host = "x"
  orders_db      = local.orders_db_host
  that           = 1
}
`},
	{"dynamic over a known collection", `x {
  # each client
  dynamic "ingress" {
    for_each = database.clients
    content {
      port = ingress.value.port
      from = aws_security_group[ingress.value.name].id
    }
  }
  a = 1
}
`, `x {
  # each client
  ingress {
    port = 80
    from = aws_security_group.web.id
  }

  ingress {
    port = 81
    from = aws_security_group.batch_job.id
  }
  a = 1
}
`},
	{"dynamic with labels and iterator", `x {
  dynamic "set" {
    for_each = database.zones
    iterator = zone
    labels   = [zone.value, "k${zone.key}"]
    content { a = "${zone.value}-${local.x}" }
  }
}
`, `x {
  set "a" "k0" { a = "a-${local.x}" }
  set "b" "k1" { a = "b-${local.x}" }
}
`},
	{"dynamic over nothing", `x {
  a = 1

  # gone
  dynamic "y" {
    for_each = database.nothing
    content {}
  }
}
`, `x {
  a = 1
}
`},
	{"dynamic that stays", `x {
  dynamic "y" {
    for_each = local.ys[database.size]
    iterator = database
    content {
      a = database.value
      b = "${blueprint.name}-${database.key}"
    }
  }
}
`, `x {
  dynamic "y" {
    for_each = local.ys[200]
    iterator = database
    content {
      a = database.value
      b = "shop-${database.key}"
    }
  }
}
`},
	{"when in content", `x {
  dynamic "y" {
    for_each = database.clients
    content {
      when = y.value.port > 80
      name = y.value.name
    }
  }
}
`, `x {
  y {
    name = "batch-job"
  }
}
`},
	{"set for for_each", `for_each = database.set
`, `for_each = toset(["a", "b"])
`},
	{"names of attributes", `lifecycle {
  ignore_changes = [database, tags]
}
`, `lifecycle {
  ignore_changes = [database, tags]
}
`},
	{"chosen names of attributes", `lifecycle {
  ignore_changes = database.multi ? [database] : []
}
`, `lifecycle {
  ignore_changes = [database]
}
`},
	same("types", `variable "x" {
  type = object({ a = optional(string) })
}
`),
	{"blank lines", `x {

  a = 1


  b = database.name

}



y {
  t = <<EOT


two ${database.name}
EOT
}
`, `x {
  a = 1

  b = "orders-db"
}

y {
  t = <<EOT


two orders-db
EOT
}
`},
	{"object layout", `x {
  tags = database.tags
  many = database.clients
  ids  = { for c in database.clients : c.name => aws_x[c.name].id }
}
`, `x {
  tags = { "a-b" = "x", team = "shop" }
  many = [
    { name = "web", port = 80 },
    { name = "batch-job", port = 81 },
  ]
  ids = {
    web         = aws_x.web.id
    "batch-job" = aws_x.batch_job.id
  }
}
`},
	{"one line", `x { a = database.none }
y { a = database.size }
`, `x {}
y { a = 200 }
`},
}

func TestBody(t *testing.T) {
	t.Parallel()
	for _, r := range bodyRows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got := foldBody(t, r.in)
			if got != r.want {
				t.Errorf("got\n%swant\n%s", got, r.want)
			}
			if again := foldBody(t, got); again != got {
				t.Errorf("folded again:\n%s", again)
			}
		})
	}
}

func foldBody(t *testing.T, src string) string {
	t.Helper()
	out, diags := Body([]byte(src), parseBody(t, src), testScope())
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	text := finalText(out)
	parseBody(t, text)
	return text
}

func TestBlock(t *testing.T) {
	t.Parallel()
	src := `a = 1

# not this

# this
# and this
x "y" "this" {
  a = database.name
} # behind

# gone
z {
  when = database.single
}
`
	body := parseBody(t, src)
	out, ok, diags := Block([]byte(src), body.Blocks[0], testScope())
	if diags.HasErrors() || !ok {
		t.Fatal(ok, diags)
	}
	want := "# this\n# and this\nx \"y\" \"orders_db\" {\n  a = \"orders-db\"\n} # behind"
	if got := out.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if out, ok, diags := Block([]byte(src), body.Blocks[1], testScope()); ok || diags.HasErrors() || out.String() != "" {
		t.Errorf("a block with a false when stayed: %v %s", diags, out)
	}
	if !strings.Contains(src, want[:6]) {
		t.Error("the source changed")
	}
}

// TestBodyOfBlock folds the inside of a block whose braces the caller writes.
func TestBodyOfBlock(t *testing.T) {
	t.Parallel()
	src := "x {\n  # on\n  when = database.multi\n\n  a = database.size\n}\ny {\n  when = database.single\n  a = 1\n}\n"
	body := parseBody(t, src)
	for i, want := range []string{"a = 200\n", ""} {
		out, diags := Body([]byte(src), body.Blocks[i].Body, testScope())
		if got := finalText(out); diags.HasErrors() || got != want {
			t.Errorf("got %q, want %q %v", got, want, diags)
		}
	}
}

// TestCarriageReturns holds that text which was not normalised at load still
// folds to the same lines.
func TestCarriageReturns(t *testing.T) {
	t.Parallel()
	for _, r := range bodyRows {
		in := strings.ReplaceAll(r.in, "\n", "\r\n")
		if strings.Contains(in, "<<") {
			continue // there the lexer makes them part of the text
		}
		if got := foldBody(t, in); got != r.want {
			t.Errorf("%s: got\n%q\nwant\n%q", r.name, got, r.want)
		}
	}
}
