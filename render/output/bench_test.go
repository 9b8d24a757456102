package output

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// large is a tree of 5,000 files of about 2 kB.
func large(n int) Tree {
	tree := Tree{}
	for i := range 5000 {
		content := fmt.Appendf(nil, "# generation %d of file %d\n", n, i)
		for line := range 40 {
			content = fmt.Appendf(content, "resource \"aws_instance\" \"web_%d_%d\" {}\n", i, line)
		}
		tree[fmt.Sprintf("modules/m%02d/file_%d.tf", i%50, i)] = content
	}
	return tree
}

func BenchmarkWrite(b *testing.B) {
	one := large(0)
	one["modules/m00/file_0.tf"] = []byte("# changed\n")
	cases := []struct {
		name  string
		user  files
		trees [2]Tree
	}{
		{"unchanged", nil, [2]Tree{large(0), large(0)}},
		{"one changes/swap", nil, [2]Tree{large(0), one}},
		{"one changes/journal", files{"extra.tf": "mine"}, [2]Tree{large(0), one}},
		{"all change/swap", nil, [2]Tree{large(0), large(1)}},
		{"all change/journal", files{"extra.tf": "mine"}, [2]Tree{large(0), large(1)}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "out")
			if _, err := Write(context.Background(), dir, c.trees[0], Options{}); err != nil {
				b.Fatal(err)
			}
			c.user.put(b, dir)
			for n := 0; b.Loop(); n++ {
				if _, err := Write(context.Background(), dir, c.trees[(n+1)%2], Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFirstWrite(b *testing.B) {
	tree, top := large(0), b.TempDir()
	for n := 0; b.Loop(); n++ {
		if _, err := Write(context.Background(), filepath.Join(top, fmt.Sprint(n)), tree, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
