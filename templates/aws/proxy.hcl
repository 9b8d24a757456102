# Envoy beside the program: the breaker of the calls that go out, the mesh's end of those that come in.
template "proxy" {
  for  = service
  when = service.runs_on == null && (service.breaker != null || service.mesh != null)
  file = "service_${service.name}.tf"
}

let {
  guard    = service.breaker
  advanced = service.circuit_breaker_advanced

  # Whether anybody comes in through the mesh. An end without names to check would let in all that have a certificate.
  entered = service.mesh == null ? false : service.mesh.calls == "any" || anytrue([for s in service.clients : s.runs_on == null && s.mesh != null])

  # Every destination has a port on this machine. Where the breaker is per endpoint, so are clusters behind it:
  # limits, hosts that are left alone and measurements are then the endpoint's own.
  endpoints = let.advanced == null ? [] : let.advanced.endpoints
  adaptive  = let.advanced == null ? false : let.advanced.adaptive
  mode      = let.advanced == null ? "automatic" : let.advanced.mode

  destinations = concat(
    [for n in let.through : {
      name         = n.name
      host         = n.runs_on == null ? "${n.name}.${let.namespace}" : n.hostname
      port         = n.runs_on != null ? 443 : service.mesh != null && n.mesh != null ? 15443 : n.port
      tls          = n.runs_on != null ? "public" : service.mesh != null && n.mesh != null ? "mesh" : "none"
      http2        = n.protocol == "grpc"
      health       = n.runs_on == null && !(service.mesh != null && n.mesh != null) && n.protocol == "http" ? n.health_path : ""
      timeout      = n.request_timeout
      standby      = service.breaker == null ? "" : service.breaker.fallback == null ? "" : "${service.breaker.fallback.name}.${let.namespace}"
      standby_port = service.breaker == null ? 0 : service.breaker.fallback == null ? 0 : service.breaker.fallback.let.entry
    }],
    [for n in let.outside : {
      name         = n.name
      host         = n.host
      port         = n.port
      tls          = n.port == 443 ? "public" : "none"
      http2        = false
      health       = ""
      timeout      = service.request_timeout
      standby      = n.fallback_host == null ? "" : n.fallback_host
      standby_port = n.port
    }],
  )
  # What comes in is broken as well where the service calls nobody: its breaker stands in front of itself.
  inward = let.guarded ? [{
    name   = service.name, host = "127.0.0.1", port = service.port, tls = "none", http2 = service.protocol == "grpc"
    health = service.protocol == "http" ? service.health_path : "", timeout = service.request_timeout, standby = "", standby_port = 0
  }] : []

  routes = [for d in concat(let.inward, let.destinations) : {
    to = d
    clusters = length(let.endpoints) > 0 ? [for e in let.endpoints : {
      name = "${d.name}_${e.name}", path = e.path, timeout = e.timeout, requests = e.max_requests, errors = e.max_errors, status = e.fallback_status
      }] : [{
      name     = d.name
      path     = "/"
      timeout  = let.guard == null ? d.timeout : let.guard.timeout
      requests = let.guard == null ? 512 : let.guard.max_requests
      errors   = let.guard == null ? 5 : let.guard.max_errors
      status   = let.guard == null ? 503 : let.guard.fallback_status
    }]
  }]
}

