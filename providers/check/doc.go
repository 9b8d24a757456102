// Package check says, offline and in milliseconds, what "terraform validate"
// (1.11) would say about a Terraform root.
//
// It goes in the steps of Terraform: read the files, collect what they declare
// (load*.go), refuse references to what isn't there (reference.go, static.go)
// and cycles (cycle.go), then evaluate each block against the provider's schema
// with unknown values (decode.go, evaluate.go). Rules that live in a provider's
// code rather than in its schema, such as lists of allowed strings, are known as
// far as data/ says them (values*.go), which is more than Terraform would say.
//
// Terraform evaluates with references that have no type. Here each expression
// is evaluated with the real types first, which finds mistakes that Terraform
// finds only when it plans; OnlyAtPlan tells these apart.
//
// The package may import providers/schema and nothing else of this module.
package check
