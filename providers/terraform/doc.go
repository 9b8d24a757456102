// Package terraform runs terraform or tofu on a rendered root.
//
// It knows nothing of blueprints or packs: it gets a folder with a root module.
// It may import hcl, terraform-exec and terraform-json, and no other package
// of this module. It is the only one that starts a program.
//
// The environment goes through as it is: credentials, TF_VAR_…, TF_DATA_DIR,
// TF_CLI_CONFIG_FILE and TF_PLUGIN_CACHE_DIR work as they do without scaffold.
// [PluginDirVariable] lists folders that init takes providers from instead of
// a registry. TF_WORKSPACE is the exception, see [WorkspaceError].
package terraform
