package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// released is set by the linker of a release build.
var released = ""

// version is the released version, or that of the module where it was built by
// go install; "0.0.0-dev" for a build from a checkout.
func version() string {
	if released != "" {
		return released
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version[1:]
	}
	return "0.0.0-dev"
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: args(0, 0), Annotations: map[string]string{plain: "true"},
		RunE: func(*cobra.Command, []string) error {
			if a.format == "json" {
				a.printJSON(map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
				return nil
			}
			fmt.Fprintf(a.out, "scaffold %s\n", version())
			return nil
		},
	}
}
