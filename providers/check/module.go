package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"scaffold/providers/schema"
)

// mode tells the three kinds of resources apart, by their keyword.
type mode string

const (
	managed   mode = "resource"
	data      mode = "data"
	ephemeral mode = "ephemeral"
)

// address names something that a root declares, as references write it.
type address string

func resourceAddress(m mode, typ, name string) address {
	if m == managed {
		return address(typ + "." + name)
	}
	return address(string(m) + "." + typ + "." + name)
}

// module is all that the files of a root declare.
type module struct {
	resources  map[address]*resource
	variables  map[string]*variable
	locals     map[string]*local
	outputs    map[string]*output
	calls      map[string]*call
	configs    map[string]*providerConfig // by "name" or "name.alias"
	required   map[string]*requirement    // by local name
	imports    []*importBlock
	removed    []hcl.Expression
	checks     map[string]*checkBlock
	order      []address // of everything that is validated, as written
	singletons map[string]hcl.Range
}

func newModule() *module {
	return &module{
		resources:  map[address]*resource{},
		variables:  map[string]*variable{},
		locals:     map[string]*local{},
		outputs:    map[string]*output{},
		calls:      map[string]*call{},
		configs:    map[string]*providerConfig{},
		required:   map[string]*requirement{},
		checks:     map[string]*checkBlock{},
		singletons: map[string]hcl.Range{},
	}
}

type resource struct {
	named []hcl.Traversal // what the body names; nil before it was asked for

	mode      mode
	typ, name string
	block     *hcl.Block
	config    hcl.Body      // without what Terraform itself reads
	schema    *schema.Block // nil if the type isn't known

	count, forEach hcl.Expression
	provider       *providerReference // nil: the default one
	dependsOn      []hcl.Traversal
	ignoreChanges  []hcl.Traversal
	triggers       []hcl.Expression
	preconditions  []*condition
	postconditions []*condition
	connections    []hcl.Body
	provisioners   []hcl.Body
}

func (r *resource) address() address { return resourceAddress(r.mode, r.typ, r.name) }

// inside is the scope of the expressions in the resource's own body.
func (r *resource) inside() scope { return scope{each: r.forEach != nil, count: r.count != nil} }

// condition is a precondition, a postcondition, a validation or an assertion.
type condition struct {
	keyword      string
	condition    hcl.Expression
	errorMessage hcl.Expression
}

type variable struct {
	name        string
	declared    hcl.Range
	typ         cty.Type
	ephemeral   bool
	validations []*condition
}

type local struct {
	name string
	expr hclsyntax.Expression
	at   hcl.Range
}

type output struct {
	name          string
	value         hcl.Expression
	declared      hcl.Range
	ephemeral     bool
	dependsOn     []hcl.Traversal
	preconditions []*condition
}

// call is a module block; what the module holds isn't looked at.
type call struct {
	name           string
	declared       hcl.Range
	body           *hclsyntax.Body
	count, forEach hcl.Expression
	dependsOn      []hcl.Traversal
}

type providerConfig struct {
	name, alias string
	declared    hcl.Range
	config      hcl.Body
	body        *hclsyntax.Body
	used        bool
}

func (p *providerConfig) key() string { return providerKey(p.name, p.alias) }

func providerKey(name, alias string) string {
	if alias == "" {
		return name
	}
	return name + "." + alias
}

type providerReference struct {
	name, alias string
	at          hcl.Range
}

type requirement struct {
	source, version string
	at              hcl.Range
}

type importBlock struct {
	to       hcl.Expression
	id       hcl.Expression
	forEach  hcl.Expression
	declared hcl.Range
}

type checkBlock struct {
	name     string
	declared hcl.Range
	asserts  []*condition
}
