# What a release is judged by while it is rolled out, and what undoes it.
template "analysis" {
  for  = service
  when = target.provider == "kubernetes" || service.runs_on != null
  file = "${service.name}/analysis.yaml"
}

let {
  release = service.blue_green_deployment != null ? service.blue_green_deployment : service.canary_deployment != null ? service.canary_deployment : service.rolling_updates
  judged  = let.release == null || !let.rollout ? false : let.release.rollback == "alarms"
  every   = let.release == null ? 30 : max(30, ceil(let.release.window / 6))
  span    = let.release == null ? "180s" : "${ceil(let.release.window)}s"
  # A waypoint does not know the pods' labels, but the Service that it has sent a request to.
  fresh  = let.waypoint ? (service.canary_deployment == null ? let.where : "${let.where},destination_service_name=\"${service.name}-canary\"") : "${let.where},pod_template_hash=\"{{args.hash}}\""
  stable = let.waypoint ? "${let.where},destination_service_name=\"${service.name}-stable\"" : "${let.where},pod_template_hash!=\"{{args.hash}}\""
  # How many more failures than the version before, or than none.
  compared = service.canary_deployment != null
  enough   = service.canary_deployment == null ? 1 : service.canary_deployment.min_requests
  # After a switch it has to end while the old version is still there.
  rounds = service.blue_green_deployment == null ? null : max(1, min(10, floor((service.blue_green_deployment.keep_old - service.blue_green_deployment.window) / let.every)))
}

manifest "argoproj.io/v1alpha1" "AnalysisTemplate" "this_health" {
  when = let.judged
  metadata = {
    name      = "${service.name}-health"
    namespace = let.namespace
    labels    = { "app.kubernetes.io/name" = service.name }
  }
  spec = {
    args = [{ name = "hash" }]
    metrics = concat(
      let.measured ? [
        {
          name                  = "errors"
          initialDelay          = let.span
          interval              = "${let.every}s"
          count                 = let.rounds
          failureLimit          = 2
          inconclusiveLimit     = 3
          consecutiveErrorLimit = 4
          # Too few requests prove nothing. Between good and bad a person is asked.
          successCondition = "len(result) == 0 || isNaN(result[0]) || result[0] <= ${let.release.max_errors / 100}"
          failureCondition = "len(result) > 0 && result[0] > ${2 * let.release.max_errors / 100}"
          provider = {
            prometheus = {
              address = target.prometheus
              timeout = 20
              query = (let.compared ? <<-EOT
                (
                  sum(rate(${let.requests}{${let.fresh},${let.failed}}[${let.span}])) / sum(rate(${let.requests}{${let.fresh}}[${let.span}]))
                    - on () (sum(rate(${let.requests}{${let.stable},${let.failed}}[${let.span}])) or vector(0)) / sum(rate(${let.requests}{${let.stable}}[${let.span}]))
                ) and on () sum(increase(${let.requests}{${let.fresh}}[${let.span}])) >= ${let.enough}
              EOT
                : <<-EOT
                sum(rate(${let.requests}{${let.fresh},${let.failed}}[${let.span}])) / sum(rate(${let.requests}{${let.fresh}}[${let.span}]))
              EOT
              )
            }
          }
        },
        {
          name                  = "latency"
          initialDelay          = let.span
          interval              = "${let.every}s"
          count                 = let.rounds
          failureLimit          = 2
          consecutiveErrorLimit = 4
          successCondition      = "len(result) == 0 || isNaN(result[0]) || result[0] <= ${let.release.max_latency * let.unit}"
          provider = {
            prometheus = {
              address = target.prometheus
              timeout = 20
              query   = <<-EOT
                histogram_quantile(0.99, sum by (le) (rate(${let.bucket}{${let.fresh}}[${let.span}])))
              EOT
            }
          }
        },
      ] : [],
      [
        {
          name                  = "restarts"
          interval              = "${let.every}s"
          count                 = let.rounds
          failureLimit          = 0
          consecutiveErrorLimit = 4
          successCondition      = "len(result) == 0 || result[0] < 1"
          provider = {
            prometheus = {
              address = target.prometheus
              timeout = 20
              query   = <<-EOT
                sum(increase(kube_pod_container_status_restarts_total{${let.pods},pod=~"${service.name}-{{args.hash}}-.*"}[5m]))
              EOT
            }
          }
        },
        # What wakes somebody also stops the release.
        {
          name                  = "alarms"
          initialDelay          = "60s"
          interval              = "${let.every}s"
          count                 = let.rounds
          failureLimit          = 0
          consecutiveErrorLimit = 4
          successCondition      = "result[0] == 0"
          provider = {
            prometheus = {
              address = target.prometheus
              timeout = 20
              query   = <<-EOT
                count(ALERTS{alertstate="firing",severity="critical",alertname!~"Release.*|Canary.*",service="${service.name}",namespace="${let.namespace}"}) or vector(0)
              EOT
            }
          }
        },
      ],
    )
  }
}
