package main

import (
	"github.com/spf13/cobra"

	"scaffold/blueprints"
	"scaffold/cmd/project"
)

// completer finds what may stand at the cursor.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// toFormats completes to the formats of the command.
func toFormats(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return formatsOf(cmd), cobra.ShellCompDirectiveNoFileComp
}

// ofCatalogue completes to the definitions of one folder.
func ofCatalogue(folder string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		p := projectAtHand()
		if p == nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return p.Catalog.Names(folder), cobra.ShellCompDirectiveNoFileComp
	}
}

// ofBlueprint completes to what the blueprint at hand has.
func ofBlueprint(names func(*blueprints.Source) []string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		p := projectAtHand()
		if p == nil || p.Source == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(p.Source), cobra.ShellCompDirectiveNoFileComp
	}
}

// projectAtHand is the blueprint in the working folder or above it; without one
// there is still the built-in catalogue.
func projectAtHand() *project.Project {
	if file, err := blueprints.Find(""); err == nil {
		if p, diags := project.Open(file); !diags.HasErrors() {
			return p
		}
	}
	p, diags := project.Empty()
	if diags.HasErrors() {
		return nil
	}
	return p
}
