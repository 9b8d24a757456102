package output

import (
	"context"
	"testing"
)

// A render of one target leaves the files of the others alone, and they stay
// scaffold's.
func TestWithin(t *testing.T) {
	dir := t.TempDir() + "/out"
	write := func(tree Tree, within ...string) Plan {
		t.Helper()
		plan, err := Write(context.Background(), dir, tree, Options{Within: within})
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	all := Tree{"aws/a.tf": []byte("a\n"), "aws/old.tf": []byte("old\n"), "gcp/g.tf": []byte("g\n")}
	write(all)
	plan := write(Tree{"aws/a.tf": []byte("a2\n")}, "aws")
	if len(plan.Removed) != 1 || plan.Removed[0] != "aws/old.tf" || len(plan.Changed) != 1 {
		t.Errorf("one target: %+v", plan)
	}
	rest := Tree{"aws/a.tf": []byte("a2\n"), "gcp/g.tf": []byte("g\n")}
	if stale, err := Stale(dir, rest); err != nil || stale {
		t.Errorf("after one target: stale %v, %v", stale, err)
	}
	if stale, err := Stale(dir, Tree{"gcp/g.tf": []byte("g\n")}, "gcp"); err != nil || stale {
		t.Errorf("the other target alone: stale %v, %v", stale, err)
	}
	if plan := write(Tree{"aws/a.tf": []byte("a2\n")}); len(plan.Removed) != 1 {
		t.Errorf("everything again: %+v", plan)
	}
}
