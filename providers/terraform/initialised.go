package terraform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-exec/tfexec"
)

const (
	lockFile  = ".terraform.lock.hcl"
	stampFile = "scaffold-init" // in the data folder, gone when that goes
)

// ready initialises the root if that is due, and holds it to TF_WORKSPACE.
func (c *CLI) ready(ctx context.Context) error {
	ok, err := c.initialised()
	if err == nil && !ok {
		err = c.Init(ctx)
	}
	if err != nil {
		return err
	}
	want := os.Getenv("TF_WORKSPACE")
	if want == "" {
		return nil
	}
	var selected string
	err = c.run(ctx, "workspace show", false, func(tf *tfexec.Terraform) (err error) {
		selected, err = tf.WorkspaceShow(ctx)
		return err
	})
	if err == nil && selected != want {
		err = &WorkspaceError{Want: want, Selected: selected, Dir: c.dir}
	}
	return err
}

// dataDir is where the program keeps providers and modules.
func (c *CLI) dataDir() string {
	dir := os.Getenv("TF_DATA_DIR")
	if dir == "" {
		dir = ".terraform"
	}
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(c.dir, dir)
}

// initialised reports whether nothing that init looks at changed since the
// last one.
func (c *CLI) initialised() (bool, error) {
	stamp, err := os.ReadFile(filepath.Join(c.dataDir(), stampFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, err := c.fingerprint()
	return now == string(stamp), err
}

// stamp remembers what the root was initialised for.
func (c *CLI) stamp() error {
	now, err := c.fingerprint()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.dataDir(), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.dataDir(), stampFile), []byte(now), 0o644)
}

// fingerprint hashes what init depends on: the lock file, where providers come
// from, and in the configuration the settings, the modules and the kinds of
// resources, which imply providers. Other changes need no init.
func (c *CLI) fingerprint() (string, error) {
	lock, err := os.ReadFile(filepath.Join(c.dir, lockFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	parts := []string{c.program, os.Getenv(PluginDirVariable), string(lock)}
	err = filepath.WalkDir(c.dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != c.dir && (strings.HasPrefix(d.Name(), ".") || p == c.dataDir()):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".tf") && !strings.HasSuffix(p, ".tf.json"):
			return nil
		}
		text, err := os.ReadFile(p)
		parts = append(parts, initParts(text)...)
		return err
	})
	slices.Sort(parts)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", slices.Compact(parts)))
	return hex.EncodeToString(sum[:]), err
}

// initParts are the parts of a file that init looks at, or all of it if it is
// not in native syntax.
func initParts(text []byte) []string {
	parsed, diags := hclsyntax.ParseConfig(text, "", hcl.InitialPos)
	if diags.HasErrors() {
		return []string{string(text)}
	}
	var parts []string
	for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
		switch b.Type {
		case "terraform", "module":
			parts = append(parts, string(hcl.RangeBetween(b.TypeRange, b.CloseBraceRange).SliceBytes(text)))
		case "resource", "data", "ephemeral", "provider":
			// The first word of a type names its provider, unless the block does.
			provider, _, _ := strings.Cut(strings.Join(b.Labels, "_"), "_")
			if attr := b.Body.Attributes["provider"]; attr != nil {
				provider = string(attr.Expr.Range().SliceBytes(text))
			}
			parts = append(parts, provider)
		}
	}
	return parts
}
