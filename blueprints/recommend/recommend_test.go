package recommend_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"scaffold/blueprints"
	"scaffold/blueprints/recommend"
)

func catalog(t *testing.T, files map[string]string) *blueprints.Catalog {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	c, diags := blueprints.NewCatalog(blueprints.Folder{Name: "own", FS: fsys})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

func builtin(t *testing.T) *blueprints.Catalog {
	t.Helper()
	c, diags := blueprints.NewCatalog(blueprints.Folder{Name: "blueprints", FS: blueprints.Builtin()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

func weigh(t *testing.T, c *blueprints.Catalog, asked recommend.Asked, profile string, conflicts ...recommend.Conflict) *recommend.Report {
	t.Helper()
	needs, err := asked.Parse()
	if err != nil {
		t.Fatal(err)
	}
	r, diags := recommend.Make(c, needs, profile, conflicts)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return r
}

// pattern writes a definition for a thing; a row is "latency <10ms" or so.
func pattern(id string, quality, difficulty int, extra string, rows ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "pattern %q {\n  title = \"T\"\n  summary = \"S\"\n  attaches = [thing]\n  quality = %d\n  difficulty = %d\n  when = [\"It fits\"]\n%s\n  metrics {\n", id, quality, difficulty, extra)
	for _, row := range rows {
		table, text, _ := strings.Cut(row, " ")
		fmt.Fprintf(&b, "    %s = %q\n", table, text)
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

func own() map[string]string {
	return map[string]string{
		"patterns/near.hcl":   pattern("near", 8, 2, `suits = ["reads"]`, "latency <10ms", "throughput 1k-10k RPS"),
		"patterns/far.hcl":    pattern("far", 6, 4, `suits = ["writes"]`, "latency <1s", "throughput <100 RPS", "availability 99.9%"),
		"patterns/middle.hcl": pattern("middle", 10, 10, `suits = ["worldwide"]`, "latency <100ms", "throughput >10k RPS", "availability 99%"),
		"patterns/silent.hcl": pattern("silent", 10, 1, ""),
		"profiles/plain.hcl":  "profile \"plain\" {\n  title = \"P\"\n  patterns = [\"near\", \"far\"]\n}\n",
		"profiles/quick.hcl":  "profile \"quick\" {\n  title = \"Q\"\n  patterns = [\"far\"]\n  weights = { latency = 10, ease = 0 }\n}\n",
	}
}

// TestScores holds the arithmetic: weight × fit over the weights that count, where
// a row that holds what was asked fits with 1 and each row below halves it.
func TestScores(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		asked   recommend.Asked
		profile string
		want    map[string]float64 // without those that have no score
	}{
		{"each row below halves", recommend.Asked{Latency: "50ms"}, "", map[string]float64{
			"near":   92, // (3×1 + .8 + .8) / 5
			"middle": 50, // (3×.5 + 1 + 0) / 5
			"far":    39, // (3×.25 + .6 + .6) / 5
		}},
		{"the bound itself is held", recommend.Asked{Latency: "1s"}, "", map[string]float64{
			"near": 92, "middle": 80, "far": 84,
		}},
		{"nothing holds it, so the best row counts", recommend.Asked{Latency: "1ms"}, "", map[string]float64{
			"near": 92, "middle": 50, "far": 39,
		}},
		{"the end of a range is in it", recommend.Asked{Throughput: "10k"}, "", map[string]float64{
			"near": 92, "middle": 80, "far": 54,
		}},
		{"beyond a range", recommend.Asked{Throughput: "10001"}, "", map[string]float64{
			"near": 62, "middle": 80, "far": 39,
		}},
		{"a bound from above is not in its row", recommend.Asked{Throughput: "100"}, "", map[string]float64{
			"near": 92, "middle": 80, "far": 54,
		}},
		{"below the bound", recommend.Asked{Throughput: "99.9"}, "", map[string]float64{
			"near": 92, "middle": 80, "far": 84,
		}},
		{"who is in no row has no score", recommend.Asked{Availability: "99.5"}, "", map[string]float64{
			"middle": 50, "far": 84,
		}},
		{"a gap does not count against one", recommend.Asked{Latency: "50ms", Availability: "99"}, "", map[string]float64{
			"near":   92,   // as without availability
			"middle": 68.8, // (1.5 + 3 + 1) / 8
			"far":    61.9, // (.75 + 3 + 1.2) / 8
		}},
		{"reads and writes share out", recommend.Asked{Reads: "0.75"}, "", map[string]float64{
			"near": 77.5, // (2×.75 + 1.6) / 4
			"far":  42.5, // (2×.25 + 1.2) / 4
		}},
		{"all over the world", recommend.Asked{Worldwide: true}, "", map[string]float64{"middle": 75}},
		{"a profile's weights", recommend.Asked{Latency: "50ms"}, "quick", map[string]float64{
			"near":   98.2, // (10 + .8) / 11
			"middle": 54.5, // (5 + 1) / 11
			"far":    28.2, // (2.5 + .6) / 11
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := map[string]float64{}
			for _, p := range weigh(t, catalog(t, own()), tt.asked, tt.profile).Patterns {
				if p.Rank > 0 {
					got[p.ID] = p.Score
				} else if p.Verdict != recommend.Unknown || len(p.Parts) > 0 {
					t.Errorf("%s has no rank, yet is %s with %v", p.ID, p.Verdict, p.Parts)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func verdicts(r *recommend.Report) map[string]recommend.Verdict {
	out := map[string]recommend.Verdict{}
	for _, p := range r.Patterns {
		out[p.ID] = p.Verdict
	}
	return out
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	files := own()
	files["patterns/nearer.hcl"] = pattern("nearer", 8, 3, `extends = "near"`, "latency <10ms")
	files["patterns/rival.hcl"] = pattern("rival", 8, 4, `excludes = { near = "One of two." }`, "latency <10ms")
	files["patterns/packed.hcl"] = pattern("packed", 8, 5, "", "latency <10ms")
	files["patterns/elsewhere.hcl"] = strings.Replace(pattern("elsewhere", 2, 9, "", "latency <1s"), "[thing]", "[other]", 1)
	forbids := recommend.Conflict{Patterns: []string{"near", "packed"}, Why: "Not here.", Target: "moon"}
	r := weigh(t, catalog(t, files), recommend.Asked{Latency: "50ms"}, "", forbids)
	want := map[string]recommend.Verdict{
		"near": recommend.Recommended, "nearer": recommend.Instead, "rival": recommend.Instead, "packed": recommend.Instead,
		"middle": recommend.Close, "far": recommend.Below, "elsewhere": recommend.Nearest, "silent": recommend.Unknown,
	}
	if diff := cmp.Diff(want, verdicts(r)); diff != "" {
		t.Error(diff)
	}
	var told []string
	for _, p := range r.With(recommend.Instead) {
		for _, rel := range p.Relations {
			told = append(told, fmt.Sprint(p.ID, " ", rel.With, " ", rel.Extends, " ", rel.Why, " ", rel.Targets))
		}
	}
	wantTold := []string{
		"nearer near true It elaborates near and takes all its inputs: name one of the two. []",
		"rival near false One of two. []",
		"packed near false Not here. [moon]",
	}
	if diff := cmp.Diff(wantTold, told); diff != "" {
		t.Error(diff)
	}
	if got := r.Nearest(); got == nil || got.ID != "plain" || !slices.Equal(got.Matches, []string{"near"}) {
		t.Errorf("the nearest profile is %v", got)
	}
	if got := r.Chosen(); !slices.Equal(got, []string{"elsewhere", "near"}) {
		t.Errorf("chosen are %v", got)
	}
	// Asked for nothing that needs it, near is more than was asked.
	if got := verdicts(weigh(t, catalog(t, files), recommend.Asked{Latency: "5s"}, ""))["near"]; got != recommend.Beyond {
		t.Errorf("near is %s where any row does", got)
	}
}

// TestAskingForMore asks each table for more and more. The patterns in its best
// row keep their score and never lose a place, and no score rises.
func TestAskingForMore(t *testing.T) {
	t.Parallel()
	c := builtin(t)
	steps := map[string][]string{
		blueprints.Latency:      {"5s", "1s", "999ms", "400ms", "99ms", "50ms", "10ms", "9ms", "1ms"},
		blueprints.Throughput:   {"1", "99", "100", "1000", "1001", "8000", "10k", "11k", "1M"},
		blueprints.Availability: {"50", "95", "98", "99", "99.5", "99.9", "99.95", "99.99", "99.999"},
	}
	moved := 0
	for _, base := range []recommend.Asked{{}, {Latency: "50ms"}, {Throughput: "8k", Reads: ".9"}, {Availability: "99", Worldwide: true}} {
		for table, values := range steps {
			before := map[string]*recommend.Pattern{}
			for _, v := range values {
				asked := base
				switch table {
				case blueprints.Latency:
					asked.Latency = v
				case blueprints.Throughput:
					asked.Throughput = v
				default:
					asked.Availability = v
				}
				r := weigh(t, c, asked, "")
				best := bestRow(r, table)
				for _, p := range r.Patterns {
					was := before[p.ID]
					before[p.ID] = p
					if was == nil || p.Rank == 0 {
						continue
					}
					if p.Score > was.Score {
						t.Errorf("%v: %s of %s raises %s from %.1f to %.1f", base, table, v, p.ID, was.Score, p.Score)
					}
					if p.Metrics[table].Text == best && (p.Rank > was.Rank || p.Score != was.Score) {
						t.Errorf("%v: %s of %s takes %s from place %d to %d", base, table, v, p.ID, was.Rank, p.Rank)
					}
					if p.Rank != was.Rank {
						moved++
					}
				}
			}
		}
	}
	if moved == 0 {
		t.Error("nothing ever changed its place")
	}
}

func bestRow(r *recommend.Report, table string) string {
	for _, t := range r.Tables {
		if t.ID == table {
			return t.Rows[0]
		}
	}
	return ""
}

// TestTermsAddUp adds up what is shown, for every pattern: it is the score, and
// every criterion that was asked for is either counted or a gap.
func TestTermsAddUp(t *testing.T) {
	t.Parallel()
	r := weigh(t, builtin(t), recommend.Asked{Latency: "50ms", Throughput: "8k", Availability: "99.95", Reads: ".9", Worldwide: true}, "")
	for _, p := range r.Patterns {
		sum, most := 0.0, 0.0
		seen := map[string]int{}
		for _, part := range p.Parts {
			sum, most = sum+part.Fit*part.Weight, most+part.Weight
			seen[part.Criterion]++
			if part.Fit < 0 || part.Fit > 1 || part.Section == "" || !strings.HasPrefix(part.Place.Filename, "blueprints/patterns/") {
				t.Errorf("%s: %+v", p.ID, part)
			}
		}
		for _, gap := range p.Gaps {
			seen[gap.Criterion]++
		}
		for _, key := range blueprints.Criteria {
			if n := seen[key]; n != 1 && (p.Rank > 0 || key != "quality" && key != "ease") {
				t.Errorf("%s speaks %d times of %s", p.ID, n, key)
			}
		}
		if p.Rank > 0 && fmt.Sprintf("%.1f", 100*sum/most) != fmt.Sprintf("%.1f", p.Score) {
			t.Errorf("%s: %.3f of %.3f is not %.1f", p.ID, sum, most, p.Score)
		}
	}
}

func TestAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		asked recommend.Asked
		want  string // what is asked for, or the error
	}{
		{recommend.Asked{Latency: "1.5s"}, "answers within 1.5s"},
		{recommend.Asked{Throughput: "1.5k"}, "1,500 requests a second"},
		{recommend.Asked{Throughput: "2M"}, "2,000,000 requests a second"},
		{recommend.Asked{Throughput: "0.5"}, "0.5 requests a second"},
		{recommend.Asked{Availability: "99.95%", Reads: ".9"}, "99.95% availability, 90% reads"},
		{recommend.Asked{Reads: "0", Worldwide: true}, "0% reads, users all over the world"},
		{recommend.Asked{Reads: "100%"}, "100% reads"},
		{recommend.Asked{}, "say at least one thing that you need: --latency, --rps, --availability, --read-ratio or --worldwide"},
		{recommend.Asked{Latency: "50"}, `--latency: "50" is not a duration such as "500ms", "30s", "5m", "2h" or "7d"`},
		{recommend.Asked{Latency: "0s"}, "--latency must be longer than nothing; it is 0s"},
		{recommend.Asked{Latency: "2h"}, "--latency must be an hour at most; it is 2h"},
		{recommend.Asked{Throughput: "-5"}, `--rps: "-5" is not a number of requests per second such as 8000, "10k" or "1M"`},
		{recommend.Asked{Throughput: "1e4"}, `--rps: "1e4" is not a number of requests per second such as 8000, "10k" or "1M"`},
		{recommend.Asked{Throughput: "0"}, "--rps must be above 0 and at most 1000M; it is 0"},
		{recommend.Asked{Availability: "high"}, `--availability: "high" is not a percentage such as 99.95 or "99.95%"`},
		{recommend.Asked{Availability: "100"}, "--availability must be above 0 and below 100, for no pattern keeps a system from ever failing; it is 100"},
		{recommend.Asked{Reads: "9"}, `--read-ratio must be from 0 to 1, or a percentage such as "90%"; it is 9`},
		{recommend.Asked{Reads: "x%"}, `--read-ratio: "x%" is not a share such as 0.9 or "90%"`},
		{recommend.Asked{Reads: ".%"}, `--read-ratio: ".%" is not a share such as 0.9 or "90%"`},
		{recommend.Asked{Latency: "x", Reads: "2"}, `--latency: "x" is not a duration such as "500ms", "30s", "5m", "2h" or "7d"; --read-ratio must be from 0 to 1, or a percentage such as "90%"; it is 2`},
	} {
		needs, err := tt.asked.Parse()
		got := strings.Join(needs.Texts(), ", ")
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v gives %s, want %s", tt.asked, got, tt.want)
		}
	}
}
