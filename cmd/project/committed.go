package project

import "os/exec"

// Committed finds what a file of a folder holds in the last commit, for those
// who keep what is rendered in git; nil if it is not there, or git is not.
func Committed(dir string) func(file string) []byte {
	return func(file string) []byte {
		cmd := exec.Command("git", "show", "HEAD:./"+file)
		cmd.Dir = dir
		content, err := cmd.Output()
		if err != nil {
			return nil
		}
		return append([]byte{}, content...)
	}
}
