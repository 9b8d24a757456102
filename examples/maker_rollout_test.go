package examples_test

import "fmt"

// rollout is at most one. Only requests can be split between two versions, and an
// edge keeps the answers of both, which no automatic rollback reaches.
func (m *maker) rollout(c component, vertical bool) {
	draw := m.IntN(5)
	switch {
	case vertical:
	case c.layer7 && draw == 0:
		m.block("blue_green_deployment", func() {
			m.may(50, "live", `"green"`)
			m.may(30, "idle_warm", false)
			m.rollback(c)
			m.may(20, "smoke_path", `"/smoke"`)
		})
	case c.layer7 && draw == 1:
		m.block("canary_deployment", func() {
			m.may(40, "steps", "[50]")
			m.may(30, "header_value", `"please"`)
			m.rollback(c)
			m.may(30, "sticky_for", `"5m"`)
		})
	case draw == 2 || draw == 3:
		m.block("rolling_updates", func() {
			m.may(40, "surge", m.one("34", "50"))
			m.may(30, "checkpoints", "[50, 100]")
			m.rollback(c)
		})
	}
}

func (m *maker) rollback(c component) {
	if c.edge {
		m.set("rollback", `"operator"`)
	} else {
		m.may(60, "rollback", quoted(m.one("operator", "alarms")))
	}
}

func (m *maker) breaker(calls bool) {
	external := func() {
		if m.maybe(40) {
			m.block(`external "bank"`, func() {
				m.set("host", `"api.bank.example.com"`)
				m.may(40, "fallback_host", `"standby.bank.example.com"`)
			})
		}
	}
	if m.maybe(50) {
		m.block("circuit_breaker", func() {
			m.may(60, "retries", 0)
			m.may(30, "max_errors", m.from(2, 10))
			external()
		})
		return
	}
	m.block("circuit_breaker_advanced", func() {
		m.may(60, "retries", 0)
		m.may(20, "adaptive", false)
		if calls && m.maybe(50) {
			m.block(`endpoint "suggestions"`, func() {
				m.set("path", `"/suggestions"`)
				m.may(60, "max_requests", 50)
				m.may(60, "fallback_status", 200)
			})
		}
		external()
	})
}

// environment is a staging beside production in some of the blueprints: smaller,
// and one of both is rendered.
func (m *maker) environment() string {
	if !m.maybe(25) || len(m.databases) == 0 {
		return ""
	}
	m.block(`environment "staging"`, func() {
		m.block(fmt.Sprintf("database %q", m.databases[0]), func() {
			m.set("storage", `"50GiB"`)
			m.set("deletion_protection", false)
		})
	})
	m.block(`environment "production"`, func() {})
	return m.one("staging", "production")
}
