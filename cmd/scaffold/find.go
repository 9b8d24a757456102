package main

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"scaffold/cmd/project"
	"scaffold/render"
)

// found is a line of a rendered file.
type found struct {
	root *project.Root
	line render.Line
}

// find looks a rendered file up by the path that a user sees: in the output
// folder, or from there.
func (r *rendering) find(file string, line int) (*found, error) {
	name := filepath.ToSlash(filepath.Clean(file))
	prefix := filepath.ToSlash(filepath.Clean(r.dir)) + "/"
	name = strings.TrimPrefix(name, prefix)
	for _, root := range r.roots {
		for p, f := range root.Result.Files {
			if path.Join(root.Folder, p) != name {
				continue
			}
			if line > len(f.Lines()) {
				return nil, fmt.Errorf("%s has %d lines as rendered, and line %d was asked for; 'scaffold diff' shows whether it was changed", file, len(f.Lines()), line)
			}
			return &found{root, f.Lines()[line-1]}, nil
		}
	}
	return nil, fmt.Errorf("%s is not among the files that %s renders into %s", file, r.project.Source.Name, r.dir)
}

// within are the folders that a selection speaks for; none for everything.
func (r *rendering) within() []string {
	if r.selection == (project.Selection{}) {
		return nil
	}
	var folders []string
	for _, root := range r.roots {
		folders = append(folders, root.Folder)
	}
	return folders
}
