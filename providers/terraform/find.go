package terraform

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// programs are looked for in this order.
var programs = []string{"terraform", "tofu"}

// A NotFoundError says that there is no program to run.
type NotFoundError struct {
	Path string // what was asked for, or empty for a search
	Err  error
}

func (e *NotFoundError) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("%s cannot be run: %v; give the path of a terraform or tofu program", e.Path, e.Err)
	}
	return "neither terraform nor tofu is on the PATH; install one of them " +
		"(https://developer.hashicorp.com/terraform/install, https://opentofu.org/docs/intro/install), " +
		"or give its path. Rendering, validating and comparing work without"
}

func (e *NotFoundError) Unwrap() error { return e.Err }

// Find returns the program to run: the given path, or the first of terraform
// and tofu on the PATH. The result is absolute, since it runs in other folders.
func Find(path string) (string, error) {
	if path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			return "", &NotFoundError{Path: path, Err: err}
		}
		return filepath.Abs(found)
	}
	for _, name := range programs {
		if found, err := exec.LookPath(name); err == nil {
			return filepath.Abs(found)
		}
	}
	return "", &NotFoundError{Err: exec.ErrNotFound}
}

// programName is what the program calls itself, for messages.
func programName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".exe")
}
