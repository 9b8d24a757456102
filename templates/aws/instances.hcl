# What all services on instances share: the machine image and what runs the container on it.
template "instances" {
  for  = blueprint
  when = anytrue([for s in blueprint.services : s.runs_on == null])
  file = "instances.tf"
}

let {
  watched_releases = [for s in blueprint.services : s.name if s.runs_on == null && (
    (s.blue_green_deployment == null ? false : s.blue_green_deployment.rollback == "alarms") ||
    (s.canary_deployment == null ? false : s.canary_deployment.rollback == "alarms")
  )]
  automated = concat(let.watched_releases, [for s in blueprint.services : s.name if s.runs_on == null && (
    s.rolling_updates != null || (s.vertical_scaling == null ? false : s.vertical_scaling.resize == "window")
  )])

  # Services that answer in the place of one that fails.
  stand_ins = [for s in blueprint.services : s.breaker.fallback.name if(s.breaker == null ? false : s.breaker.fallback != null)]

  # Services that others call are found by name. An instance registers itself while it serves.
  called    = [for s in blueprint.services : s if s.runs_on == null && length(s.clients) > 0]
  namespace = "${blueprint.name}.internal"
}

variable "image_id" {
  when = target.image == null

  description = "Machine image (AMI) of the instances: Amazon Linux 2023 with Docker. An id and no alias: it can be rolled back, and a new image rolls out only when it is written here."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.image_id, "ami-")
    error_message = "An image id such as ami-0123456789abcdef0 is needed."
  }
}

data "aws_iam_policy_document" "instance_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# Documents of Systems Manager that act on a service: rollouts, ways back, new sizes.
data "aws_iam_policy_document" "automation_assume" {
  when = length(let.automated) > 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ssm.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "events_assume" {
  when = length(let.watched_releases) > 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
  }
}

resource "aws_service_discovery_private_dns_namespace" "main" {
  when = length(let.called) > 0

  name        = let.namespace
  description = "Services of ${blueprint.name}, by name"
  vpc         = local.vpc_id
}

file "instance/app.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=The container of this service
    Wants=network-online.target
    After=network-online.target docker.service
    Requires=docker.service

    [Service]
    EnvironmentFile=/etc/app/instance.env
    ExecStartPre=-/usr/bin/docker rm --force app
    ExecStart=/usr/local/bin/app
    ExecStop=/bin/sh -c 'exec /usr/bin/docker stop -t "$DRAIN" app'
    TimeoutStopSec=infinity
    Restart=always
    RestartSec=5

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "instance/app.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/bash
    # Starts the container: its secrets are read now and live in its environment only.
    set -euo pipefail

    arguments=()
    while read -r name secret; do
      value=$(aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text)
      export "$name=$value"
      arguments+=(--env "$name")
    done </etc/app/secrets

    if [[ -n $${REGISTRY:-} ]]; then
      aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"
    fi

    if [[ -n $${DATA:-} ]]; then
      arguments+=(--volume "$DATA:$DATA")
    fi

    exec docker run --rm --name app --network host \
      --log-driver awslogs --log-opt awslogs-group="$LOG_GROUP" --log-opt tag="$(hostname)" \
      --env-file /etc/app/app.env "$${arguments[@]}" "$IMAGE"
  EOT
}

file "instance/lifecycle.service" {
  format  = "ini"
  content = <<-EOT
    [Unit]
    Description=Follows what the Auto Scaling group wants of this instance
    After=app.service

    [Service]
    EnvironmentFile=/etc/app/instance.env
    ExecStart=/usr/local/bin/lifecycle
    Restart=always
    RestartSec=5

    [Install]
    WantedBy=multi-user.target
  EOT
}

file "instance/lifecycle.sh" {
  format  = "sh"
  content = <<-EOT
    #!/bin/bash
    # Follows what the Auto Scaling group wants of this instance: tells it when the program is ready, and lets the
    # program finish before the machine goes. Where the service is found by name, it is so only while it serves.
    set -uo pipefail

    metadata() {
      local token
      token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token) &&
        curl -sf -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
    }

    complete() {
      aws autoscaling complete-lifecycle-action --auto-scaling-group-name "$GROUP" --instance-id "$instance" \
        --lifecycle-hook-name "$1" --lifecycle-action-result CONTINUE || true
    }

    ready() {
      if [[ -n $${READY_URL:-} ]]; then
        curl -sf --max-time 2 --output /dev/null "$READY_URL"
      else
        docker inspect --format '{{.State.Running}}' app 2>/dev/null | grep -q true
      fi
    }

    join() {
      [[ -z $${DISCOVERY_SERVICE:-} ]] || aws servicediscovery register-instance --service-id "$DISCOVERY_SERVICE" \
        --instance-id "$instance" --attributes "AWS_INSTANCE_IPV4=$(metadata local-ipv4)"
    }

    leave() {
      [[ -z $${DISCOVERY_SERVICE:-} ]] || aws servicediscovery deregister-instance --service-id "$DISCOVERY_SERVICE" \
        --instance-id "$instance" || true
      # Callers keep an address for a while after it is gone.
      sleep "$LINGER"
    }

    # Where no load balancer asks, this does: a program that stays silent gets its instance replaced.
    watch() {
      if [[ -z $${HEALTH_URL:-} ]] || curl -sf --max-time 2 --output /dev/null "$HEALTH_URL"; then
        silent=0
      elif (( ++silent >= 15 )); then
        aws autoscaling set-instance-health --instance-id "$instance" --health-status Unhealthy
      fi
    }

    until instance=$(metadata instance-id); do sleep 1; done
    until ready; do sleep 2; done
    complete ready

    serving=no
    silent=0
    while sleep 2; do
      case $(metadata autoscaling/target-lifecycle-state || true) in
        InService)
          if [[ $serving == no ]] && ready && join; then
            serving=yes
          fi
          watch
          ;;
        Terminated | Warmed:* | Standby | Detached)
          if [[ $serving == yes ]]; then
            serving=no
            leave
          fi
          if [[ $(metadata autoscaling/target-lifecycle-state || true) == Terminated ]]; then
            systemctl stop app.service
            complete drain
            exit 0
          fi
          ;;
      esac
    done
  EOT
}
