#!/bin/sh
# Sets up what is missing, then runs every check and every test on both runtimes. The last line is the sum.
# Usage: test.sh [--runtime bun|node] [FILE.test.ts…]   with files only these are run, without the static checks
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh test
. scripts/runtime.sh
node="$(find_node)"
bun="$(find_bun)"
if [ -z "$node" ] || [ -z "$bun" ]; then
  echo "cannot run the tests because Node >= 24 or Bun >= 1.4 was not found; try: npm ci" >&2
  exit 2
fi
BUN="$bun" exec "$node" scripts/run-tests.ts "$@"
