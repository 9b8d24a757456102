#!/bin/bash
# Mounts the data disk, and makes a file system on it if it has none.
set -euo pipefail

disk=/dev/disk/by-id/google-data
until [[ -b $disk ]]; do sleep 2; done
if ! blkid "$disk" >/dev/null; then
  mkfs.ext4 -m 0 "$disk"
fi
mkdir -p /mnt/disks/data
mount -o discard,defaults "$disk" /mnt/disks/data
resize2fs "$disk"
