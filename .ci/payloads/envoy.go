package main

import (
	"encoding/json"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	// What bootstraps may name in a typed_config.
	_ "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/adaptive_concurrency/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/health_check/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/load_balancing_policies/least_request/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
)

// validated is what the generated types of Envoy have: the rules of its own API.
type validated interface{ ValidateAll() error }

// envoys reads bootstraps as Envoy does: a field that it does not know is an
// error, and so is a value that its API does not allow, in nested
// configurations too.
func (t *tree) envoys() {
	for _, o := range t.others {
		if o.body["static_resources"] == nil {
			continue
		}
		t.bootstraps++
		data, err := json.Marshal(o.body)
		if err != nil {
			t.problem(o, "%s", err)
			continue
		}
		config := &bootstrap.Bootstrap{}
		if err := protojson.Unmarshal(data, config); err != nil {
			t.problem(o, "%s", err)
			continue
		}
		t.valid(o, config)
	}
}

// valid asks a message and every message packed into it.
func (t *tree) valid(o object, m proto.Message) {
	if v, ok := m.(validated); ok {
		if err := v.ValidateAll(); err != nil {
			t.problem(o, "%s", err)
		}
	}
	t.packed(o, m.ProtoReflect())
}

func (t *tree) packed(o object, m protoreflect.Message) {
	if packed, ok := m.Interface().(*anypb.Any); ok {
		inner, err := packed.UnmarshalNew()
		if err != nil {
			t.problem(o, "%s", err)
			return
		}
		t.valid(o, inner)
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				t.packed(o, v.Message())
				return true
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				t.packed(o, v.List().Get(i).Message())
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			t.packed(o, v.Message())
		}
		return true
	})
}
