package check

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// fileFunctions are those that read files of the root. They find what Root was
// given and nothing else; pure is what a template may call besides.
func (c *checker) fileFunctions(pure map[string]function.Function) map[string]function.Function {
	read := func(of func([]byte) (string, error)) function.Function {
		return textFunction(func(name string) (string, error) {
			text, err := c.readFile(name)
			if err != nil {
				return "", err
			}
			return of(text)
		})
	}
	files := map[string]function.Function{
		"file":       read(asText),
		"filebase64": read(func(text []byte) (string, error) { return base64.StdEncoding.EncodeToString(text), nil }),
		"fileexists": c.fileExistsFunction(),
		"fileset":    unknown(cty.Set(cty.String), cty.String, cty.String),
	}
	for _, name := range []string{"md5", "sha1", "sha256", "sha512"} {
		files["file"+name] = read(func(text []byte) (string, error) { return hex.EncodeToString(digest(name, text)), nil })
	}
	for _, name := range []string{"sha256", "sha512"} {
		files["filebase64"+name] = read(func(text []byte) (string, error) {
			return base64.StdEncoding.EncodeToString(digest(name, text)), nil
		})
	}
	inner := maps.Clone(pure)
	maps.Copy(inner, files)
	files["templatefile"] = c.templateFileFunction(inner)
	files["templatestring"] = templateStringFunction(inner)
	return files
}

func asText(text []byte) (string, error) {
	if !utf8.Valid(text) {
		return "", fmt.Errorf("contents of the file are not valid UTF-8")
	}
	return string(text), nil
}

func (c *checker) readFile(name string) ([]byte, error) {
	text, ok := c.files[path.Clean(name)]
	if !ok {
		return nil, fmt.Errorf("no file exists at %q", name)
	}
	return text, nil
}

func (c *checker) fileExistsFunction() function.Function {
	spec := unknownSpec(cty.Bool, []cty.Type{cty.String})
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		_, err := c.readFile(args[0].AsString())
		return cty.BoolVal(err == nil), nil
	}
	return function.New(spec)
}

func (c *checker) templateFileFunction(inner map[string]function.Function) function.Function {
	parse := func(name cty.Value) (hcl.Expression, error) {
		text, err := c.readFile(name.AsString())
		if err != nil {
			return nil, function.NewArgError(0, err)
		}
		expr, diags := hclsyntax.ParseTemplate(text, path.Clean(name.AsString()), hcl.InitialPos)
		if diags.HasErrors() {
			return nil, function.NewArgError(0, diags)
		}
		return expr, nil
	}
	render := func(args []cty.Value) (cty.Value, error) {
		expr, err := parse(args[0])
		if err != nil {
			return cty.DynamicVal, err
		}
		return renderTemplate(expr, args[1], inner)
	}
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			value, err := render(args)
			return value.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return render(args) },
	})
}

// templateStringFunction takes a reference to a template, and no other text.
func templateStringFunction(inner map[string]function.Function) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "template", Type: customdecode.ExpressionClosureType},
			{Name: "vars", Type: cty.DynamicPseudoType},
		},
		Type: func(args []cty.Value) (cty.Type, error) {
			value, err := renderReference(args, inner)
			return value.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return renderReference(args, inner) },
	})
}

func renderReference(args []cty.Value, inner map[string]function.Function) (cty.Value, error) {
	closure := customdecode.ExpressionClosureFromVal(args[0])
	_, indexed := closure.Expression.(*hclsyntax.IndexExpr)
	if _, diags := hcl.AbsTraversalForExpr(closure.Expression); diags.HasErrors() && !indexed {
		return cty.DynamicVal, function.NewArgErrorf(0, "must be a direct reference to a single string from elsewhere, containing valid template syntax")
	}
	value, diags := closure.Value()
	if diags.HasErrors() {
		return cty.DynamicVal, function.NewArgError(0, diags)
	}
	text, ok := asString(value)
	if !ok || !args[1].IsKnown() {
		return cty.DynamicVal, nil
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), "template", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, function.NewArgError(0, diags)
	}
	return renderTemplate(expr, args[1], inner)
}

func renderTemplate(expr hcl.Expression, vars cty.Value, functions map[string]function.Function) (cty.Value, error) {
	if typ := vars.Type(); !typ.IsMapType() && !typ.IsObjectType() {
		return cty.DynamicVal, function.NewArgErrorf(1, "invalid vars value: must be a map")
	}
	context := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: functions}
	for name := range context.Variables {
		if !hclsyntax.ValidIdentifier(name) {
			return cty.DynamicVal, function.NewArgErrorf(1, "invalid template variable name %q: must start with a letter, followed by zero or more letters, digits, and underscores", name)
		}
	}
	for _, traversal := range expr.Variables() {
		if _, ok := context.Variables[traversal.RootName()]; !ok {
			return cty.DynamicVal, function.NewArgErrorf(1, "vars map does not contain key %q, referenced at %s", traversal.RootName(), traversal.SourceRange())
		}
	}
	value, diags := expr.Value(context)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	return value, nil
}
