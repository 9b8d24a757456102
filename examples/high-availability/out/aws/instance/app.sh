#!/bin/bash
# Starts the container: its secrets are read now and live in its environment only.
set -euo pipefail

arguments=()
while read -r name secret; do
  value=$(aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text)
  export "$name=$value"
  arguments+=(--env "$name")
done </etc/app/secrets

if [[ -n ${REGISTRY:-} ]]; then
  aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"
fi

if [[ -n ${DATA:-} ]]; then
  arguments+=(--volume "$DATA:$DATA")
fi

exec docker run --rm --name app --network host \
  --log-driver awslogs --log-opt awslogs-group="$LOG_GROUP" --log-opt tag="$(hostname)" \
  --env-file /etc/app/app.env "${arguments[@]}" "$IMAGE"
