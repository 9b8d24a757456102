package main

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"scaffold/blueprints"
)

// The types below are the part of SARIF 2.1.0 that code scanners read.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID    string       `json:"id"`
	Short sarifMessage `json:"shortDescription"`
	Full  sarifMessage `json:"fullDescription"`
	Help  sarifMessage `json:"help"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifMessage    `json:"message"`
	Locations []sarifLocation `json:"locations"`
	Related   []sarifLocation `json:"relatedLocations,omitempty"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
	Message  *sarifMessage `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	EndLine     int `json:"endLine"`
	EndColumn   int `json:"endColumn"`
}

func sarif(diags hcl.Diagnostics) sarifLog {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "scaffold", Version: version(), Rules: []sarifRule{}}}, Results: []sarifResult{}}
	seen := map[string]bool{}
	for _, d := range diags {
		result := sarifResult{RuleID: ruleID(d), Level: severity(d), Message: sarifMessage{d.Summary + ": " + d.Detail}}
		result.Locations = []sarifLocation{sarifPlace(subjectOf(d), "")}
		if extra, ok := d.Extra.(*blueprints.Extra); ok {
			for _, r := range extra.Related {
				if r.Range.Filename != "" {
					result.Related = append(result.Related, sarifPlace(r.Range, r.Text))
				}
			}
		}
		if !seen[result.RuleID] {
			seen[result.RuleID] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, describeForSARIF(result.RuleID, d))
		}
		run.Results = append(run.Results, result)
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// describeForSARIF describes a rule for those who see it beside a finding.
func describeForSARIF(id string, d *hcl.Diagnostic) sarifRule {
	help := "See the message."
	if extra, ok := d.Extra.(*blueprints.Extra); ok && extra.Code != "" {
		help = "Run 'scaffold explain " + extra.Code + "'."
	}
	text := sarifMessage{d.Summary}
	return sarifRule{ID: id, Short: text, Full: text, Help: sarifMessage{help}}
}

// subjectOf is where a problem is. One that is nowhere is put at the start of
// the blueprint, since GitHub refuses findings without a place.
func subjectOf(d *hcl.Diagnostic) hcl.Range {
	if d.Subject != nil {
		return *d.Subject
	}
	return hcl.Range{Filename: blueprints.DefaultFile, Start: hcl.InitialPos, End: hcl.InitialPos}
}

// ruleID is the code of a check, or the summary of any other problem, which is
// fixed for a kind of problem.
func ruleID(d *hcl.Diagnostic) string {
	if extra, ok := d.Extra.(*blueprints.Extra); ok && extra.Code != "" {
		return extra.Code
	}
	return strings.ReplaceAll(strings.ToLower(d.Summary), " ", "-")
}

func sarifPlace(r hcl.Range, text string) sarifLocation {
	uri := (&url.URL{Path: filepath.ToSlash(r.Filename)}).String()
	region := sarifRegion{max(1, r.Start.Line), max(1, r.Start.Column), max(1, r.End.Line), max(1, r.End.Column)}
	loc := sarifLocation{Physical: sarifPhysical{sarifArtifact{uri}, region}}
	if text != "" {
		loc.Message = &sarifMessage{text}
	}
	return loc
}
