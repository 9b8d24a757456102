package kubernetes

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"scaffold/providers/kubernetes/cel"
)

// form is a named syntax of texts.
type form struct {
	valid func(string) bool
	// rule says what is valid, as the rest of "… is not …".
	rule string
}

// forms are the formats a schema can ask for. An unknown format, such as
// int64, says nothing about a text.
var forms = map[string]form{
	"quantity":               {isQuantity, "a quantity such as 500m, 2 or 1Gi"},
	"duration":               {isDuration, "a duration such as 1m30s"},
	"dns-label":              {matching(dnsLabel, 63), "a DNS label: at most 63 lower-case letters, digits and dashes, no dash at the ends"},
	"dns-1035":               {matching(`[a-z]([-a-z0-9]*[a-z0-9])?`, 63), "a DNS label that starts with a letter: at most 63 lower-case letters, digits and dashes"},
	"dns-subdomain":          {matching(dnsLabel+`(\.`+dnsLabel+`)*`, 253), "a DNS name: lower-case letters, digits, dashes and dots, beginning and ending with a letter or a digit"},
	"wildcard-dns":           {matching(`(\*\.)?`+dnsLabel+`(\.`+dnsLabel+`)*`, 253), "a DNS name, whose first label may be *"},
	"label-key":              {isQualifiedName, "a name of at most 63 letters, digits, dashes, dots and underscores, with an optional DNS prefix and a slash"},
	"quota-key":              {isQuotaKey, "a resource that a quota can count, such as requests.cpu, limits.memory, pods or count/jobs.batch"},
	"label-value":            {matching(`([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?`, 63), "a label value: at most 63 letters, digits, dashes, dots and underscores, beginning and ending with a letter or a digit"},
	"port-name":              {isPortName, "a port name: at most 15 lower-case letters, digits and single dashes, with at least one letter"},
	"port-or-name":           {isPortName, "a port name: at most 15 lower-case letters, digits and single dashes, with at least one letter"},
	"int-or-percent":         {percentage.MatchString, "a whole number or a percentage such as 25%"},
	"int-or-percent-of-all":  {isShare, "a whole number or a percentage up to 100%"},
	"dns-subdomain-or-empty": {orEmpty(prefixPart), "a DNS name"},
	"label-key-or-empty":     {orEmpty(isQualifiedName), "a name of at most 63 letters, digits, dashes, dots and underscores, with an optional DNS prefix and a slash"},
	"time-zone":              {isTimeZone, "the name of a time zone, such as Europe/Berlin"},
	"config-key":             {matching(`[-._a-zA-Z0-9]+`, 253), "a key: at most 253 letters, digits, dashes, dots and underscores"},
	"env-name":               {isEnvName, "the name of an environment variable: printable characters without an equals sign"},
	"header-name":            {matching(`[-A-Za-z0-9!#$%&'*+.^_|~`+"`"+`]+`, 4096), "the name of an HTTP header"},
	"absolute-path":          {func(s string) bool { return strings.HasPrefix(s, "/") && !hasParent(s) }, "an absolute path"},
	"relative-path":          {func(s string) bool { return !strings.HasPrefix(s, "/") && !hasParent(s) }, "a relative path inside the volume"},
	"ip":                     {isIP, "an IP address"},
	"ipv4":                   {func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }, "an IPv4 address"},
	"ipv6":                   {func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() }, "an IPv6 address"},
	"cidr":                   {isCIDR, "a network such as 10.0.0.0/16"},
	"cron":                   {isCron, "a cron expression of five fields, such as 0 3 * * *"},
	"date-time":              {func(s string) bool { _, err := time.Parse(time.RFC3339, s); return err == nil }, "a time such as 2026-01-31T12:00:00Z"},
	"byte":                   {func(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil }, "base64"},
	"uri":                    {func(s string) bool { _, err := url.ParseRequestURI(s); return err == nil }, "a URI"},
}

