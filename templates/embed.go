// Package templates holds the packs: one folder of HCL templates and tables for
// each target. It is data; this file only embeds it.
package templates

import "embed"

//go:embed all:*
var FS embed.FS
