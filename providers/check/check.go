package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"scaffold/providers/schema"
)

// Root checks one Terraform root. files holds every file of the root by its
// path in the root, with slashes: those that end in .tf at the top are the
// configuration, the others are what file() and templatefile() find.
// providers has the schemas by local name; a resource type belongs to the
// provider that its name begins with, unless it names another one.
//
// The diagnostics are sorted by place; their ranges name the keys of files.
func Root(files map[string][]byte, providers map[string]*schema.Provider) hcl.Diagnostics {
	return ParsedRoot(files, nil, providers)
}

// ParsedRoot is Root for a caller that has parsed some of the files already,
// under the same names.
func ParsedRoot(files map[string][]byte, parsed map[string]*hclsyntax.Body, providers map[string]*schema.Provider) hcl.Diagnostics {
	bodies, diags := parse(files, parsed)
	if diags.HasErrors() {
		return diags
	}
	c := &checker{files: files, providers: providers, module: newModule()}
	for _, body := range bodies {
		c.load(body)
	}
	// Terraform stops here too: what follows would only repeat the problem.
	if !c.diags.HasErrors() {
		c.cycles()
	}
	if !c.diags.HasErrors() {
		c.validate()
	}
	c.diags = append(diags, c.diags...)
	sortByPlace(c.diags)
	return c.diags
}

// checker is one run of Root.
type checker struct {
	files     map[string][]byte
	providers map[string]*schema.Provider
	module    *module
	diags     hcl.Diagnostics
	schemas   bodySchemas

	// typed knows the types of references, untyped is what Terraform does.
	typed, untyped *evaluator
}

func (c *checker) add(diags ...*hcl.Diagnostic) { c.diags = append(c.diags, diags...) }

func parse(files map[string][]byte, parsed map[string]*hclsyntax.Body) ([]*hclsyntax.Body, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	bodies := []*hclsyntax.Body{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".tf") || strings.Contains(name, "/") {
			continue
		}
		if body := parsed[name]; body != nil {
			bodies = append(bodies, body)
			continue
		}
		file, more := hclsyntax.ParseConfig(files[name], name, hcl.InitialPos)
		diags = append(diags, more...)
		if body, ok := file.Body.(*hclsyntax.Body); ok {
			bodies = append(bodies, body)
		}
	}
	return bodies, diags
}

// planOnly marks a diagnostic that validation alone would not give.
type planOnly struct{ inner any }

// UnwrapDiagnosticExtra keeps what else is known of the diagnostic reachable.
func (p planOnly) UnwrapDiagnosticExtra() any { return p.inner }

// atPlan marks diagnostics of what validation doesn't look at.
func atPlan(diags ...*hcl.Diagnostic) hcl.Diagnostics {
	for _, diag := range diags {
		diag.Extra = planOnly{diag.Extra}
	}
	return diags
}

// OnlyAtPlan tells whether Terraform would report a problem only when it plans:
// "terraform validate" doesn't know the types of what a reference gives.
func OnlyAtPlan(diagnostic *hcl.Diagnostic) bool {
	_, ok := hcl.DiagnosticExtra[planOnly](diagnostic)
	return ok
}

func sortByPlace(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return 0
		}
		if a.Subject.Filename != b.Subject.Filename {
			return strings.Compare(a.Subject.Filename, b.Subject.Filename)
		}
		return a.Subject.Start.Byte - b.Subject.Start.Byte
	})
}

func problem(summary, detail string, at hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at}
}

func warning(summary, detail string, at hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: detail, Subject: &at}
}
