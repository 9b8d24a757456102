#!/bin/bash
# Mounts the data volume, and makes a file system on it if it has none.
set -euo pipefail

until [[ -b /dev/sdf ]]; do sleep 2; done
if ! blkid /dev/sdf >/dev/null; then
  mkfs.xfs /dev/sdf
fi
mkdir -p /data
mount /dev/sdf /data
xfs_growfs /data
