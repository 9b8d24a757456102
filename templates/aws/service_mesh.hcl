# A mesh of instances: Envoy beside each program (proxy.hcl), names from Cloud Map, certificates from a CA of its own.
# App Mesh has ended, and VPC Lattice does not end mTLS.
template "service_mesh" {
  for  = service
  when = service.runs_on == null
  file = "service_${service.name}_mesh.tf"

  covers = {
    sidecars         = [file["instance/envoy.service"], aws_launch_template.this.user_data]
    traffic_policies = [length(let.mesh_calls) > 0 ? file["service_this/envoy.yaml"].static_resources.clusters.outlier_detection : file["service_this/envoy.yaml"].static_resources.listeners, length(let.mesh_callers) > 0 ? aws_vpc_security_group_ingress_rule.this_mesh.referenced_security_group_id : null]
    latency          = [length(let.mesh_calls) > 0 ? aws_cloudwatch_metric_alarm.this_mesh_latency.extended_statistic : aws_cloudwatch_metric_alarm.this_mesh_proxy.metric_name]
    mtls             = [aws_acmpca_certificate_authority.mesh.usage_mode, aws_iam_role_policy.this_mesh.policy, file["service_this/envoy.yaml"].static_resources.secrets.tls_certificate, aws_cloudwatch_metric_alarm.this_mesh_certificate.threshold]
    overhead         = [file["service_this/envoy.yaml"].overload_manager.resource_monitors, aws_launch_template.this.instance_type, aws_cloudwatch_metric_alarm.this_mesh_proxy.threshold]
  }

  ignores = {
    control_plane = "There is none: a proxy on an instance reads what it has to do from a file."
    egress        = service.service_mesh.egress == "any" ? null : "Only the mesh of a cluster holds programs back; proxies on instances let everything out that the security group lets out."
    trace_percent = "Only the mesh of a cluster traces requests."
  }

  check "speaks_http" {
    condition = contains(["http", "grpc"], service.protocol)
    message   = "The mesh's proxies route HTTP and gRPC; ${service.name} speaks ${service.protocol}."
    fix       = "Leave ${service.name} out of the mesh."
    at        = service.protocol
  }
  check "found_by_all" {
    # Cloud Map answers with eight addresses at most.
    condition = service.max_instances <= 8 || length(service.clients) == 0
    message   = "Callers find ${service.name} by name and see eight of its up to ${service.max_instances} instances at a time: eight others with every answer, so all get their share, but a breaker knows only those it sees."
    fix       = "Make the instances larger and fewer, or let the services run on a cluster."
    at        = service.max_instances
    severity  = "warning"
  }
}

let {
  mesh_callers = [for s in service.clients : s.name if s.runs_on == null && s.mesh != null]
  mesh_calls   = [for s in service.callees : s.name if s.runs_on == null && s.mesh != null]
}

# The network repeats what the certificates say: nobody else reaches the mesh's port.
resource "aws_vpc_security_group_ingress_rule" "this_mesh" {
  when     = length(let.mesh_callers) > 0
  for_each = { for caller in let.mesh_callers : caller => aws_security_group[caller].id }

  security_group_id            = aws_security_group.this.id
  description                  = "From ${each.key}, within the mesh"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 15443
  to_port                      = 15443
}

# The key of a certificate is made on the instance and never leaves it: no secret is in the state or in user data.
data "aws_iam_policy_document" "this_mesh" {
  statement {
    sid       = "Certificates"
    actions   = ["acm-pca:IssueCertificate"]
    resources = [aws_acmpca_certificate_authority.mesh.arn]

    # For workloads, not for other authorities.
    condition {
      test     = "StringLike"
      variable = "acm-pca:TemplateArn"
      values   = ["arn:aws:acm-pca:::template/EndEntityCertificate/V*"]
    }
  }

  statement {
    sid       = "Trust"
    actions   = ["acm-pca:GetCertificate", "acm-pca:GetCertificateAuthorityCertificate"]
    resources = [aws_acmpca_certificate_authority.mesh.arn]
  }
}

resource "aws_iam_role_policy" "this_mesh" {
  name   = "mesh"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this_mesh.json
}

resource "aws_cloudwatch_metric_alarm" "this_mesh_latency" {
  when     = length(let.mesh_calls) > 0
  for_each = { for s in service.callees : s.name => 1000 * (s.request_timeout / 2 + service.mesh.max_latency) if contains(let.mesh_calls, s.name) }

  alarm_name                            = "${let.name}-mesh-latency-${each.key}"
  alarm_description                     = "One call in a hundred to ${each.key} takes longer than half of its time and what the proxies may add."
  namespace                             = let.name
  metric_name                           = "envoy.cluster.upstream_rq_time"
  dimensions                            = { "envoy.cluster_name" = each.key }
  extended_statistic                    = "p99"
  evaluate_low_sample_count_percentiles = "ignore"
  period                                = 60
  evaluation_periods                    = 5
  datapoints_to_alarm                   = 3
  threshold                             = each.value
  comparison_operator                   = "GreaterThanThreshold"
  treat_missing_data                    = "notBreaching"
  alarm_actions                         = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_mesh_proxy" {
  for_each = let.tracked ? local.this_tracks : null

  alarm_name          = let.tracked ? "${let.name}-${each.key}-mesh-proxy" : "${let.name}-mesh-proxy"
  alarm_description   = "The proxy takes four fifths of the processor that was counted in for it."
  namespace           = let.name
  metric_name         = "procstat_cpu_usage"
  dimensions          = !let.fleet ? { InstanceId = aws_instance.this.id } : { AutoScalingGroupName = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  threshold           = 80 * service.mesh.proxy_cpu
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "this_mesh_certificate" {
  for_each = let.tracked ? local.this_tracks : null

  alarm_name          = let.tracked ? "${let.name}-${each.key}-mesh-certificate" : "${let.name}-mesh-certificate"
  alarm_description   = "The certificate of an instance is not renewed, or nothing is heard of it: soon nobody will talk to it."
  namespace           = let.name
  metric_name         = "mesh.certificate_seconds_left"
  dimensions          = !let.fleet ? { InstanceId = aws_instance.this.id } : { AutoScalingGroupName = let.tracked ? aws_autoscaling_group.this[each.key].name : aws_autoscaling_group.this.name }
  statistic           = "Minimum"
  period              = 300
  evaluation_periods  = 3
  threshold           = floor(service.mesh.certificate_lifetime / 4)
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

extend "aws_launch_template" "this" {
  # Until its own certificate is in place, the authority issues none.
  depends_on = [aws_acmpca_certificate_authority_certificate.mesh]
}
