package project_test

import (
	"fmt"
	"testing"
	"time"

	"scaffold/cmd/project"
)

func TestPhases(t *testing.T) {
	for range 4 {
		a := time.Now()
		p, _ := project.Open("../../examples/high-availability/scaffold.hcl")
		b := time.Now()
		_, _ = p.Resolve(project.Selection{})
		c := time.Now()
		_, d := p.Render(project.Selection{})
		e := time.Now()
		fmt.Println("open", b.Sub(a), "resolve", c.Sub(b), "resolve+render", e.Sub(c), d.HasErrors())
		for _, tg := range []string{"aws", "gcp", "kubernetes"} {
			p, _ := project.Open("../../examples/high-availability/scaffold.hcl")
			a := time.Now()
			_, _ = p.Render(project.Selection{Target: tg})
			fmt.Println(tg, time.Since(a))
		}
	}
}
