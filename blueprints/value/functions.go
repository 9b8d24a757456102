package value

import (
	"maps"
	"slices"
	"sync"

	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
)

// Functions is the table of pure functions, by the names that Terraform gives
// them. Functions that read the clock, the disk or a random source are left
// out on purpose: a render gives the same bytes at any time and place.
//
// The map is shared: read it, do not change it.
var Functions = sync.OnceValue(func() map[string]function.Function {
	all := maps.Clone(standard)
	maps.Copy(all, collections)
	maps.Copy(all, texts)
	maps.Copy(all, networks)
	maps.Copy(all, own)
	return all
})

// Callable is a function with what its calls need to know of it: cty makes a copy
// of a function's parameters for everybody who asks.
type Callable struct {
	function.Function
	Params []function.Parameter
	Rest   *function.Parameter // of the further arguments; nil if there are none
	// Custom says that the function gets expressions instead of their values.
	Custom bool
}

// Callables are the functions of the table. Like that it is only read.
var Callables = sync.OnceValue(func() map[string]*Callable {
	all := map[string]*Callable{}
	for name, fn := range Functions() {
		all[name] = NewCallable(fn)
	}
	return all
})

// NewCallable looks a function's parameters up.
func NewCallable(fn function.Function) *Callable {
	c := &Callable{Function: fn, Params: fn.Params(), Rest: fn.VarParam()}
	for _, p := range c.Params {
		c.Custom = c.Custom || customdecode.CustomExpressionDecoderForType(p.Type) != nil
	}
	c.Custom = c.Custom || c.Rest != nil && customdecode.CustomExpressionDecoderForType(c.Rest.Type) != nil
	return c
}

// Pure reports whether name is in the table of pure functions.
func Pure(name string) bool {
	_, ok := Functions()[name]
	return ok
}

// FunctionNames lists the table in alphabetical order.
func FunctionNames() []string { return slices.Sorted(maps.Keys(Functions())) }

var standard = map[string]function.Function{
	"abs":             stdlib.AbsoluteFunc,
	"can":             tryfunc.CanFunc,
	"ceil":            stdlib.CeilFunc,
	"chomp":           stdlib.ChompFunc,
	"chunklist":       stdlib.ChunklistFunc,
	"coalescelist":    stdlib.CoalesceListFunc,
	"compact":         stdlib.CompactFunc,
	"concat":          stdlib.ConcatFunc,
	"contains":        stdlib.ContainsFunc,
	"csvdecode":       stdlib.CSVDecodeFunc,
	"distinct":        stdlib.DistinctFunc,
	"element":         stdlib.ElementFunc,
	"flatten":         stdlib.FlattenFunc,
	"floor":           stdlib.FloorFunc,
	"format":          stdlib.FormatFunc,
	"formatdate":      stdlib.FormatDateFunc,
	"formatlist":      stdlib.FormatListFunc,
	"indent":          stdlib.IndentFunc,
	"join":            stdlib.JoinFunc,
	"jsondecode":      stdlib.JSONDecodeFunc,
	"jsonencode":      stdlib.JSONEncodeFunc,
	"keys":            stdlib.KeysFunc,
	"log":             stdlib.LogFunc,
	"lookup":          stdlib.LookupFunc,
	"lower":           stdlib.LowerFunc,
	"max":             stdlib.MaxFunc,
	"merge":           stdlib.MergeFunc,
	"min":             stdlib.MinFunc,
	"parseint":        stdlib.ParseIntFunc,
	"pow":             stdlib.PowFunc,
	"range":           stdlib.RangeFunc,
	"regex":           stdlib.RegexFunc,
	"regexall":        stdlib.RegexAllFunc,
	"reverse":         stdlib.ReverseListFunc,
	"setintersection": stdlib.SetIntersectionFunc,
	"setproduct":      stdlib.SetProductFunc,
	"setsubtract":     stdlib.SetSubtractFunc,
	"setunion":        stdlib.SetUnionFunc,
	"signum":          stdlib.SignumFunc,
	"slice":           stdlib.SliceFunc,
	"sort":            stdlib.SortFunc,
	"split":           stdlib.SplitFunc,
	"strrev":          stdlib.ReverseFunc,
	"substr":          stdlib.SubstrFunc,
	"timeadd":         stdlib.TimeAddFunc,
	"title":           stdlib.TitleFunc,
	"trim":            stdlib.TrimFunc,
	"trimprefix":      stdlib.TrimPrefixFunc,
	"trimspace":       stdlib.TrimSpaceFunc,
	"trimsuffix":      stdlib.TrimSuffixFunc,
	"try":             tryfunc.TryFunc,
	"upper":           stdlib.UpperFunc,
	"values":          stdlib.ValuesFunc,
	"yamldecode":      ctyyaml.YAMLDecodeFunc,
	"yamlencode":      ctyyaml.YAMLEncodeFunc,
	"zipmap":          stdlib.ZipmapFunc,
}
