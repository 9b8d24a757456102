package controlplane

import "testing"

// TestPort requires that tests that look for a port at once get different ones,
// even before anybody listens there.
func TestPort(t *testing.T) {
	const n = 300
	found := make(chan int, n)
	for range n {
		go func() {
			port, err := Port()
			if err != nil {
				t.Error(err)
			}
			found <- port
		}()
	}
	seen := map[int]bool{}
	for range n {
		port := <-found
		if seen[port] {
			t.Fatalf("%d was given twice", port)
		}
		seen[port] = true
	}
}
