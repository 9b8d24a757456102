// Package blueprints is the language: it reads definitions and blueprints,
// computes every value of a blueprint on demand and checks what the user said.
//
// Definitions (components, patterns, targets, profiles) are HCL data in the
// folders beside this file; no Go names one of them. A blueprint is resolved
// for one environment and one target into a Model, a graph of Instances whose
// attributes are computed when first asked for and remember where they came
// from.
//
// It may import scaffold/blueprints/value, hcl and cty, and nothing else of
// scaffold's. It knows nothing of packs and of what is rendered.
package blueprints
