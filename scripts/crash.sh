#!/bin/sh
# Kills the server for as long as you like and checks that nothing acknowledged was lost: `crash.sh --kills 1000 --seed 7`.
# TIDEMARK_RUNTIME=bun|node chooses the runtime; without it both take their turn. Figures go into docs/crash-runs.md.
set -eu
sh "$(dirname "$0")/setup.sh"
. "$(dirname "$0")/runtime.sh"
status=0
for name in ${TIDEMARK_RUNTIME:-bun node}; do
  case "$name" in
    bun) runtime="$(find_bun)" ;;
    node) runtime="$(find_node)" ;;
    *) echo "cannot start because TIDEMARK_RUNTIME is '$name'; try bun or node" >&2; exit 2 ;;
  esac
  if [ -z "$runtime" ]; then
    echo "cannot run on $name because it was not found; try: npm ci" >&2
    exit 2
  fi
  "$runtime" "$here/test/crash/long.ts" "$@" || status=$?
done
exit "$status"
