# What all services on instances share: what runs the container, and the names by which they find each other.
template "instances" {
  for  = blueprint
  when = length(let.instances) > 0
  file = "instances.tf"
}

resource "google_dns_managed_zone" "internal" {
  when = let.named

  name        = "${shortname(let.prefix, 54)}-internal"
  dns_name    = "${let.namespace}."
  description = "Services of ${let.prefix}, by name"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = local.network_id
    }
  }
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
    ExecStart=/bin/bash /etc/app/app.sh
    ExecStop=/usr/bin/docker stop -t $${DRAIN} app
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

    # A secret may have the name of one of these, which come from instance.env.
    # shellcheck disable=SC2153
    image=$IMAGE project=$PROJECT registry=$REGISTRY service=$SERVICE volume=$VOLUME ports=$PORTS

    token() {
      curl -sf --retry 5 -H 'Metadata-Flavor: Google' \
        http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token |
        sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'
    }

    # Container-Optimized OS lets nothing in but SSH. Who gets this far is the network's firewall's matter.
    if command -v iptables >/dev/null; then
      for transport in tcp udp; do
        rule=(INPUT -p "$transport" -m multiport --dports "$ports" -j ACCEPT)
        iptables -w -C "$${rule[@]}" 2>/dev/null || iptables -w -A "$${rule[@]}"
      done
    fi

    # The disk of Container-Optimized OS takes writes in few places only.
    export DOCKER_CONFIG=/var/lib/app
    mkdir -p "$DOCKER_CONFIG"

    arguments=()
    while read -r name secret; do
      value=$(curl -sf --retry 5 -H "Authorization: Bearer $(token)" \
        "https://secretmanager.googleapis.com/v1/projects/$project/secrets/$secret/versions/latest:access" |
        sed -n 's/.*"data" *: *"\([^"]*\)".*/\1/p' | base64 --decode)
      export "$name=$value"
      arguments+=(--env "$name")
    done </etc/app/secrets

    if [[ -n $registry ]]; then
      token | docker login --username oauth2accesstoken --password-stdin "https://$registry"
    fi

    exec docker run --rm --name app --network host \
      --log-driver gcplogs --label "service=$service" --log-opt labels=service \
      --env-file /etc/app/app.env $${volume:+--volume "$volume"} "$${arguments[@]}" "$image"
  EOT
}
