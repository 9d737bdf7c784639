#!/bin/sh
# Measures the load generator: against wrk, at half of a server's capacity, through a stall, with 10,000 connections.
# `generator.sh --rounds 5 --seconds 4 --out FOLDER`. The table goes into docs/capacity.md.
set -eu
sh "$(dirname "$0")/setup.sh" test
. "$(dirname "$0")/runtime.sh"
node="$(find_node)"
if [ -z "$node" ]; then
  echo "cannot run the benchmark because Node >= 24 was not found; try: npm ci" >&2
  exit 2
fi
exec "$node" "$here/bench/generator.ts" "$@"
