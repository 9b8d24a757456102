# Where the schemas come from. The module proxy serves each of these zips, also
# those whose go directive is newer than the compiler: nothing is compiled.

openapi "k8s.io/kubernetes" {
  version = "v1.37.2"
  file    = "api/openapi-spec/swagger.json"
}

crds "sigs.k8s.io/gateway-api" {
  version = "v1.7.0"
  files   = "config/crd/standard/*.yaml"
}

crds "istio.io/istio" {
  version = "v0.0.0-20260827124520-eed52ebb66ad"
  files   = "manifests/charts/base/files/crd-all.gen.yaml"
}

crds "github.com/argoproj/argo-rollouts" {
  version = "v1.10.2"
  files   = "manifests/crds/*-crd.yaml"
}

crds "github.com/kedacore/keda/v2" {
  version = "v2.21.0"
  files   = "config/crd/bases/keda.sh_*.yaml"
}

crds "github.com/fluxcd/flagger" {
  version = "v1.36.1"
  files   = "artifacts/flagger/crd.yaml"
}

crds "github.com/prometheus-operator/prometheus-operator" {
  version = "v0.85.0"
  files   = "jsonnet/prometheus-operator/*-crd.json"
}

crds "k8s.io/autoscaler/vertical-pod-autoscaler" {
  version = "v1.8.1"
  files   = "deploy/vpa-v1-crd-gen.yaml"
}

crds "github.com/cert-manager/cert-manager" {
  version = "v1.21.2"
  files   = "deploy/crds/*.yaml"
}

crds "github.com/external-secrets/external-secrets" {
  version = "v1.3.2"
  files   = "config/crds/bases/external-secrets.io_*.yaml"
}

crds "github.com/aws/karpenter-provider-aws" {
  version = "v1.15.1"
  files   = "pkg/apis/crds/*.yaml"
}

crds "github.com/envoyproxy/gateway" {
  version = "v1.9.1"
  files   = "charts/gateway-helm/charts/crds/crds/generated/*.yaml"
}

crds "github.com/kubernetes-csi/external-snapshotter/client/v8" {
  version = "v8.7.0"
  files   = "config/crd/snapshot.storage*.yaml"
}

crds "sigs.k8s.io/external-dns" {
  version = "v0.23.0"
  files   = "config/crd/standard/*.yaml"
}
