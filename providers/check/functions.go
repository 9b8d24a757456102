package check

import (
	"bytes"
	"maps"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// pureFunctions are Terraform's functions that need nothing but their
// arguments. Those whose result differs between runs, or which don't matter
// here, have a signature and an unknown result.
var pureFunctions = map[string]function.Function{
	"abs":              stdlib.AbsoluteFunc,
	"abspath":          unknown(cty.String, cty.String),
	"alltrue":          unknown(cty.Bool, cty.List(cty.Bool)),
	"anytrue":          unknown(cty.Bool, cty.List(cty.Bool)),
	"base64decode":     textFunction(base64Decode),
	"base64encode":     textFunction(base64Encode),
	"base64gzip":       unknown(cty.String, cty.String),
	"base64sha256":     textFunction(base64Hash("sha256")),
	"base64sha512":     textFunction(base64Hash("sha512")),
	"basename":         textFunction(baseName),
	"bcrypt":           unknownVariadic(cty.String, cty.Number, cty.String),
	"can":              tryfunc.CanFunc,
	"ceil":             stdlib.CeilFunc,
	"chomp":            stdlib.ChompFunc,
	"chunklist":        stdlib.ChunklistFunc,
	"cidrhost":         cidrHostFunction,
	"cidrnetmask":      textFunction(cidrNetmask),
	"cidrsubnet":       cidrSubnetFunction,
	"cidrsubnets":      cidrSubnetsFunction,
	"coalesce":         coalesceFunction,
	"coalescelist":     stdlib.CoalesceListFunc,
	"compact":          stdlib.CompactFunc,
	"concat":           stdlib.ConcatFunc,
	"contains":         stdlib.ContainsFunc,
	"csvdecode":        stdlib.CSVDecodeFunc,
	"dirname":          textFunction(dirName),
	"distinct":         stdlib.DistinctFunc,
	"element":          stdlib.ElementFunc,
	"endswith":         testFunction(endsWith),
	"ephemeralasnull":  ephemeralAsNullFunction,
	"flatten":          stdlib.FlattenFunc,
	"floor":            stdlib.FloorFunc,
	"format":           stdlib.FormatFunc,
	"formatdate":       stdlib.FormatDateFunc,
	"formatlist":       stdlib.FormatListFunc,
	"indent":           stdlib.IndentFunc,
	"index":            indexFunction,
	"issensitive":      unknown(cty.Bool, cty.DynamicPseudoType),
	"join":             stdlib.JoinFunc,
	"jsondecode":       stdlib.JSONDecodeFunc,
	"jsonencode":       stdlib.JSONEncodeFunc,
	"keys":             stdlib.KeysFunc,
	"length":           lengthFunction,
	"list":             removed("list", "tolist([ ... ])"),
	"log":              stdlib.LogFunc,
	"lookup":           lookupFunction,
	"lower":            stdlib.LowerFunc,
	"map":              removed("map", "tomap({ ... })"),
	"matchkeys":        matchKeysFunction,
	"max":              stdlib.MaxFunc,
	"md5":              textFunction(hexHash("md5")),
	"merge":            stdlib.MergeFunc,
	"min":              stdlib.MinFunc,
	"nonsensitive":     sameTypeFunction,
	"one":              oneFunction,
	"parseint":         stdlib.ParseIntFunc,
	"pathexpand":       unknown(cty.String, cty.String),
	"plantimestamp":    unknown(cty.String),
	"pow":              stdlib.PowFunc,
	"range":            stdlib.RangeFunc,
	"regex":            stdlib.RegexFunc,
	"regexall":         stdlib.RegexAllFunc,
	"replace":          replaceFunction,
	"reverse":          stdlib.ReverseListFunc,
	"rsadecrypt":       unknown(cty.String, cty.String, cty.String),
	"sensitive":        sameTypeFunction,
	"setintersection":  stdlib.SetIntersectionFunc,
	"setproduct":       stdlib.SetProductFunc,
	"setsubtract":      stdlib.SetSubtractFunc,
	"setunion":         stdlib.SetUnionFunc,
	"sha1":             textFunction(hexHash("sha1")),
	"sha256":           textFunction(hexHash("sha256")),
	"sha512":           textFunction(hexHash("sha512")),
	"signum":           stdlib.SignumFunc,
	"slice":            stdlib.SliceFunc,
	"sort":             stdlib.SortFunc,
	"split":            stdlib.SplitFunc,
	"startswith":       testFunction(startsWith),
	"strcontains":      testFunction(contains),
	"strrev":           stdlib.ReverseFunc,
	"substr":           stdlib.SubstrFunc,
	"sum":              sumFunction,
	"textdecodebase64": unknown(cty.String, cty.String, cty.String),
	"textencodebase64": unknown(cty.String, cty.String, cty.String),
	"timeadd":          stdlib.TimeAddFunc,
	"timecmp":          unknown(cty.Number, cty.String, cty.String),
	"timestamp":        unknown(cty.String),
	"title":            stdlib.TitleFunc,
	"tobool":           stdlib.MakeToFunc(cty.Bool),
	"tolist":           stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap":            stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"tonumber":         stdlib.MakeToFunc(cty.Number),
	"toset":            stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	"tostring":         stdlib.MakeToFunc(cty.String),
	"transpose":        unknown(cty.Map(cty.List(cty.String)), cty.Map(cty.List(cty.String))),
	"trim":             stdlib.TrimFunc,
	"trimprefix":       stdlib.TrimPrefixFunc,
	"trimspace":        stdlib.TrimSpaceFunc,
	"trimsuffix":       stdlib.TrimSuffixFunc,
	"try":              tryfunc.TryFunc,
	"upper":            stdlib.UpperFunc,
	"urlencode":        textFunction(urlEncode),
	"uuid":             unknown(cty.String),
	"uuidv5":           unknown(cty.String, cty.String, cty.String),
	"values":           stdlib.ValuesFunc,
	"yamldecode":       ctyyaml.YAMLDecodeFunc,
	"yamlencode":       ctyyaml.YAMLEncodeFunc,
	"zipmap":           stdlib.ZipmapFunc,
}

// functions is the table of one run: the pure functions, those that read the
// root's files, and those of the providers if some file uses one.
func (c *checker) functions() map[string]function.Function {
	all := maps.Clone(pureFunctions)
	maps.Copy(all, c.fileFunctions(all))
	for name, f := range maps.Clone(all) {
		all["core::"+name] = f
	}
	for _, text := range c.files {
		if bytes.Contains(text, []byte("provider::")) {
			maps.Copy(all, c.providerFunctions())
			break
		}
	}
	return all
}

func (c *checker) providerFunctions() map[string]function.Function {
	all := map[string]function.Function{}
	for local, provider := range c.providers {
		for _, name := range provider.Functions() {
			described, ok := provider.Function(name)
			if !ok {
				continue
			}
			spec := &function.Spec{Type: function.StaticReturnType(described.Return)}
			for _, p := range described.Parameters {
				spec.Params = append(spec.Params, function.Parameter{Name: p.Name, Type: p.Type, AllowNull: p.Null})
			}
			if v := described.Variadic; v != nil {
				spec.VarParam = &function.Parameter{Name: v.Name, Type: v.Type, AllowNull: v.Null}
			}
			spec.Impl = unknownResult
			all["provider::"+local+"::"+name] = function.New(spec)
		}
	}
	return all
}

// unknownResult is for functions whose result isn't computed here.
func unknownResult(_ []cty.Value, typ cty.Type) (cty.Value, error) {
	return cty.UnknownVal(typ), nil
}

// unknown is a function with a fixed signature and an unknown result.
func unknown(result cty.Type, parameters ...cty.Type) function.Function {
	return function.New(unknownSpec(result, parameters))
}

// unknownVariadic takes any number of further arguments of one type.
func unknownVariadic(result, further cty.Type, parameters ...cty.Type) function.Function {
	spec := unknownSpec(result, parameters)
	spec.VarParam = &function.Parameter{Name: "further", Type: further}
	return function.New(spec)
}

func unknownSpec(result cty.Type, parameters []cty.Type) *function.Spec {
	spec := &function.Spec{Type: function.StaticReturnType(result), Impl: unknownResult}
	for _, typ := range parameters {
		spec.Params = append(spec.Params, function.Parameter{Name: "argument", Type: typ})
	}
	return spec
}
