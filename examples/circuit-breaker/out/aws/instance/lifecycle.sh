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
  if [[ -n ${READY_URL:-} ]]; then
    curl -sf --max-time 2 --output /dev/null "$READY_URL"
  else
    docker inspect --format '{{.State.Running}}' app 2>/dev/null | grep -q true
  fi
}

join() {
  [[ -z ${DISCOVERY_SERVICE:-} ]] || aws servicediscovery register-instance --service-id "$DISCOVERY_SERVICE" \
    --instance-id "$instance" --attributes "AWS_INSTANCE_IPV4=$(metadata local-ipv4)"
}

leave() {
  [[ -z ${DISCOVERY_SERVICE:-} ]] || aws servicediscovery deregister-instance --service-id "$DISCOVERY_SERVICE" \
    --instance-id "$instance" || true
  # Callers keep an address for a while after it is gone.
  sleep "$LINGER"
}

# Where no load balancer asks, this does: a program that stays silent gets its instance replaced.
watch() {
  if [[ -z ${HEALTH_URL:-} ]] || curl -sf --max-time 2 --output /dev/null "$HEALTH_URL"; then
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
