// Package value holds what expressions compute with: the units of the language
// and the table of pure functions.
//
// It may import the standard library, hcl, cty and go-cidr, and nothing else of
// scaffold's.
package value
