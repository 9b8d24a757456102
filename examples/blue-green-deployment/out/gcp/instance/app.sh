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
    iptables -w -C "${rule[@]}" 2>/dev/null || iptables -w -A "${rule[@]}"
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
  --env-file /etc/app/app.env ${volume:+--volume "$volume"} "${arguments[@]}" "$image"
