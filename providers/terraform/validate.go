package terraform

import (
	"context"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"
)

// Validate implements Runner. A root that is not initialised is initialised
// without its backend, so that no credentials are needed.
func (c *CLI) Validate(ctx context.Context) (hcl.Diagnostics, error) {
	ok, err := c.initialised()
	if err == nil && !ok {
		err = c.init(ctx, false)
	}
	if err != nil {
		return nil, err
	}
	var out *tfjson.ValidateOutput
	err = c.run(ctx, "validate", false, func(tf *tfexec.Terraform) (err error) {
		out, err = tf.Validate(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return diagnostics(c.dir, out.Diagnostics), nil
}

// diagnostics translates what the program reports, with file names from
// where we stand and not from where it ran.
func diagnostics(dir string, list []tfjson.Diagnostic) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, d := range list {
		diag := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: d.Summary, Detail: d.Detail}
		if d.Severity == tfjson.DiagnosticSeverityWarning {
			diag.Severity = hcl.DiagWarning
		}
		if r := d.Range; r != nil {
			name := filepath.FromSlash(r.Filename)
			if !filepath.IsAbs(name) {
				name = filepath.Join(dir, name)
			}
			diag.Subject = &hcl.Range{Filename: name, Start: hcl.Pos(r.Start), End: hcl.Pos(r.End)}
		}
		diags = append(diags, diag)
	}
	return diags
}
