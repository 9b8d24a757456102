package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"scaffold/providers/schema"
)

// TestServedAgreement compares our verdict with that of "terraform validate" for
// a provider that is not installed: this process serves its embedded schema to
// Terraform as the provider would, without any rule of the provider's own.
// Variables are those of TestAgreement.
func TestServedAgreement(t *testing.T) {
	if testing.Short() {
		t.Skip("runs Terraform")
	}
	folders := slices.DeleteFunc(roots(t), func(folder string) bool { return !usesOnly(load(t, folder), "google") })
	if len(folders) == 0 {
		t.Skip("there are no roots to compare")
	}
	terraform := servedTerraform(t, providers(t)["google"], typesIn(t, folders))
	mutants := makeMutants(t, folders, number("SCAFFOLD_AGREEMENT_MUTANTS", 30), number("SCAFFOLD_AGREEMENT_SEED", 1))
	report(t, compare(t, terraform, slices.DeleteFunc(mutants, onlyProviders)))
}

// typesIn are the types of the blocks in roots. Serving no others is what makes
// a run of Terraform short.
func typesIn(t *testing.T, folders []string) map[string]bool {
	t.Helper()
	types := map[string]bool{}
	for _, folder := range folders {
		for _, p := range newRoot(load(t, folder), nil, nil).blocks {
			types[p.typ()] = true
		}
	}
	return types
}

// onlyProviders tells whether only a provider's code can judge an edit, the
// part of it that every provider shares included, or whether it needs another
// provider.
func onlyProviders(m *mutant) bool {
	return slices.Contains([]string{"null", "read-only argument"}, m.edit) ||
		strings.HasPrefix(m.edit, "snippet") && bytes.Contains(m.files[m.file], []byte("aws"))
}

// servedTerraform is a Terraform that asks this process for the provider.
func servedTerraform(t *testing.T, provider *schema.Provider, types map[string]bool) *terraform {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("there is no terraform on the PATH")
	}
	address := provider.Source()
	attach, err := json.Marshal(map[string]reattachment{address: serve(t, address, provider, types)})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	tf := &terraform{data: filepath.Join(folder, ".terraform"), environment: append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_CLI_CONFIG_FILE="+os.DevNull, "TF_REATTACH_PROVIDERS="+string(attach))}
	tf.environment = append(tf.environment, "TF_DATA_DIR="+tf.data)
	return tf
}

// reattachment tells Terraform where a provider runs.
type reattachment struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Test            bool
	Addr            struct{ Network, String string }
}

// serve serves a provider until the test ends.
func serve(t *testing.T, address string, provider *schema.Provider, types map[string]bool) reattachment {
	t.Helper()
	t.Setenv("TF_LOG_SDK", "OFF")
	t.Setenv("TF_LOG_SDK_PROTO", "OFF")
	ctx, stop := context.WithCancel(context.Background())
	config, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	server := &schemaServer{provider: provider, response: sync.OnceValue(func() *tfprotov6.GetProviderSchemaResponse { return served(provider, types) })}
	go func() {
		_ = tf6server.Serve(address, func() tfprotov6.ProviderServer { return server },
			tf6server.WithDebug(ctx, config, closed), tf6server.WithoutLogStderrOverride(), tf6server.WithGoPluginLogger(hclog.NewNullLogger()))
	}()
	t.Cleanup(func() {
		stop()
		<-closed
	})
	c := <-config
	at := reattachment{Protocol: string(c.Protocol), ProtocolVersion: c.ProtocolVersion, Pid: c.Pid, Test: c.Test}
	at.Addr.Network, at.Addr.String = c.Addr.Network(), c.Addr.String()
	return at
}

// schemaServer is a provider that knows its schema and nothing else.
type schemaServer struct {
	tfprotov6.ProviderServer
	provider *schema.Provider
	response func() *tfprotov6.GetProviderSchemaResponse
}

func (s *schemaServer) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return s.response(), nil
}