const dnsLabel = `[a-z0-9]([-a-z0-9]*[a-z0-9])?`

var percentage = regexp.MustCompile(`^[0-9]+%$`)

// isQuotaKey accepts the resources of containers, the numbers of objects, and
// anything with a domain or a storage class.
var isQuotaKey = matching(`((requests|limits)\.)?(cpu|memory|ephemeral-storage)|(requests\.)?(storage|hugepages-.+)|`+
	`pods|services|services\.(loadbalancers|nodeports)|replicationcontrollers|resourcequotas|secrets|configmaps|`+
	`persistentvolumeclaims|.+/.+`, 317)

func isShare(s string) bool {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	return err == nil && percentage.MatchString(s) && n <= 100
}

func orEmpty(valid func(string) bool) func(string) bool {
	return func(s string) bool { return s == "" || valid(s) }
}

// isTimeZone asks for the shape only: the zones that exist are those of the
// server, not those of this machine.
var isTimeZone = matching(`UTC|[A-Z][A-Za-z_+-]*(/[A-Za-z0-9_+-]+)*`, 64)

func (c *checker) format(node *yaml.Node, at *path, name, value string) {
	if f, ok := forms[name]; ok && !f.valid(value) {
		c.report(node, at, summaryValue, fmt.Sprintf("%q is not %s", value, f.rule), "")
	}
}

func matching(pattern string, longest int) func(string) bool {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(s string) bool { return len(s) <= longest && re.MatchString(s) }
}

func isQuantity(s string) bool {
	_, err := cel.ParseQuantity(s)
	return err == nil
}

func isDuration(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil
}

var (
	namePart   = matching(`[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?`, 63)
	prefixPart = matching(dnsLabel+`(\.`+dnsLabel+`)*`, 253)
)

func isQualifiedName(s string) bool {
	if prefix, name, ok := strings.Cut(s, "/"); ok {
		return prefixPart(prefix) && namePart(name)
	}
	return namePart(s)
}

var portName = matching(`[a-z0-9]([-a-z0-9]*[a-z0-9])?`, 15)

func isPortName(s string) bool {
	return portName(s) && strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz") && !strings.Contains(s, "--")
}

func isEnvName(s string) bool {
	for _, r := range s {
		if r < ' ' || r > '~' || r == '=' {
			return false
		}
	}
	return s != ""
}

func hasParent(s string) bool {
	for _, part := range strings.Split(s, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isCIDR also wants the bits after the prefix to be zero: the API server warns
// about others, and two readers may disagree about what they mean.
func isCIDR(s string) bool {
	p, err := netip.ParsePrefix(s)
	return err == nil && p.Masked() == p
}

// cronBounds are the smallest and the largest number of each field.
var cronBounds = [5][2]int{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 6}}

var cronNames = map[string]int{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6,
}

func isCron(s string) bool {
	switch s {
	case "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly":
		return true
	}
	if every, ok := strings.CutPrefix(s, "@every "); ok {
		return isDuration(every)
	}
	fields := strings.Fields(s)
	if len(fields) != len(cronBounds) {
		return false
	}
	for i, field := range fields {
		for _, part := range strings.Split(field, ",") {
			if !isCronPart(part, cronBounds[i]) {
				return false
			}
		}
	}
	return true
}

func isCronPart(part string, bounds [2]int) bool {
	span, step, stepped := strings.Cut(part, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
		return false
	}
	if span == "*" || span == "?" {
		return true
	}
	from, to, ranged := strings.Cut(span, "-")
	low, ok := cronNumber(from, bounds)
	if !ok || !ranged {
		return ok
	}
	high, ok := cronNumber(to, bounds)
	return ok && low <= high
}

func cronNumber(s string, bounds [2]int) (int, bool) {
	n, err := strconv.Atoi(s)
	if named, ok := cronNames[strings.ToLower(s)]; ok {
		n, err = named, nil
	}
	return n, err == nil && n >= bounds[0] && n <= bounds[1]
}
