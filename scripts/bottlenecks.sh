#!/bin/sh
# Plants one limit after another and asks the analyser what it is: `bottlenecks.sh --rounds 5`; --help lists the rest.
# TIDEMARK_RUNTIME=bun|node chooses the runtime of the analyser and of our own server (bun).
set -eu
sh "$(dirname "$0")/setup.sh" test
. "$(dirname "$0")/runtime.sh"
case "${TIDEMARK_RUNTIME:-bun}" in
  bun) runtime="$(find_bun)" ;;
  node) runtime="$(find_node)" ;;
  *) echo "cannot start because TIDEMARK_RUNTIME is '$TIDEMARK_RUNTIME'; try bun or node" >&2; exit 2 ;;
esac
if [ -z "$runtime" ]; then
  echo "cannot run because ${TIDEMARK_RUNTIME:-bun} was not found; try: npm ci" >&2
  exit 2
fi
PATH="$PATH:/usr/sbin:/sbin" exec "$runtime" "$here/bench/bottlenecks.ts" "$@"
