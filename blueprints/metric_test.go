package blueprints_test

import (
	"testing"

	"scaffold/blueprints"
)

func TestMetrics(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		table, text   string
		held, notHeld float64 // the edge of the row, from both sides
		weaker        string  // a row below it
		alwaysHeld    bool
	}{
		{blueprints.Latency, "<10ms", 0.01, 0.0099, "<1s", false},
		{blueprints.Latency, "<1s", 1, 0.999, "<5m", false},
		{blueprints.Throughput, "<100 RPS", 99.9, 100, "<10 RPS", false},
		{blueprints.Throughput, "100-1k RPS", 1000, 1000.1, "<1k RPS", false},
		{blueprints.Throughput, "1k-10k", 1e4, 10001, "100-1k RPS", false},
		{blueprints.Throughput, ">10k RPS", 1e12, 0, "1k-10k RPS", true},
		{blueprints.Availability, "99.9%", 99.9, 99.91, "99%", false},
	} {
		m, err := blueprints.ParseMetric(tt.table, tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if !m.Meets(tt.held) || !tt.alwaysHeld && m.Meets(tt.notHeld) {
			t.Errorf("%s holds %v: %v, and %v: %v", tt.text, tt.held, m.Meets(tt.held), tt.notHeld, m.Meets(tt.notHeld))
		}
		weaker, err := blueprints.ParseMetric(tt.table, tt.weaker)
		if err != nil {
			t.Error(err)
		}
		if m.Compare(weaker) != 1 || weaker.Compare(m) != -1 || m.Compare(m) != 0 {
			t.Errorf("%s against %s: %d, %d, %d", tt.text, tt.weaker, m.Compare(weaker), weaker.Compare(m), m.Compare(m))
		}
	}
	for _, tt := range []struct{ table, text, want string }{
		{blueprints.Latency, "10ms", `"10ms" is not a bound of latency such as "<10ms" or "<1s"`},
		{blueprints.Latency, "<10", `"<10" is not a bound of latency such as "<10ms" or "<1s"`},
		{blueprints.Throughput, "10k RPS", `"10k RPS" is not a range of throughput such as "<100 RPS", "1k-10k RPS" or ">10k RPS"`},
		{blueprints.Throughput, ">ten RPS", `"ten RPS" is not a number of requests per second such as 8000, "10k" or "1M"`},
		{blueprints.Throughput, "few-1k RPS", `"few" is not a number of requests per second such as 8000, "10k" or "1M"`},
		{blueprints.Availability, "99.9", `"99.9" is not a share of time such as "99.9%"`},
		{"cost", "low", `there is no table cost; the tables are latency, throughput, availability`},
	} {
		if _, err := blueprints.ParseMetric(tt.table, tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%s %s: %v, want %s", tt.table, tt.text, err, tt.want)
		}
	}
}
