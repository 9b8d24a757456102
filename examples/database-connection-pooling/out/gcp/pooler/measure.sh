#!/bin/sh
# Writes a line for each pool every half minute; from these lines measurements are made.
while sleep 30; do
  psql -h 127.0.0.1 -U stats -d pgbouncer -Atq -F ' ' -c 'show pools' |
    awk '$1 != "pgbouncer" && $1 != "ready" { print "pool active=" $3 " waiting=" $4 " lent=" $7 " wait=" $14 }'
done
