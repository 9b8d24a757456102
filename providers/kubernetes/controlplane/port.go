package controlplane

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// Ports from here on are no system's to give to whoever connects somewhere, so
// they stay free until the program that is told of one listens on it.
const (
	firstPort = 20000
	pairs     = 6000
)

// claims are kept open as long as the process lives.
var claims struct {
	sync.Mutex
	all []net.Listener
}

// Port gives a port of 127.0.0.1 that is free, and that no other test is given:
// whoever takes one holds on to the port above it.
func Port() (int, error) {
	for range 10 * pairs {
		port := firstPort + 2*rand.IntN(pairs)
		claim, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			claim.Close()
			continue
		}
		claims.Lock()
		claims.all = append(claims.all, claim)
		claims.Unlock()
		return port, l.Close()
	}
	return 0, fmt.Errorf("no port between %d and %d is free", firstPort, firstPort+2*pairs)
}
