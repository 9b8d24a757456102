package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readmeEdit is what the README's tour asks the reader to change by hand, in
// words that must stand in it.
const readmeEdit = "With `max = 60` for both groups and `pool = 40` for the first"

// TestReadme takes the README's tour: what it shows is what scaffold prints and
// writes, line for line. A line of dots stands for lines that are left out.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tour, ok := strings.Cut(string(text), "\n## Five minutes\n")
	tour, _, _ = strings.Cut(tour, "\n## ")
	if !ok || strings.Count(tour, readmeEdit) != 1 {
		t.Fatalf("the README has no tour, or none with the words %q", readmeEdit)
	}
	readme, err := filepath.Abs(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	before, after, _ := strings.Cut(tour, readmeEdit)
	first := takeTour(t, before)
	if shown := showsFiles(t, before); shown < 2 {
		t.Error("the tour shows no blueprint or no output")
	}
	editForReadme(t)
	if now := first + readmeEdit + takeTour(t, after); *update && now != tour {
		if err := os.WriteFile(readme, []byte(strings.Replace(string(text), tour, now, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var fenced = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// takeTour runs the commands of the console blocks, and gives the text with
// what they print now.
func takeTour(t *testing.T, text string) string {
	t.Helper()
	for _, block := range fenced.FindAllStringSubmatch(text, -1) {
		if block[1] != "console" {
			continue
		}
		for _, step := range strings.Split("\n"+block[2], "\n$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			got := typed(t, command)
			switch {
			case shows(got, want):
			case *update:
				text = strings.Replace(text, want, renewed(got, want), 1)
			default:
				t.Errorf("$ %s\nthe README has:\n%s\nbut it prints:\n%s\nRun the test with -update to renew it.", command, want, got)
			}
		}
	}
	return text
}

// renewed is what a command prints, without the lines that the README leaves
// out: of a line that it shows, numbers may be others now.
func renewed(got, shown string) string {
	if !strings.Contains(shown, "…") {
		return strings.TrimRight(got, "\n") + "\n"
	}
	lines := strings.Split(got, "\n")
	var out []string
	for _, line := range strings.Split(strings.TrimRight(shown, "\n"), "\n") {
		at := slices.IndexFunc(lines, func(l string) bool { return digits.ReplaceAllString(l, "0") == digits.ReplaceAllString(line, "0") })
		if at >= 0 {
			line, lines = lines[at], lines[at+1:]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n") + "\n"
}

var digits = regexp.MustCompile(`[0-9]+`)

// typed runs a line of a shell, as far as the tour needs one.
func typed(t *testing.T, line string) string {
	t.Helper()
	var out bytes.Buffer
	for _, command := range strings.Split(line, " && ") {
		words := strings.Fields(command)
		switch words[0] {
		case "cd":
			t.Chdir(words[1])
		case "scaffold":
			run(context.Background(), words[1:], strings.NewReader(""), &out, &out)
		default:
			t.Fatalf("the tour runs %s", words[0])
		}
	}
	return out.String()
}

// shows reports whether a text is what the README shows of it.
func shows(text, shown string) bool {
	var pattern strings.Builder
	for _, line := range strings.Split(strings.TrimRight(shown, "\n"), "\n") {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(.*\n)*?`)
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(line) + `\n`)
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\s*\z`).MatchString(text)
}

// showsFiles holds that every HCL block stands in a file that the tour wrote,
// and counts them. Lines may be left out.
func showsFiles(t *testing.T, text string) int {
	t.Helper()
	count := 0
	for _, block := range fenced.FindAllStringSubmatch(text, -1) {
		if block[1] != "hcl" {
			continue
		}
		count++
		found := false
		err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			found = found || within(strings.Split(string(data), "\n"), strings.Split(strings.TrimSpace(block[2]), "\n"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			t.Errorf("no file of the tour holds\n%s", block[2])
		}
	}
	return count
}

// within reports whether lines stand in a text in their order, the first of
// them and the second close together.
func within(text, lines []string) bool {
	for i := range text {
		if strings.TrimSpace(text[i]) != strings.TrimSpace(lines[0]) {
			continue
		}
		rest, at := lines, i
		for at < len(text) && at < i+2*len(lines) && len(rest) > 0 {
			if strings.TrimSpace(text[at]) == strings.TrimSpace(rest[0]) {
				rest = rest[1:]
			}
			at++
		}
		if len(rest) == 0 {
			return true
		}
	}
	return false
}

func editForReadme(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("scaffold.hcl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.ReplaceAll(string(text), "max = 12", "max = 60"), "\n")
	first := slices.Index(lines, `service "web" {`)
	last := first + slices.IndexFunc(lines[first:], func(line string) bool { return strings.HasPrefix(line, "  needs ") })
	lines = slices.Insert(lines, last, "  pool   = 40")
	if err := os.WriteFile("scaffold.hcl", []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
