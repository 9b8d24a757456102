package terraform

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// A CommandError is a run that failed.
type CommandError struct {
	Command string // for example "terraform plan"
	Dir     string
	Status  int // exit status, or -1 if it did not exit by itself

	// Shown says that Stderr went to the progress writer already, so that the
	// message does not repeat it.
	Shown  bool
	Stderr string
	Err    error // a cancelled context, or why the program could not be run
}

func (e *CommandError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s ", e.Command, e.Dir)
	switch {
	case e.Err != nil:
		fmt.Fprintf(&b, "was stopped: %v", e.Err)
	case e.Status < 0:
		b.WriteString("was killed")
	default:
		fmt.Fprintf(&b, "ended with status %d", e.Status)
	}
	if text := strings.TrimSpace(e.Stderr); text != "" && !e.Shown {
		b.WriteString(":\n" + text)
	}
	return b.String()
}

func (e *CommandError) Unwrap() error { return e.Err }

// Status is the exit status for the result of a run: 0 for none, that of the
// program if it ended with one, else 1.
func Status(err error) int {
	var failed *CommandError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &failed) && failed.Status > 0:
		return failed.Status
	}
	return 1
}

// A WorkspaceError refuses to run in another workspace than TF_WORKSPACE says.
// The variable cannot be handed on, and falling back to the workspace that
// happens to be selected would plan against the wrong state.
type WorkspaceError struct {
	Want, Selected, Dir string
}

func (e *WorkspaceError) Error() string {
	return fmt.Sprintf("TF_WORKSPACE is %q, but %s has %q selected; run \"terraform workspace select %s\" there, or unset TF_WORKSPACE",
		e.Want, e.Dir, e.Selected, e.Want)
}

// failure turns what terraform-exec returns into a CommandError. It does not
// ask err for its text: for some cancelled runs that panics.
func failure(ctx context.Context, err error, e CommandError) error {
	e.Status = -1
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		e.Status = exit.ExitCode()
	}
	switch {
	case ctx.Err() != nil:
		e.Err = ctx.Err()
	case exit == nil:
		e.Err = err
	}
	return &e
}
