package cel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEval holds the values of expressions over one object.
func TestEval(t *testing.T) {
	t.Parallel()
	self := map[string]any{
		"name": "web", "port": int64(80), "share": 0.5, "on": true, "namespace": "shop",
		"list":   []any{int64(1), int64(2), int64(2)},
		"labels": map[string]any{"app": "web", "a-b/c": "d"},
		"items":  []any{map[string]any{"kind": "A", "n": int64(1)}, map[string]any{"kind": "B"}},
	}
	for _, test := range []struct {
		text string
		want any
	}{
		{"1 + 2 * 3", int64(7)},
		{"(1 + 2) * 3 - -1", int64(10)},
		{"7 / 2 + 7 % 2", int64(4)},
		{"1 < 2 && 2 <= 2 && 3 > 2 && !(1 >= 2)", true},
		{"1 == 1.0 && 1 != 2 && 'a' < 'b'", true},
		{`"a\n" + 'b' + r'\d' + """c"d"""`, "a\nb\\dc\"d"},
		{"true ? 1 : false ? 2 : 3", int64(1)},
		{"self.name + self.__namespace__", "webshop"},
		{"self.labels['a-b/c']", "d"},
		{"self.list[1] == 2 && 3 in [1, 3] && 'app' in self.labels && !('x' in self.labels)", true},
		{"has(self.name) && !has(self.nothing) && has(self.items[0].n) && !has(self.items[1].n)", true},
		{"self.list.all(x, x > 0)", true},
		{"self.items.exists(i, i.kind == 'B')", true},
		{"self.list.exists_one(x, x == 2)", false},
		{"self.list.filter(x, x == 2).size()", int64(2)},
		{"self.items.map(i, i.kind)", []any{"A", "B"}},
		{"self.list.map(x, x > 1, x * 10)", []any{int64(20), int64(20)}},
		{"self.labels.all(k, size(self.labels[k]) > 0)", true},
		{"self.labels.map(k, k)", []any{"a-b/c", "app"}},
		{"{'a': 1, 'b': 2}['b']", int64(2)},
		{"[1, 2] + [3] == [1, 2, 3] && {'a': [1]} == {'a': [1.0]}", true},
		{"self.nothing == 1 || true", true},
		{"true || self.nothing == 1", true},
		{"!(self.nothing == 1 && false)", true},
		{"self.items.exists(i, i.n == 1)", true},
		{"'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') && 'abc'.matches('^a.c$')", true},
		{"'a,b'.split(',')[1] + ['x', 'y'].join('-') + 'abcd'.substring(1, 3) + 'AbC'.lowerAscii()", "bx-ybcabc"},
		{"'a1b22'.find('[0-9]+') + 'aXa'.replace('a', 'b')", "1bXb"},
		{"duration('1m') > duration('59s') && duration('500ms') < duration('1s')", true},
		{"quantity('1Gi').isGreaterThan(quantity('1G')) && quantity(2).compareTo(quantity('2000m')) == 0", true},
		{"isURL('https://a.example/b') && url('https://a.example:8/b').getHost() == 'a.example:8' && !isURL('a b')", true},
		{"isIP('::1') && !isIP('a') && isCIDR('10.0.0.0/8') && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", true},
		{"int('12') + int(3.9) + size('äb')", int64(17)},
		{"string(self.port) + string(self.on)", "80true"},
		{"1 // a remark\n + 1", int64(2)},
	} {
		p, err := Compile(test.text, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := p.Eval(map[string]any{"self": self})
		if err != nil {
			t.Errorf("%s: %s", test.text, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"self.nothing":             "no such key: nothing",
		"other":                    "no variable other",
		"self.a.b":                 ".b of a number",
		"has(self.a.b)":            "has(.b) of a number",
		"1 + 'a'":                  "a number + a string",
		"1 / 0":                    "division by zero",
		"[1][3]":                   "index 3 of 1 items",
		"'a' && true":              "a string is not a boolean",
		"[1].all(x, x)":            "a number is not a boolean",
		"duration('1')":            `duration: time: missing unit in duration "1"`,
		"quantity('1GB')":          `quantity: "1GB" is not a quantity`,
		"self.nothing == 1 || 1>2": "no such key: nothing",
	} {
		p, err := Compile(text, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := p.Eval(map[string]any{"self": map[string]any{"a": int64(1)}}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1 +":           `unexpected ""`,
		"a b":           `unexpected "b"`,
		"(1":            `expected ")"`,
		"nonesuch(1)":   "no function nonesuch",
		"has(1)":        "has needs a field selection",
		"[1].all(1, 2)": "all needs a variable",
		"'a":            "unterminated text",
		"a # b":         "unexpected character",
	} {
		if _, err := Compile(text, nil); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestParseQuantity(t *testing.T) {
	t.Parallel()
	for text, equal := range map[string]string{
		"1": "1000m", "1Ki": "1024", "1k": "1e3", "1.5Gi": "1536Mi", ".5": "500m", "-1": "-1000m", "1E": "1000P", "1E2": "100", "+2.": "2", "100n": "0.1u",
	} {
		a, errA := quantityOf(text)
		b, errB := quantityOf(equal)
		if errA != nil || errB != nil || a.value.Cmp(b.value) != 0 {
			t.Errorf("%s is not %s: %v %v", text, equal, errA, errB)
		}
	}
	for _, text := range []string{"", "m", "1GiB", "1 Gi", "1K", "0x1", "1e", "--1", "1Mi5"} {
		if _, err := ParseQuantity(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// FuzzCompile looks for expressions that make the parser or the evaluator
// panic.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"self.a.all(x, has(x.b) && x.b in [1, 2])", "{'a': 1}['a'] < 2 ? 'x' : r'y'", "quantity('1Gi').compareTo(self)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Compile(text, nil)
		if err != nil {
			return
		}
		_, _ = p.Eval(map[string]any{"self": map[string]any{"a": []any{int64(1), "b", nil}}})
	})
}

// TestSideBySide runs one program from several goroutines, for the race detector.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	program, err := Compile("size([self.n, [1, 2][0]].map(x, int(string(x)) * 2)) == 2 && {'a': self.n}.a < 9", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 200 {
				if ok, err := program.Holds(map[string]any{"self": map[string]any{"n": int64(i)}}); !ok || err != nil {
					t.Fatal(ok, err)
				}
			}
		})
	}
}
