#!/bin/sh
# Answers one HTTP request: 200 if a query comes back through the pool.
while read -r line; do
  [ "$(printf '%s' "$line" | tr -d '\r')" = "" ] && break
done
if PGCONNECT_TIMEOUT=2 timeout 3 psql -h 127.0.0.1 -U app -d ready -Atqc 'select 1' >/dev/null 2>&1; then
  printf 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
else
  printf 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
fi
