// Command scaffold renders Terraform and Kubernetes manifests from a blueprint
// that names scalability patterns.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

func main() {
	// A run is short and holds little, so collecting garbage late is cheaper
	// than collecting it often. The reserve counts as memory in use, though it is
	// never touched and so takes none: an ordinary run ends before the first
	// collection.
	debug.SetGCPercent(400)
	reserve := make([]byte, 64<<20)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	runtime.KeepAlive(reserve)
	os.Exit(code)
}
