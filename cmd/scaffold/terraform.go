package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func (a *app) planCommand() *cobra.Command    { return a.terraformCommand("plan") }
func (a *app) applyCommand() *cobra.Command   { return a.terraformCommand("apply") }
func (a *app) destroyCommand() *cobra.Command { return a.terraformCommand("destroy") }

func (a *app) terraformCommand(name string) *cobra.Command {
	return &cobra.Command{Use: name, RunE: func(*cobra.Command, []string) error { return errors.New("soon") }}
}
