# The origin's part in a distribution: headers that say how long which copy is
# good, TLS, and what is measured where the requests end. The network itself is
# a cloud's, made by Terraform.
template "cdn_distribution" {
  for  = site
  when = target.provider == "kubernetes"
  file = "${site.name}/distribution.yaml"

  covers = {
    cache_headers = [site.origin == null ? ConfigMap.this.data : HTTPRoute.this.spec.rules, site.cdn_distribution.browser_ttl, site.cdn_distribution.key_headers]
  }
  approximates = {
    invalidation = {
      by  = [site.origin == null ? ConfigMap.this.data : HTTPRoute.this.spec.rules, HTTPRoute.this.spec.rules]
      why = "Files whose names carry a hash need no throwing out and pages end by themselves; the network stands outside of the cluster and has to be told there."
    }
    hit_ratio = {
      by  = [PrometheusRule.this_distribution.spec.groups]
      why = "What the network answers by itself is measured by the network; here is what still reaches the origin."
    }
    bandwidth = {
      by  = [site.origin == null ? ConfigMap.this.data : site.cdn_distribution.compress ? BackendTrafficPolicy.this.spec.compressor : null, PrometheusRule.this_distribution.spec.groups]
      why = "Texts are compressed and what the origin sends is watched; where the network's copies lie and what they cost is decided with the network."
    }
    tls = {
      by  = [let.host == null ? null : Certificate.this.spec.renewBefore, let.host == null ? null : ClientTrafficPolicy.this.spec.tls.minVersion, let.host == null ? null : HTTPRoute.this_redirect.spec.rules, Gateway.this.spec.listeners]
      why = "The origin's side has a certificate and a version; the side of browsers belongs to the network."
    }
  }

  ignores = {
    edge_max_ttl   = "It is a setting of the network, which stands outside of the cluster. Answers say edge_ttl."
    key_query      = "It is a setting of the network, which stands outside of the cluster."
    invalidate     = site.cdn_distribution.invalidate == "manual" ? null : "Nothing in the cluster tells the network to forget a file."
    audience       = "Where copies lie is a setting of the network, which stands outside of the cluster."
    shield         = "It is a setting of the network, which stands outside of the cluster."
    firewall       = site.cdn_distribution.firewall ? "It would stand in the network, which is outside of the cluster." : null
    monthly_budget = site.cdn_distribution.monthly_budget == null ? null : "What the network costs is told where it is paid."
    log_days       = "The network logs requests, outside of the cluster."
  }
}

manifest "gateway.envoyproxy.io/v1alpha1" "BackendTrafficPolicy" "this" {
  when = let.cdn.compress
  metadata = {
    name      = site.name
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = site.name }
  }
  spec = {
    targetRefs = [
      {
        group = "gateway.networking.k8s.io"
        kind  = "HTTPRoute"
        name  = site.name
      },
    ]
    # For whoever asks the origin directly, and for networks that do not compress.
    compressor = [{ type = "Brotli" }, { type = "Gzip" }]
  }
}

manifest "monitoring.coreos.com/v1" "PrometheusRule" "this_distribution" {
  metadata = {
    name      = "${site.name}-distribution"
    namespace = let.namespace
    labels = merge(
      { "app.kubernetes.io/name" = site.name },
      target.monitoring_labels,
    )
  }
  spec = {
    groups = [
      {
        name = "${site.name}.distribution"
        rules = [
          {
            record = "scaffold:origin_requests:rate5m"
            expr   = "sum(rate(envoy_cluster_upstream_rq_total{namespace=\"${target.gateway_namespace}\", envoy_cluster_name=~\"httproute/${let.namespace}/${site.name}/rule/.*\"}[5m]))"
            labels = { site = site.name }
          },
          site.peak_rps == null ? null : {
            # What should never get here at the peak.
            alert       = "OriginAskedTooOften"
            expr        = "scaffold:origin_requests:rate5m{site=\"${site.name}\"} > ${site.peak_rps == null ? 0 : ceil(site.peak_rps * (100 - let.cdn.min_hit_ratio) / 100)}"
            for         = "15m"
            labels      = { severity = "warning", site = site.name }
            annotations = { summary = "More requests reach the origin of ${site.name} than should where ${let.cdn.min_hit_ratio} % are answered before it" }
          },
          {
            alert       = "OriginFails"
            expr        = "sum(rate(envoy_cluster_upstream_rq_xx{namespace=\"${target.gateway_namespace}\", envoy_cluster_name=~\"httproute/${let.namespace}/${site.name}/rule/.*\", envoy_response_code_class=\"5\"}[5m])) > ${let.cdn.max_errors / 100} * scaffold:origin_requests:rate5m{site=\"${site.name}\"}"
            for         = "5m"
            labels      = { severity = "critical", site = site.name }
            annotations = { summary = "More than ${let.cdn.max_errors} % of the requests to the origin of ${site.name} fail" }
          },
          {
            alert       = "OriginSlow"
            expr        = "histogram_quantile(0.95, sum by (le) (rate(envoy_cluster_upstream_rq_time_bucket{namespace=\"${target.gateway_namespace}\", envoy_cluster_name=~\"httproute/${let.namespace}/${site.name}/rule/.*\"}[5m]))) > ${1000 * let.cdn.max_origin_latency}"
            for         = "15m"
            labels      = { severity = "warning", site = site.name }
            annotations = { summary = "The origin of ${site.name} takes longer than ${duration(let.cdn.max_origin_latency)} for one request in twenty" }
          },
          {
            alert       = "OriginSendsMuch"
            expr        = "sum(increase(container_network_transmit_bytes_total{namespace=\"${let.namespace}\", pod=~\"${let.sender}-.+\"}[1d])) > ${ceil(let.cdn.max_bytes * max(1, 100 - let.cdn.min_hit_ratio) / 100)}"
            for         = "5m"
            labels      = { severity = "warning", site = site.name }
            annotations = { summary = "The origin of ${site.name} has sent more in a day than its part of what the network may send" }
          },
          let.host == null ? null : {
            alert       = "OriginCertificateEnds"
            expr        = "min(certmanager_certificate_expiration_timestamp_seconds{namespace=\"${let.namespace}\", name=\"${site.name}\"}) - time() < ${14 * 86400}"
            for         = "1h"
            labels      = { severity = "critical", site = site.name }
            annotations = { summary = "The certificate of ${site.name} ends in less than two weeks and was not renewed" }
          },
        ]
      },
    ]
  }
}