file "instance/envoy.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=The proxy beside the program
    Wants=network-online.target
    After=network-online.target docker.service mesh-certificate.service
    Before=app.service
    Requires=docker.service

    [Service]
    EnvironmentFile=/etc/app/instance.env
    ExecStartPre=-/usr/bin/docker rm --force envoy
    # host network: the program reaches it on 127.0.0.1, and measurements reach the agent
    ExecStart=/usr/bin/docker run --rm --name envoy --network host --user 101:101 --memory $${PROXY_MEMORY} --cpus $${PROXY_CPUS} --volume /etc/envoy:/etc/envoy:ro docker.io/envoyproxy/envoy:distroless-v1.34.1 --config-path /etc/envoy/envoy.yaml --drain-time-s $${DRAIN}
    ExecStop=/usr/bin/docker stop -t $${DRAIN} envoy
    TimeoutStopSec=infinity
    Restart=always
    RestartSec=5

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "service_this/envoy.yaml" {
  path   = "service_${service.name}/envoy.yaml"
  format = "yaml"
  content = merge(
    {
      node  = { id = service.name, cluster = let.prefix }
      admin = { address = { socket_address = { address = "127.0.0.1", port_value = 9901 } } }

      # Every measurement that Envoy sends becomes a metric that is paid for: only these.
      stats_config = {
        stats_matcher = {
          inclusion_list = {
            patterns = [{
              safe_regex = {
                regex = join("|", [
                  "cluster\\..*\\.(outlier_detection\\.ejections_(active|enforced_total)|circuit_breakers\\.default\\.(cx|rq|rq_pending|rq_retry)_open|upstream_rq_(pending_overflow|timeout|retry|5xx|time|total))",
                  "http\\.ingress\\.downstream_rq_(time|5xx|total)",
                ])
              }
            }]
          }
        }
      }
      stats_sinks = [{
        name = "envoy.stat_sinks.dog_statsd"
        typed_config = {
          "@type" = "type.googleapis.com/envoy.config.metrics.v3.DogStatsdSink"
          address = { socket_address = { address = "127.0.0.1", port_value = 8125 } }
        }
      }]
    },
    # It stops taking requests before it takes the program's memory.
    service.mesh == null ? {} : {
      overload_manager = {
        refresh_interval = "0.25s"
        resource_monitors = [{
          name = "envoy.resource_monitors.fixed_heap"
          typed_config = {
            "@type"             = "type.googleapis.com/envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig"
            max_heap_size_bytes = service.mesh.proxy_memory
          }
        }]
        actions = [{
          name     = "envoy.overload_actions.stop_accepting_requests"
          triggers = [{ name = "envoy.resource_monitors.fixed_heap", threshold = { value = 0.95 } }]
        }]
      }
    },
    {
      static_resources = merge(
        # Renewed by mesh-certificate: Envoy notices new files.
        service.mesh == null ? {} : {
          secrets = [
            {
              name = "workload"
              tls_certificate = {
                certificate_chain = { filename = "/etc/envoy/tls/certificate.pem" }
                private_key       = { filename = "/etc/envoy/tls/key.pem" }
                watched_directory = { path = "/etc/envoy/tls" }
              }
            },
            {
              name               = "trust"
              validation_context = { trusted_ca = { filename = "/etc/envoy/tls/authority.pem" } }
            },
          ]
        },
        {
          listeners = concat(
            !let.entered ? [] : [{
              name    = "ingress"
              address = { socket_address = { address = "0.0.0.0", port_value = 15443 } }
              filter_chains = [{
                transport_socket = {
                  name = "envoy.transport_sockets.tls"
                  typed_config = {
                    "@type"                    = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
                    require_client_certificate = true
                    common_tls_context = {
                      tls_params                         = { tls_minimum_protocol_version = "TLSv1_3" }
                      alpn_protocols                     = ["h2", "http/1.1"]
                      tls_certificate_sds_secret_configs = [{ name = "workload" }]
                      combined_validation_context = {
                        validation_context_sds_secret_config = { name = "trust" }
                        # only those that name this service in needs
                        default_validation_context = service.mesh.calls == "any" ? {
                          match_typed_subject_alt_names = [{ san_type = "DNS", matcher = { suffix = ".${let.namespace}" } }]
                          } : {
                          match_typed_subject_alt_names = [for s in service.clients : { san_type = "DNS", matcher = { exact = "${s.name}.${let.namespace}" } } if s.runs_on == null && s.mesh != null]
                        }
                      }
                    }
                  }
                }
                filters = [{
                  name = "envoy.filters.network.http_connection_manager"
                  typed_config = {
                    "@type"                     = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
                    stat_prefix                 = "ingress"
                    forward_client_cert_details = "SANITIZE_SET"
                    route_config = {
                      virtual_hosts = [{
                        name    = service.name
                        domains = ["*"]
                        routes = let.guarded ? [for c in reverse(let.routes[0].clusters) : {
                          match = { prefix = c.path }
                          route = { cluster = c.name, timeout = format("%.3fs", c.timeout) }
                          }] : [{
                          match = { prefix = "/" }
                          route = { cluster = "app", timeout = format("%.3fs", service.request_timeout) }
                        }]
                      }]
                    }
                    http_filters = [{
                      name         = "envoy.filters.http.router"
                      typed_config = { "@type" = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" }
                    }]
                  }
                }]
              }]
            }],
            [for r in let.routes : {
              name = r.to.name == service.name ? "front" : r.to.name
              address = {
                socket_address = {
                  address    = r.to.name == service.name ? "0.0.0.0" : "127.0.0.1"
                  port_value = r.to.name == service.name ? 15006 : let.ports[r.to.name]
                }
              }
              filter_chains = [{
                filters = [{
                  name = "envoy.filters.network.http_connection_manager"
                  typed_config = merge(
                    {
                      "@type"     = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
                      stat_prefix = r.to.name
                      route_config = {
                        virtual_hosts = [{
                          name    = r.to.name
                          domains = ["*"]
                          routes = [for c in r.clusters : let.mode == "forced_open" ? {
                            match           = { prefix = c.path }
                            direct_response = { status = c.status, body = { inline_string = let.guard.fallback_body } }
                            } : {
                            match = { prefix = c.path }
                            route = merge(
                              {
                                cluster = c.name
                                timeout = format("%.3fs", c.timeout)
                              },
                              r.to.name == service.name ? {} : { host_rewrite_literal = r.to.host },
                              let.guard == null ? {} : let.guard.retries == 0 ? {} : {
                                retry_policy = {
                                  # where a request must not be sent twice, only those that surely were not worked on
                                  retry_on        = let.guard.retry_safe ? "connect-failure,refused-stream" : "connect-failure,refused-stream,gateway-error,reset"
                                  num_retries     = let.guard.retries
                                  per_try_timeout = format("%.3fs", max(0.001, min(let.guard.per_try, (c.timeout - let.guard.retries * let.guard.backoff) / (1 + let.guard.retries))))
                                  retry_back_off  = { base_interval = format("%.3fs", let.guard.backoff), max_interval = format("%.3fs", 10 * let.guard.backoff) }
                                  retry_host_predicate = [{
                                    name         = "envoy.retry_host_predicates.previous_hosts"
                                    typed_config = { "@type" = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate" }
                                  }]
                                }
                              },
                            )
                          }]
                        }]
                      }
                    },
                    # The answer in place of a call that was not let through.
                    let.guard == null ? {} : {
                      local_reply_config = {
                        mappers = [for c in distinct([for c in r.clusters : { status = c.status, path = length(r.clusters) > 1 ? c.path : "" }]) : {
                          filter = c.path == "" || c.path == "/" ? {
                            response_flag_filter = { flags = ["UO", "UH", "UF", "UT", "URX"] }
                            } : {
                            and_filter = {
                              filters = [
                                { response_flag_filter = { flags = ["UO", "UH", "UF", "UT", "URX"] } },
                                { header_filter = { header = { name = ":path", string_match = { prefix = c.path } } } },
                              ]
                            }
                          }
                          status_code = c.status
                          headers_to_add = [
                            { header = { key = "retry-after", value = tostring(ceil(let.guard.retry_after)) } },
                            { header = { key = "x-fallback", value = "circuit-breaker" } },
                          ]
                          body = { inline_string = let.guard.fallback_body }
                          body_format_override = {
                            text_format_source = { inline_string = "%LOCAL_REPLY_BODY%" }
                            content_type       = can(jsondecode(let.guard.fallback_body)) ? "application/json" : "text/plain"
                          }
                        }]
                      }
                    },
                    {
                      http_filters = concat(
                        # The number of calls at work follows the measured latency.
                        !let.adaptive ? [] : [{
                          name = "envoy.filters.http.adaptive_concurrency"
                          typed_config = {
                            "@type" = "type.googleapis.com/envoy.extensions.filters.http.adaptive_concurrency.v3.AdaptiveConcurrency"
                            enabled = { default_value = true, runtime_key = "adaptive_concurrency.enabled" }
                            gradient_controller_config = {
                              sample_aggregate_percentile = { value = 90 }
                              concurrency_limit_params    = { concurrency_update_interval = "0.1s" }
                              min_rtt_calc_params = {
                                interval      = format("%.3fs", let.advanced.adaptive_every)
                                request_count = 50
                                jitter        = { value = 10 }
                              }
                            }
                          }
                        }],
                        [{
                          name         = "envoy.filters.http.router"
                          typed_config = { "@type" = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" }
                        }],
                      )
                    },
                  )
                }]
              }]
            }],
          )
          clusters = concat(
            !let.entered || let.guarded ? [] : [{
              name            = "app"
              type            = "STATIC"
              connect_timeout = "1s"
              load_assignment = {
                cluster_name = "app"
                endpoints    = [{ lb_endpoints = [{ endpoint = { address = { socket_address = { address = "127.0.0.1", port_value = service.port } } } }] }]
              }
            }],
            flatten([for r in let.routes : [for c in r.clusters : merge(
              {
                name              = c.name
                type              = r.to.name == service.name ? "STATIC" : "STRICT_DNS"
                dns_lookup_family = "V4_ONLY"
                connect_timeout   = format("%.3fs", let.guard == null ? 1 : let.guard.connect_timeout)
                lb_policy         = "LEAST_REQUEST"
                # else Envoy calls hosts that it has left alone as soon as half of them are
                common_lb_config = { healthy_panic_threshold = { value = 0 } }
                circuit_breakers = {
                  thresholds = [{
                    max_connections      = let.guard == null ? 512 : let.guard.max_connections
                    max_pending_requests = let.guard == null ? 128 : let.guard.max_pending
                    max_requests         = c.requests
                    retry_budget         = { budget_percent = { value = let.guard == null ? 20 : let.guard.retry_budget }, min_retry_concurrency = 3 }
                    track_remaining      = true
                  }]
                }
                outlier_detection = merge(
                  {
                    consecutive_5xx                       = c.errors
                    consecutive_gateway_failure           = c.errors
                    enforcing_consecutive_5xx             = let.mode == "forced_closed" ? 0 : 100
                    enforcing_consecutive_gateway_failure = let.mode == "forced_closed" ? 0 : 100
                    interval                              = format("%.3fs", let.guard == null ? 10 : let.guard.interval)
                    base_ejection_time                    = format("%.3fs", let.guard == null ? 30 : let.guard.open_for) # then the host is tried again
                    max_ejection_time                     = format("%.3fs", let.guard == null ? 300 : let.guard.open_for_most)
                    max_ejection_percent                  = r.to.name == service.name ? 100 : let.guard == null ? 50 : let.guard.max_ejected
                  },
                  let.guard == null ? {} : {
                    failure_percentage_threshold      = let.guard.error_percent
                    enforcing_failure_percentage      = let.mode == "forced_closed" ? 0 : 100
                    failure_percentage_minimum_hosts  = 1
                    failure_percentage_request_volume = let.guard.min_requests
                  },
                  let.advanced == null ? {} : {
                    success_rate_minimum_hosts  = let.advanced.success_hosts
                    success_rate_request_volume = let.advanced.success_volume
                    success_rate_stdev_factor   = floor(1000 * let.advanced.success_deviation)
                    enforcing_success_rate      = let.mode == "forced_closed" ? 0 : 100
                  },
                )
              },
              # A host that comes back gets its full share little by little.
              let.guard == null ? {} : let.guard.ramp == 0 || r.to.name == service.name ? {} : {
                least_request_lb_config = { slow_start_config = { slow_start_window = format("%.3fs", let.guard.ramp) } }
              },
              r.to.health == "" ? {} : {
                health_checks = [{
                  timeout             = "2s"
                  interval            = "10s"
                  unhealthy_threshold = 3
                  healthy_threshold   = 2
                  http_health_check   = { path = r.to.health, host = r.to.host }
                }]
              },
              !r.to.http2 ? {} : {
                typed_extension_protocol_options = {
                  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions" = {
                    "@type"              = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
                    explicit_http_config = { http2_protocol_options = {} }
                  }
                }
              },
              r.to.tls == "none" ? {} : {
                transport_socket = {
                  name = "envoy.transport_sockets.tls"
                  typed_config = {
                    "@type" = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
                    sni     = r.to.host
                    common_tls_context = r.to.tls == "mesh" ? {
                      tls_params                         = { tls_minimum_protocol_version = "TLSv1_3" }
                      tls_certificate_sds_secret_configs = [{ name = "workload" }]
                      combined_validation_context = {
                        validation_context_sds_secret_config = { name = "trust" }
                        default_validation_context           = { match_typed_subject_alt_names = [{ san_type = "DNS", matcher = { exact = r.to.host } }] }
                      }
                      } : {
                      tls_params = { tls_minimum_protocol_version = "TLSv1_2" }
                      validation_context = {
                        trusted_ca                    = { filename = "/etc/ssl/certs/ca-certificates.crt" }
                        match_typed_subject_alt_names = [for host in distinct(compact([r.to.host, r.to.standby])) : { san_type = "DNS", matcher = { exact = host } }]
                      }
                    }
                  }
                }
              },
              {
                load_assignment = {
                  cluster_name = c.name
                  endpoints = concat(
                    [{ lb_endpoints = [{ endpoint = { address = { socket_address = { address = r.to.host, port_value = r.to.port } } } }] }],
                    r.to.standby == "" ? [] : [{
                      priority     = 1 # only while the first is left alone
                      lb_endpoints = [{ endpoint = { address = { socket_address = { address = r.to.standby, port_value = r.to.standby_port } } } }]
                    }],
                  )
                }
              },
            )]])
          )
        },
      )
    },
  )
}
