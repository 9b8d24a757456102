package project_test

import "testing"

func BenchmarkExample(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(render(b, "../../examples/high-availability/scaffold.hcl")))
	}
}
