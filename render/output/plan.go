package output

import (
	"fmt"
	"strings"
	"time"
)

// Plan says what a write does, or did. All lists are sorted. The manifest is
// not listed: it follows the other files.
type Plan struct {
	Created   []string
	Changed   []string
	Removed   []string
	Unchanged []string

	// Conflicts are the files that keep the plan from being carried out.
	Conflicts []Conflict

	// Merged are the files that hold edits of the user's after a merge. They are
	// in Changed or Unchanged too.
	Merged []string

	// Overwritten are the conflicts that a forced write ran over. Their paths
	// are in Created, Changed or Removed too; what they held is gone.
	Overwritten []Conflict

	// Kept is where a file ended up that turned out to be edited in the very
	// moment it was replaced, or while an interrupted write lay unfinished.
	Kept []string
}

// Empty reports whether the folder already holds the tree.
func (p Plan) Empty() bool {
	return len(p.Created)+len(p.Changed)+len(p.Removed)+len(p.Conflicts) == 0
}

// ConflictKind says what stands in the way of a file.
type ConflictKind string

// The kinds of conflicts.
const (
	Edited      ConflictKind = "edited"      // ours, changed by the user, and rendered differently
	EditedStale ConflictKind = "editedStale" // ours, changed by the user, and no longer rendered
	Foreign     ConflictKind = "foreign"     // a file or link of the user's where we want to write
	Blocked     ConflictKind = "blocked"     // a folder or a device, which is never replaced
)

// Conflict is one file of the user's in the way.
type Conflict struct {
	Path   string
	Kind   ConflictKind
	Reason string // one clause, for example "is a symbolic link"
}

// Forceable reports whether Options.Force gets past the conflict.
func (c Conflict) Forceable() bool { return c.Kind != Blocked }

func (c Conflict) String() string { return c.Path + ": " + c.Reason }

// A ConflictError is a refusal to write. Nothing was changed.
type ConflictError struct {
	Dir       string
	Conflicts []Conflict
	Merge     bool // a merge was asked for
}

func (e *ConflictError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "nothing was written to %s, because it would lose what is not scaffold's:\n", e.Dir)
	force, move, edited := false, false, false
	for _, c := range e.Conflicts {
		fmt.Fprintf(&b, "  %s\n", c)
		force = force || c.Forceable()
		move = move || !c.Forceable()
		edited = edited || c.Kind == Edited
	}
	switch {
	case force && move:
		b.WriteString("Move them away; --force overwrites the files, but never a folder or a device.")
	case move:
		b.WriteString("Move it away or rename what is rendered there; --force does not overwrite a folder or a device.")
	case e.Merge && edited:
		b.WriteString("Take back the part of your edit that stands there (\"scaffold diff\" shows what is rendered) and merge " +
			"again, move it to a file of your own beside it or into the blueprint, or overwrite it with --force.")
	case edited:
		b.WriteString("Take your edits along with --merge, move them to files of your own beside them (scaffold leaves those " +
			"alone) or into the blueprint, look at the difference with \"scaffold diff\", or overwrite them with --force.")
	default:
		b.WriteString("Move your changes to files of your own beside them (scaffold leaves those alone) or into the " +
			"blueprint, look at the difference with \"scaffold diff\", or overwrite them with --force.")
	}
	return b.String()
}

// A LockedError says that another process has been writing for too long.
type LockedError struct {
	Dir  string
	Wait time.Duration
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("another scaffold is at work on %s; waited %s for it. Run again when it is done, or end it; "+
		"nothing was written", e.Dir, e.Wait.Round(time.Millisecond))
}

// An OlderToolError says that a newer scaffold wrote the folder.
type OlderToolError struct {
	Dir        string
	Have, Want string
}

func (e *OlderToolError) Error() string {
	return fmt.Sprintf("%s was written by scaffold %s and this is %s, which would take back what changed since; "+
		"install %s or later, or go back on purpose with --force", e.Dir, e.Want, e.Have, e.Want)
}
