// Package render folds a resolved blueprint into a pack's templates and gives
// the files of one target, each line with its origin.
//
// It may import scaffold/blueprints and the packages below render. It knows no
// provider and no pattern: those are words of the packs.
package render