func (s *schemaServer) ValidateProviderConfig(_ context.Context, r *tfprotov6.ValidateProviderConfigRequest) (*tfprotov6.ValidateProviderConfigResponse, error) {
	return &tfprotov6.ValidateProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (s *schemaServer) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (s *schemaServer) ValidateDataResourceConfig(context.Context, *tfprotov6.ValidateDataResourceConfigRequest) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return &tfprotov6.ValidateDataResourceConfigResponse{}, nil
}

func (s *schemaServer) ValidateEphemeralResourceConfig(context.Context, *tfprotov6.ValidateEphemeralResourceConfigRequest) (*tfprotov6.ValidateEphemeralResourceConfigResponse, error) {
	return &tfprotov6.ValidateEphemeralResourceConfigResponse{}, nil
}

func (s *schemaServer) StopProvider(context.Context, *tfprotov6.StopProviderRequest) (*tfprotov6.StopProviderResponse, error) {
	return &tfprotov6.StopProviderResponse{}, nil
}

func served(p *schema.Provider, types map[string]bool) *tfprotov6.GetProviderSchemaResponse {
	all := func(names []string, find func(string) (*schema.Block, bool)) map[string]*tfprotov6.Schema {
		out := map[string]*tfprotov6.Schema{}
		for _, name := range names {
			if block, ok := find(name); ok && types[name] {
				out[name] = &tfprotov6.Schema{Block: servedBlock(block)}
			}
		}
		return out
	}
	return &tfprotov6.GetProviderSchemaResponse{
		Provider:                 &tfprotov6.Schema{Block: servedBlock(p.ProviderConfig())},
		ResourceSchemas:          all(p.ResourceTypes(), p.Resource),
		DataSourceSchemas:        all(p.DataSources(), p.DataSource),
		EphemeralResourceSchemas: all(p.EphemeralTypes(), p.Ephemeral),
	}
}

func servedBlock(block *schema.Block) *tfprotov6.SchemaBlock {
	out := &tfprotov6.SchemaBlock{Deprecated: block.Deprecated}
	for name, a := range block.Attributes {
		out.Attributes = append(out.Attributes, servedAttribute(name, a))
	}
	for name, nested := range block.Blocks {
		out.BlockTypes = append(out.BlockTypes, &tfprotov6.SchemaNestedBlock{
			TypeName: name, Block: servedBlock(nested.Block), MinItems: int64(nested.MinItems), MaxItems: int64(nested.MaxItems),
			Nesting: map[schema.Nesting]tfprotov6.SchemaNestedBlockNestingMode{
				schema.Single: tfprotov6.SchemaNestedBlockNestingModeSingle, schema.Group: tfprotov6.SchemaNestedBlockNestingModeGroup,
				schema.List: tfprotov6.SchemaNestedBlockNestingModeList, schema.Set: tfprotov6.SchemaNestedBlockNestingModeSet,
				schema.Map: tfprotov6.SchemaNestedBlockNestingModeMap,
			}[nested.Nesting],
		})
	}
	return out
}

func servedAttribute(name string, a *schema.Attribute) *tfprotov6.SchemaAttribute {
	out := &tfprotov6.SchemaAttribute{
		Name: name, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
		Sensitive: a.Sensitive, Deprecated: a.Deprecated, WriteOnly: a.WriteOnly,
	}
	if a.Nested == nil {
		out.Type = servedType(a.Type)
		return out
	}
	out.NestedType = &tfprotov6.SchemaObject{Nesting: map[schema.Nesting]tfprotov6.SchemaObjectNestingMode{
		schema.Single: tfprotov6.SchemaObjectNestingModeSingle, schema.List: tfprotov6.SchemaObjectNestingModeList,
		schema.Set: tfprotov6.SchemaObjectNestingModeSet, schema.Map: tfprotov6.SchemaObjectNestingModeMap,
	}[a.Nested.Nesting]}
	for name, inner := range a.Nested.Attributes {
		out.NestedType.Attributes = append(out.NestedType.Attributes, servedAttribute(name, inner))
	}
	return out
}

func servedType(typ cty.Type) tftypes.Type {
	text, err := ctyjson.MarshalType(typ)
	if err != nil {
		panic(err)
	}
	//lint:ignore SA1019 no other function reads a type that is not known before
	out, err := tftypes.ParseJSONType(text)
	if err != nil {
		panic(err)
	}
	return out
}
