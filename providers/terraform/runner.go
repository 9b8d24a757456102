package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/terraform-exec/tfexec"
)

// Runner runs one root. Plan, Apply, Destroy and Validate initialise it first
// where that is due.
type Runner interface {
	// Init fetches providers and modules and sets up the backend.
	Init(ctx context.Context) error

	// Validate returns what the program says about the files, with their
	// positions. The error is for a program that did not get that far.
	Validate(ctx context.Context) (hcl.Diagnostics, error)

	// Plan reports whether there are changes.
	Plan(ctx context.Context, opts PlanOptions) (changes bool, err error)

	// Apply carries out a plan file, or plans and applies at once if planFile
	// is empty. It never asks; asking is up to the caller.
	Apply(ctx context.Context, planFile string, vars Variables) error

	// Destroy removes everything in the state. It never asks.
	Destroy(ctx context.Context, vars Variables) error

	// Output returns the outputs of the state.
	Output(ctx context.Context) (map[string]Output, error)
}

// Variables are values for the root's input variables.
type Variables struct {
	Set   []string // "name=value"
	Files []string
}

// PlanOptions are the choices of a plan.
type PlanOptions struct {
	Variables
	Destroy bool   // plan to destroy
	Out     string // write the plan to this file
}

// Output is one output value.
type Output struct {
	Value     json.RawMessage
	Type      json.RawMessage
	Sensitive bool
}

// The statuses of a plan with -detailed-exitcode, besides 1 for an error.
const (
	StatusNoChanges = 0
	StatusChanges   = 2
)

// PlanStatus is the exit status that tells what a plan came to.
func PlanStatus(changes bool, err error) int {
	if err == nil && changes {
		return StatusChanges
	}
	return Status(err)
}

// PluginDirVariable names folders, separated like those of PATH, that init
// takes providers from. For machines that reach no registry.
const PluginDirVariable = "SCAFFOLD_PLUGIN_DIR"

// DefaultGrace is how long a program may take to end after it was asked to.
// It is long because a Terraform that is killed while it creates something
// loses track of it.
const DefaultGrace = 5 * time.Minute

// Options are the choices of a CLI.
type Options struct {
	Program  string        // path or name; found on the PATH if empty
	Progress io.Writer     // gets what the program prints, while it runs
	Grace    time.Duration // DefaultGrace if zero
}

// CLI is the Runner that starts a real program. It runs one at a time, as two
// on one root would only wait for each other's state lock.
type CLI struct {
	dir, program string
	progress     io.Writer

	mu sync.Mutex
	tf *tfexec.Terraform // kept because it remembers the version
}

var _ Runner = (*CLI)(nil)

// New returns a runner for the root module in dir.
func New(dir string, opts Options) (*CLI, error) {
	program, err := Find(opts.Program)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if _, err := os.Stat(dir); err != nil {
		return nil, err
	}
	if opts.Grace == 0 {
		opts.Grace = DefaultGrace
	}
	tf, err := tfexec.NewTerraform(dir, program)
	if err != nil {
		return nil, err
	}
	if err := tf.SetWaitDelay(opts.Grace); err != nil {
		return nil, err
	}
	return &CLI{dir: dir, program: program, progress: opts.Progress, tf: tf}, nil
}

// Init implements Runner.
func (c *CLI) Init(ctx context.Context) error {
	if err := c.init(ctx, true); err != nil {
		return err
	}
	return c.stamp()
}

func (c *CLI) init(ctx context.Context, backend bool) error {
	opts := []tfexec.InitOption{tfexec.Backend(backend)}
	for _, dir := range filepath.SplitList(os.Getenv(PluginDirVariable)) {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		opts = append(opts, tfexec.PluginDir(abs))
	}
	return c.run(ctx, "init", true, func(tf *tfexec.Terraform) error { return tf.Init(ctx, opts...) })
}

// Plan implements Runner.
func (c *CLI) Plan(ctx context.Context, opts PlanOptions) (changes bool, err error) {
	if err := c.ready(ctx); err != nil {
		return false, err
	}
	args := []tfexec.PlanOption{tfexec.Destroy(opts.Destroy)}
	if opts.Out != "" {
		out, err := filepath.Abs(opts.Out)
		if err != nil {
			return false, err
		}
		args = append(args, tfexec.Out(out))
	}
	err = opts.each(
		func(o *tfexec.VarOption) { args = append(args, o) },
		func(o *tfexec.VarFileOption) { args = append(args, o) })
	if err != nil {
		return false, err
	}
	err = c.run(ctx, "plan", true, func(tf *tfexec.Terraform) error {
		changes, err = tf.Plan(ctx, args...)
		return err
	})
	return changes, err
}

// Apply implements Runner.
func (c *CLI) Apply(ctx context.Context, planFile string, vars Variables) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	var args []tfexec.ApplyOption
	if planFile != "" {
		abs, err := filepath.Abs(planFile)
		if err != nil {
			return err
		}
		args = append(args, tfexec.DirOrPlan(abs))
	}
	err := vars.each(
		func(o *tfexec.VarOption) { args = append(args, o) },
		func(o *tfexec.VarFileOption) { args = append(args, o) })
	if err != nil {
		return err
	}
	return c.run(ctx, "apply", true, func(tf *tfexec.Terraform) error { return tf.Apply(ctx, args...) })
}

// Destroy implements Runner.
func (c *CLI) Destroy(ctx context.Context, vars Variables) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	var args []tfexec.DestroyOption
	err := vars.each(
		func(o *tfexec.VarOption) { args = append(args, o) },
		func(o *tfexec.VarFileOption) { args = append(args, o) })
	if err != nil {
		return err
	}
	return c.run(ctx, "destroy", true, func(tf *tfexec.Terraform) error { return tf.Destroy(ctx, args...) })
}

// Output implements Runner. It is silent: values may be secret.
func (c *CLI) Output(ctx context.Context) (map[string]Output, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	out := map[string]Output{}
	err := c.run(ctx, "output", false, func(tf *tfexec.Terraform) error {
		values, err := tf.Output(ctx)
		for name, v := range values {
			out[name] = Output{Value: v.Value, Type: v.Type, Sensitive: v.Sensitive}
		}
		return err
	})
	return out, err
}

// each hands out the options for variables. Files are made absolute, since the
// program runs in another folder than the person who named them.
func (v Variables) each(set func(*tfexec.VarOption), file func(*tfexec.VarFileOption)) error {
	for _, f := range v.Files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return err
		}
		file(tfexec.VarFile(abs))
	}
	for _, s := range v.Set {
		set(tfexec.Var(s))
	}
	return nil
}

// run runs one command, shown or silently.
func (c *CLI) run(ctx context.Context, command string, shown bool, do func(*tfexec.Terraform) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	shown = shown && c.progress != nil
	var stderr bytes.Buffer
	c.tf.SetStdout(nil)
	c.tf.SetStderr(&stderr)
	// Asking for the version now keeps it out of the progress: terraform-exec
	// asks for it later itself, with whatever writers are set by then.
	what := CommandError{Command: programName(c.program) + " version", Dir: c.dir}
	_, _, err := c.tf.Version(ctx, false)
	if err == nil {
		what.Command, what.Shown = programName(c.program)+" "+command, shown
		if shown {
			w := &lockedWriter{w: c.progress}
			c.tf.SetStdout(w)
			c.tf.SetStderr(io.MultiWriter(&stderr, w))
		}
		err = do(c.tf)
	}
	if err == nil {
		return nil
	}
	what.Stderr = stderr.String()
	return failure(ctx, err, what)
}
