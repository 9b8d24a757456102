package schema

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/zclconf/go-cty/cty"
)

// The shape of what "terraform providers schema -json" prints.
type (
	tfDocument struct {
		Providers map[string]*tfProvider `json:"provider_schemas"`
	}
	tfProvider struct {
		Provider    tfSchema               `json:"provider"`
		Resources   map[string]tfSchema    `json:"resource_schemas"`
		DataSources map[string]tfSchema    `json:"data_source_schemas"`
		Ephemeral   map[string]tfSchema    `json:"ephemeral_resource_schemas"`
		Functions   map[string]*tfFunction `json:"functions"`
	}
	tfSchema struct {
		Block *tfBlock `json:"block"`
	}
	tfBlock struct {
		Attributes map[string]*tfAttribute `json:"attributes"`
		BlockTypes map[string]*tfNested    `json:"block_types"`
		Deprecated bool                    `json:"deprecated"`
	}
	tfAttribute struct {
		Type       *cty.Type `json:"type"`
		Nested     *tfObject `json:"nested_type"`
		Required   bool      `json:"required"`
		Optional   bool      `json:"optional"`
		Computed   bool      `json:"computed"`
		Deprecated bool      `json:"deprecated"`
		Sensitive  bool      `json:"sensitive"`
		WriteOnly  bool      `json:"write_only"`
	}
	tfObject struct {
		Attributes map[string]*tfAttribute `json:"attributes"`
		Nesting    Nesting                 `json:"nesting_mode"`
	}
	tfNested struct {
		Block    *tfBlock `json:"block"`
		Nesting  Nesting  `json:"nesting_mode"`
		MinItems int      `json:"min_items"`
		MaxItems int      `json:"max_items"`
	}
	tfFunction struct {
		Parameters []*tfParameter `json:"parameters"`
		Variadic   *tfParameter   `json:"variadic_parameter"`
		Return     cty.Type       `json:"return_type"`
	}
	tfParameter struct {
		Name string   `json:"name"`
		Type cty.Type `json:"type"`
		Null bool     `json:"is_nullable"`
	}
)

// parseTerraform reads the schemas of exactly one provider.
func parseTerraform(data []byte) (source string, provider *tfProvider, err error) {
	if data, err = gunzip(data); err != nil {
		return "", nil, err
	}
	var document tfDocument
	if err := json.Unmarshal(data, &document); err != nil {
		return "", nil, fmt.Errorf("not the output of terraform providers schema -json: %w", err)
	}
	if len(document.Providers) != 1 {
		return "", nil, fmt.Errorf("the file holds %d providers, one is expected", len(document.Providers))
	}
	for source, provider = range document.Providers {
	}
	if provider == nil {
		return "", nil, fmt.Errorf("the file describes nothing of %s", source)
	}
	return source, provider, nil
}

// gunzip returns the data itself if it isn't compressed.
func gunzip(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

// entries lists everything that gets an entry of its own, in a fixed order.
func (p *tfProvider) entries() ([]entry, error) {
	all := []entry{}
	add := func(key string, value any, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		text, err := json.Marshal(value)
		all = append(all, entry{key, text})
		return err
	}
	packed, err := pack(p.Provider.Block)
	if err := add(keyProvider, packed, err); err != nil {
		return nil, err
	}
	kinds := map[string]map[string]tfSchema{
		keyResource: p.Resources, keyData: p.DataSources, keyEphemeral: p.Ephemeral,
	}
	for kind, types := range kinds {
		for name, schema := range types {
			packed, err := pack(schema.Block)
			if err := add(kind+name, packed, err); err != nil {
				return nil, err
			}
		}
	}
	for name, function := range p.Functions {
		if err := add(keyFunction+name, function, nil); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return compare(a.key, b.key) })
	return all, nil
}
