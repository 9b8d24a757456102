package output

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	good := []string{"main.tf", "a/b/c.tf", ".gitignore", "..a", "a..b/c", "modules/ünïcode.tf", "console.tf", "com10", "a b"}
	bad := []string{
		"", ".", "..", "/", "/etc/passwd", "../x", "a/../../x", "a/..", "a/../b", "./a", "a//b", "a/", "a/./b",
		`a\b`, `..\x`, `C:\x`, "C:x", "a\x00b", "a\nb", "a\x7f", "\xff",
		"CON", "con.tf", "aux", "x/NUL.txt", "lpt1.a.b", "COM¹", "nul .txt", "a.", "a ", "a./b", "a?b", "a*", "a|b", `a"b`, "<a>",
		".scaffold.json", ".Scaffold.JSON", ".scaffold.json/x", ".scaffold-staging", ".scaffold-staging/commit", ".SCAFFOLD-staging/0", ".scaffold-base/files.zip",
		strings.Repeat("x", 256),
	}
	for _, p := range good {
		if err := (Tree{p: nil}).Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, p := range bad {
		var reason *PathError
		if err := (Tree{p: nil}).Validate(); !errors.As(err, &reason) || reason.Path != p {
			t.Errorf("%q: got %v", p, err)
		}
	}
}

func TestValidateClashes(t *testing.T) {
	t.Parallel()
	for _, paths := range [][2]string{
		{"Main.tf", "main.tf"},
		{"a/x", "A/y"},
		{"a", "a/b"},
		{"a", "A/b"},
		{"a/b", "a/b/c/d"},
		{"caf\u00e9", "cafe\u0301"},
	} {
		if err := (Tree{paths[0]: nil, paths[1]: nil}).Validate(); err == nil {
			t.Errorf("%q and %q were accepted together", paths[0], paths[1])
		}
	}
	if err := (Tree{"a": nil, "ab/c": nil, "a.b/c": nil}).Validate(); err != nil {
		t.Error(err)
	}
}

// TestEscapes writes trees that try to leave the folder. Nothing may appear
// beside it.
func TestEscapes(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for _, p := range []string{"../x", "/" + filepath.Join(top, "x")[1:], "a/../../x", `..\x`} {
		if _, err := Write(context.Background(), filepath.Join(top, "out"), Tree{p: []byte("x")}, Options{Force: true}); err == nil {
			t.Errorf("%q was written", p)
		}
	}
	if got := read(t, top); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
}

// TestHostileFolder opens folders that come from elsewhere, say a clone, and
// are made to reach out.
func TestHostileFolder(t *testing.T) {
	t.Parallel()
	zeros := "sha256:" + strings.Repeat("0", 64)
	cases := map[string]files{
		"manifest lists a parent path":   {ManifestName: `{"format":1,"files":{"../victim":"` + zeros + `"}}`},
		"manifest lists an absolute one": {ManifestName: `{"format":1,"files":{"/victim":"` + zeros + `"}}`},
		"manifest has a bad hash":        {ManifestName: `{"format":1,"files":{"a":"md5:1"}}`},
		"manifest is a link":             {ManifestName: "-> ../victim"},
		"manifest is a folder":           {ManifestName + "/x": "x"},
		"manifest is not JSON":           {ManifestName: "<<<<<<< HEAD"},
		"manifest is of the future":      {ManifestName: `{"format":2,"scaffold":"9.0.0","files":{}}`},
		"staging is a link":              {stagingName: "-> .."},
		"staging is a file":              {stagingName: "x"},
		"commit is a link":               {stagingName + "/commit": "-> ../../victim"},
		"commit is not JSON":             {stagingName + "/commit": "x"},
		"commit removes a parent path":   {stagingName + "/commit": `{"format":1,"removes":[{"path":"../victim","state":""}]}`},
		"commit writes a parent path":    {stagingName + "/commit": `{"format":1,"writes":[{"path":"../victim","staged":"0"}]}`, stagingName + "/0": "x"},
		"commit takes nothing":           {stagingName + "/commit": `{"format":1,"writes":[{"path":"a"}]}`},
		"commit takes from elsewhere":    {stagingName + "/commit": `{"format":1,"writes":[{"path":"a","staged":"../../victim"}]}`},
	}
	for name, user := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			files{"victim": "precious"}.put(t, top)
			user.put(t, filepath.Join(top, "out"))
			_, err := Write(context.Background(), filepath.Join(top, "out"), treeOf(files{"a": "a"}), Options{Force: true})
			if err == nil {
				t.Error("was accepted")
			} else if !strings.Contains(err.Error(), filepath.Join(top, "out")) {
				t.Errorf("the error does not say where: %v", err)
			}
			if content, _ := os.ReadFile(filepath.Join(top, "victim")); string(content) != "precious" {
				t.Errorf("the file outside is now %q", content)
			}
		})
	}
}

// TestLinksAreNotFollowed has links in every place a write touches.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, inPlace := range []bool{false, true} {
		top := t.TempDir()
		dir := filepath.Join(top, "out")
		mustWrite(t, dir, files{"m/a.tf": "a1", "m/b.tf": "b1", "c.tf": "c1"}, Options{})
		files{"away/a.tf": "a1", "away/b.tf": "b1", "c.tf": "c1"}.put(t, top)
		if err := os.RemoveAll(filepath.Join(dir, "m")); err != nil {
			t.Fatal(err)
		}
		// The files behind the links have the very content that is ours.
		files{"m": "-> ../away", "c.tf": "-> ../c.tf"}.put(t, dir)
		_, err := Write(context.Background(), dir, treeOf(files{"m/a.tf": "a2"}), Options{InPlace: inPlace})
		if err == nil {
			t.Fatal("a link was written through")
		}
		mustWrite(t, dir, files{"m/a.tf": "a2"}, Options{InPlace: inPlace, Force: true})
		want := files{"away/a.tf": "a1", "away/b.tf": "b1", "c.tf": "c1", "out/m/a.tf": "a2"}
		got := read(t, top)
		delete(got, "out/"+ManifestName)
		if len(got) != len(want) {
			t.Errorf("got %v", got)
		}
		for p := range want {
			if got[p] != want[p] {
				t.Errorf("%s is %q, want %q", p, got[p], want[p])
			}
		}
	}
}

func TestOutputFolderItself(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	files{"real/": "/", "l": "-> real", "file": "x", "dangling": "-> nowhere"}.put(t, top)
	mustWrite(t, filepath.Join(top, "l"), files{"a": "a"}, Options{})
	if info, _ := os.Lstat(filepath.Join(top, "l")); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the user's link to the output folder was replaced")
	}
	if got := read(t, filepath.Join(top, "real")); got["a"] != "a" {
		t.Errorf("got %v", got)
	}
	mustWrite(t, filepath.Join(top, "not/there/yet"), files{"a": "a"}, Options{})
	for _, dir := range []string{"file", "dangling"} {
		if _, err := Write(context.Background(), filepath.Join(top, dir), treeOf(files{"a": "a"}), Options{}); err == nil {
			t.Errorf("%s was accepted as an output folder", dir)
		}
	}
	if _, err := Write(context.Background(), "/", treeOf(files{"a": "a"}), Options{}); err == nil {
		t.Error("/ was accepted as an output folder")
	}
}
