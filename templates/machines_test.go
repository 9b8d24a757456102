package templates_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// row is one row of a table, by column.
type row map[string]string

func (r row) number(t *testing.T, column string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("%v: %s is no number", r, column)
	}
	return n
}

func tableRows(t *testing.T, file string) []row {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	var rows []row
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		cells := strings.Split(line, "\t")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case columns == nil:
			columns = cells
		default:
			r := row{}
			for i, c := range columns {
				r[c] = cells[i]
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// machine is what AWS says of an EC2 instance type, as far as tables repeat it.
type machine struct {
	VCPUs     float64
	MemoryGiB float64
	Arch      []string
	Burstable bool
	Current   bool
	Pods      float64 // addresses for pods, if it is a node
}

// machines reads the answer of EC2's DescribeInstanceTypes that moto carries.
func machines(t *testing.T) map[string]machine {
	t.Helper()
	var described map[string]struct {
		VCPUInfo struct {
			DefaultVCPUs float64 `json:"DefaultVCpus"`
		} `json:"VCpuInfo"`
		MemoryInfo    struct{ SizeInMiB float64 }
		ProcessorInfo struct{ SupportedArchitectures []string }
		NetworkInfo   struct {
			IPv4AddressesPerInterface float64 `json:"Ipv4AddressesPerInterface"`
			NetworkCards              []struct{ MaximumNetworkInterfaces float64 }
		}
		BurstablePerformanceSupported bool
		CurrentGeneration             bool
	}
	readMoto(t, "ec2/resources/instance_types.json.gz", &described)
	out := map[string]machine{}
	for name, d := range described {
		pods := d.NetworkInfo.NetworkCards[0].MaximumNetworkInterfaces*(d.NetworkInfo.IPv4AddressesPerInterface-1) + 2
		if pods = min(pods, 250); d.VCPUInfo.DefaultVCPUs < 30 {
			pods = min(pods, 110)
		}
		out[name] = machine{d.VCPUInfo.DefaultVCPUs, d.MemoryInfo.SizeInMiB / 1024, d.ProcessorInfo.SupportedArchitectures, d.BurstablePerformanceSupported, d.CurrentGeneration, pods}
	}
	return out
}

// readMoto decodes a file of the fake AWS's Python package.
func readMoto(t *testing.T, name string, into any) {
	t.Helper()
	pythons := []string{"python3"}
	if server, err := exec.LookPath("moto_server"); err == nil {
		pythons = append([]string{filepath.Join(filepath.Dir(server), "python3")}, pythons...)
	}
	for _, python := range pythons {
		out, err := exec.Command(python, "-c", "import moto; print(moto.__path__[0])").Output()
		if err != nil {
			continue
		}
		file, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }()
		unpacked, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewDecoder(unpacked).Decode(into); err != nil {
			t.Fatal(err)
		}
		return
	}
	if os.Getenv("SCAFFOLD_REQUIRE_TOOLS") == "1" {
		t.Fatal("moto is needed here")
	}
	t.Skip("moto is not there")
}

// TestMachinesOfAWS holds the tables of machine sizes against what EC2 says of
// its instance types. Databases and caches run on the same machines: a class
// db.r7g.large has the vCPUs and the memory of an r7g.large, and a cache node
// the vCPUs, and less of the memory than the machine, for ElastiCache takes some
// of it.
func TestMachinesOfAWS(t *testing.T) {
	known := machines(t)
	for _, table := range []struct{ file, column, prefix, burstable string }{
		{"aws/instances.tsv", "name", "", ""},
		{"aws/database_classes.tsv", "class", "db.", "burstable"},
		{"aws/cache_nodes.tsv", "node", "cache.", "steady"},
	} {
		seen := map[string]bool{}
		for _, r := range tableRows(t, table.file) {
			name := r[table.column]
			m, ok := known[strings.TrimPrefix(name, table.prefix)]
			switch {
			case seen[name]:
				t.Errorf("%s: %s stands twice", table.file, name)
			case !ok:
				t.Errorf("%s: EC2 has no %s", table.file, name)
			case !m.Current:
				t.Errorf("%s: %s is of an old generation", table.file, name)
			case m.VCPUs != r.number(t, "vcpu"):
				t.Errorf("%s: %s has %v vCPUs", table.file, name, m.VCPUs)
			case !strings.Contains(strings.Join(m.Arch, " "), r["arch"]):
				t.Errorf("%s: %s is %v", table.file, name, m.Arch)
			}
			if table.prefix == "" && r.number(t, "pods") != m.Pods {
				t.Errorf("%s: %s has room for %v pods", table.file, name, m.Pods)
			}
			seen[name] = true
			memory := r.number(t, "memory_gib")
			if table.prefix == "cache." {
				if memory >= m.MemoryGiB || memory < m.MemoryGiB/2 {
					t.Errorf("%s: %s has %v GiB for data of %v GiB", table.file, name, memory, m.MemoryGiB)
				}
			} else if memory != m.MemoryGiB {
				t.Errorf("%s: %s has %v GiB", table.file, name, m.MemoryGiB)
			}
			if said := r[table.burstable]; table.burstable != "" && (said == "1") != (m.Burstable == (table.burstable == "burstable")) {
				t.Errorf("%s: %s: %s is %s, and EC2 says burstable: %v", table.file, name, table.burstable, said, m.Burstable)
			}
		}
		checkLargest(t, table.file, table.column, table.prefix, known)
	}
}

// checkLargest requires that the column largest, where a table has it, names the
// largest machine of the row's own family.
func checkLargest(t *testing.T, file, column, prefix string, known map[string]machine) {
	t.Helper()
	for _, r := range tableRows(t, file) {
		largest, ok := r["largest"]
		if !ok {
			continue
		}
		family, _, _ := strings.Cut(strings.TrimPrefix(r[column], prefix), ".")
		best := ""
		for name, m := range known {
			if strings.HasPrefix(name, family+".") && !strings.Contains(name, "metal") && m.MemoryGiB > known[best].MemoryGiB {
				best = name
			}
		}
		if largest != prefix+best {
			t.Errorf("%s: the largest of the family of %s is %s, not %s", file, r[column], prefix+best, largest)
		}
	}
}
