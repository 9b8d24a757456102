package examples_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// TestShowSaysTheSame renders what `scaffold show` prints of every example and of
// blueprints made at random: the files are the same to the byte, and so is what
// is told.
func TestShowSaysTheSame(t *testing.T) {
	for _, name := range append(examples(t), rest) {
		file := filepath.Join(name, "scaffold.hcl")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, _ := blueprints.Parse(text, file)
			for _, env := range orNone(src.Environments()) {
				targets := []string{""}
				if depth() != "quick" {
					targets = append(targets, src.Targets()...)
				}
				for _, target := range targets {
					if !showsTheSame(t, text, file, env, target) {
						t.Errorf("%s is refused", file)
					}
				}
			}
		})
	}
	shown, many := 0, seeds()/3
	for seed := range many {
		made := blueprint(seed)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			if showsTheSame(t, []byte(made.text), "scaffold.hcl", made.environment, "") {
				shown++
			}
		})
	}
	if shown < int(many)/4 {
		t.Errorf("of %d blueprints made at random only %d could be shown", many, shown)
	}
}

// TestShowOfOddBlueprints does the same for what no example has: values that
// differ by target and environment, rules that are answered, and numbers and texts that are
// hard to write.
func TestShowOfOddBlueprints(t *testing.T) {
	const text = `
blueprint "odd" {
  profile = "high-availability"
  labels  = { team = "a-${var.part}", part = local.part, for = "all" }
}

target "aws" { region = "eu-west-1" }
target "kubernetes" {}

variable "part" { default = "shop" }
locals {
  part  = "${var.part}-1"
  third = 1 / 3
}

database "orders" {
  memory = "16GiB"
}

service "web" {
  image           = "ghcr.io/acme/web:1"
  cpu             = 1 + local.third
  needs           = [database.orders, service.api]
  request_timeout = 20 / 3
  environment     = { GREETING = "say \"$${hi}\" %%{ now }\t# no comment é", for = "y" }
  auto_scaling_group {
    max = 24
  }
  elastic_load_balancing {
    domain = "shop.example.com"
  }
  aws {
    cpu    = 4
    memory = "8GiB"
    auto_scaling_group {
      max = 20
      schedule "night" {
        cron = "0 22 * * *"
        min  = 3
      }
    }
  }
  kubernetes {
    cpu = 2
    rolling_updates {}
  }
  # scaffold:ignore database.connections the reports, which hold most of them, never run at the peak
  pool = 40
}

service "api" {
  image = "ghcr.io/acme/api:1"
  cpu   = 1 + local.third
  needs = [database.orders]
  pool  = 20
  auto_scaling_group { max = 30 }
}

environment "staging" {
  service "web" {
    auto_scaling_group { max = 12 }
  }
  service "extra" { image = "ghcr.io/acme/extra:1" }
  database "orders" { memory = "32GiB" }
}
environment "production" {}
`
	for _, env := range []string{"staging", "production"} {
		for _, target := range []string{"", "aws", "kubernetes"} {
			t.Run(env+"/"+target, func(t *testing.T) {
				if !showsTheSame(t, []byte(text), "scaffold.hcl", env, target) {
					t.Error("it is refused")
				}
			})
		}
	}
}

func orNone(envs []string) []string {
	if len(envs) == 0 {
		return []string{""}
	}
	return envs
}

// showsTheSame shows a blueprint and renders what is shown; false where the
// blueprint is refused.
func showsTheSame(t *testing.T, text []byte, file, env, target string) bool {
	t.Helper()
	sel := project.Selection{Environment: env, Target: target}
	p := parsed(t, text, file)
	roots, before := p.Render(sel)
	if before.HasErrors() {
		return false
	}
	shown, diags := p.Show(sel)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if !bytes.Equal(shown, hclwrite.Format(shown)) {
		t.Error("what is shown is not formatted")
	}
	again := parsed(t, shown, file)
	rendered, after := again.Render(sel)
	if diff := cmp.Diff(said(before), said(after)); diff != "" {
		t.Errorf("something else is told of what is shown (-before +after):\n%s\n%s", diff, shown)
	}
	if after.HasErrors() {
		return true
	}
	if diff := cmp.Diff(project.Tree(roots), project.Tree(rendered)); diff != "" {
		t.Errorf("what is shown renders to other files (-before +after):\n%s\n%s", diff, shown)
	}
	twice, _ := again.Show(sel)
	if diff := cmp.Diff(values(shown), values(twice)); diff != "" {
		t.Errorf("shown again it has other values (-once +twice):\n%s", diff)
	}
	return true
}

func parsed(t *testing.T, text []byte, file string) *project.Project {
	t.Helper()
	src, diags := blueprints.Parse(text, file)
	if diags.HasErrors() {
		t.Fatalf("%s\n%s", diags, text)
	}
	p, diags := project.New(src)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return p
}

// said is what is told, wherever it is.
func said(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		if d.Summary != "Nothing to ignore" { // an answer without a rule is not shown
			out = append(out, d.Summary+": "+d.Detail)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// values is a shown blueprint without its comments.
func values(text []byte) string {
	var lines []string
	for _, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	for i, line := range lines {
		if at := strings.LastIndex(line, " # "); at > 0 {
			lines[i] = line[:at]
		}
	}
	return strings.Join(lines, "\n")
}
