package output

import (
	"errors"
	"syscall"
)

// asUser changes as whom this thread, and no other, accesses files.
func asUser(id int) error { return errors.Join(syscall.Setfsgid(id), syscall.Setfsuid(id)) }
