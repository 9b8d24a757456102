// Package schema holds provider schemas as data: which arguments, blocks and
// types each resource type, data source and ephemeral resource has.
//
// Two providers are embedded (data/<name>-<version>.schema). One file holds one
// compressed entry per type and an index, so that a process that reads no
// schema pays nothing and a render pays only for the types it uses. Identical
// blocks within an entry are stored once: firewall rules nest the same blocks
// thousands of times.
//
// To embed another version, let Terraform write its schemas and convert them:
//
//	terraform init                # in a folder that requires the provider
//	terraform providers schema -json | gzip > aws-5.100.0.json.gz
//	go run ./providers/schema/generate aws-5.100.0.json.gz providers/schema/data/aws-5.100.0.schema
//
// The name and the version come from the name of the target file. The same
// source gives the same bytes.
//
// The package may import nothing of this module.
package schema

//go:generate go run ./generate $AWS_SCHEMA_JSON data/aws-5.100.0.schema
//go:generate go run ./generate $GOOGLE_SCHEMA_JSON data/google-7.45.0.schema
