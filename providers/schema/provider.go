package schema

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed data/*.schema
var embedded embed.FS

// Provider is the schema of one provider. It may be used from several
// goroutines at once; entries are read when they are asked for.
type Provider struct {
	name, version string
	file          *file

	mu     sync.Mutex
	blocks map[string]*Block // by key; nil for what doesn't exist
}

var opened sync.Map // name → func() (*Provider, error)

// Open returns the embedded schema of a provider, by its short name. Every call
// with one name returns the same provider.
func Open(name string) (*Provider, error) {
	open, _ := opened.LoadOrStore(name, sync.OnceValues(func() (*Provider, error) { return openEmbedded(name) }))
	return open.(func() (*Provider, error))()
}

func openEmbedded(name string) (*Provider, error) {
	files, err := embedded.ReadDir("data")
	if err != nil {
		return nil, err
	}
	for _, found := range files {
		short, version := SplitName(found.Name())
		if short != name {
			continue
		}
		data, err := embedded.ReadFile(path.Join("data", found.Name()))
		if err != nil {
			return nil, err
		}
		return read(name, version, data)
	}
	return nil, fmt.Errorf("there is no embedded schema of a provider %q; there are: %s", name, strings.Join(Names(), ", "))
}

// Names lists the embedded providers.
func Names() []string {
	files, _ := embedded.ReadDir("data")
	names := []string{}
	for _, found := range files {
		short, _ := SplitName(found.Name())
		names = append(names, short)
	}
	return slices.Compact(names)
}

// SplitName takes the name of a schema file apart: "aws-5.100.0.schema" is the
// provider "aws" in version "5.100.0".
func SplitName(file string) (name, version string) {
	file = strings.TrimSuffix(path.Base(file), ".schema")
	dash := strings.LastIndexByte(file, '-')
	if dash < 0 {
		return file, ""
	}
	return file[:dash], file[dash+1:]
}

// Load reads a schema that isn't embedded: a schema file, or what "terraform
// providers schema -json" prints for one provider, plain or gzip. Its version
// is not in there, so Version is empty.
func Load(data []byte) (*Provider, error) {
	if !strings.HasPrefix(string(data[:min(len(data), len(magic))]), magic) {
		converted, err := Convert(data)
		if err != nil {
			return nil, err
		}
		data = converted
	}
	return read("", "", data)
}

func read(name, version string, data []byte) (*Provider, error) {
	file, err := readFile(data)
	if err != nil {
		return nil, fmt.Errorf("schema of provider %q: %w", name, err)
	}
	if name == "" {
		name = path.Base(file.source)
	}
	return &Provider{name: name, version: version, file: file, blocks: map[string]*Block{}}, nil
}

// Name is the provider's short name, with which its types' names begin.
func (p *Provider) Name() string { return p.name }

// Source is the provider's full address, with the registry's host.
func (p *Provider) Source() string { return p.file.source }

// Version is the version that the schema was taken from; "" if not known.
func (p *Provider) Version() string { return p.version }

// Resource returns the block of a resource type.
func (p *Provider) Resource(name string) (*Block, bool) { return p.block(keyResource + name) }

// DataSource returns the block of a data source.
func (p *Provider) DataSource(name string) (*Block, bool) { return p.block(keyData + name) }

// Ephemeral returns the block of an ephemeral resource.
func (p *Provider) Ephemeral(name string) (*Block, bool) { return p.block(keyEphemeral + name) }

// ProviderConfig returns the block that configures the provider.
func (p *Provider) ProviderConfig() *Block {
	block, ok := p.block(keyProvider)
	if !ok {
		return &Block{}
	}
	return block
}

// ResourceTypes lists the names of all resource types, sorted.
func (p *Provider) ResourceTypes() []string { return p.names(keyResource) }

// DataSources lists the names of all data sources, sorted.
func (p *Provider) DataSources() []string { return p.names(keyData) }

// EphemeralTypes lists the names of all ephemeral resources, sorted.
func (p *Provider) EphemeralTypes() []string { return p.names(keyEphemeral) }

// Functions lists the names of the provider's functions, sorted.
func (p *Provider) Functions() []string { return p.names(keyFunction) }

// Function returns the signature of a function.
func (p *Provider) Function(name string) (*Function, bool) {
	text, ok, err := p.file.read(keyFunction + name)
	if !ok || err != nil {
		return nil, false
	}
	var stored tfFunction
	if json.Unmarshal(text, &stored) != nil {
		return nil, false
	}
	function := &Function{Return: stored.Return}
	for _, parameter := range stored.Parameters {
		function.Parameters = append(function.Parameters, Parameter(*parameter))
	}
	if stored.Variadic != nil {
		variadic := Parameter(*stored.Variadic)
		function.Variadic = &variadic
	}
	return function, true
}

func (p *Provider) names(kind string) []string {
	names := []string{}
	for key := range p.file.index {
		if name, ok := strings.CutPrefix(key, kind); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// block reads an entry once. An entry that can't be read is treated as missing:
// a test reads every entry of the embedded files.
func (p *Provider) block(key string) (*Block, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if block, ok := p.blocks[key]; ok {
		return block, block != nil
	}
	block, err := p.decode(key)
	if err != nil {
		block = nil
	}
	p.blocks[key] = block
	return block, block != nil
}

func (p *Provider) decode(key string) (*Block, error) {
	text, ok, err := p.file.read(key)
	if !ok || err != nil {
		return nil, err
	}
	var list packedEntry
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	return unpack(list)
}
