package terraform

import (
	"io"
	"sync"
)

// lockedWriter lets standard output and standard error, which are copied at
// the same time, go to one writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
