#!/bin/sh
# Runs the tidemark command line: `tidemark.sh serve --port 8080`. Sets up what is missing first.
# TIDEMARK_RUNTIME=bun|node chooses the runtime; without it Bun, and Node where there is no Bun.
set -eu
sh "$(dirname "$0")/setup.sh"
. "$(dirname "$0")/runtime.sh"

case "${TIDEMARK_RUNTIME:-}" in
  bun) runtime="$(find_bun)" ;;
  node) runtime="$(find_node)" ;;
  "") runtime="$(find_bun)"; [ -n "$runtime" ] || runtime="$(find_node)" ;;
  *) echo "cannot start because TIDEMARK_RUNTIME is '$TIDEMARK_RUNTIME'; try bun or node" >&2; exit 2 ;;
esac
if [ -z "$runtime" ]; then
  echo "cannot start because neither Bun >= 1.4 nor Node >= 24 was found; try: npm ci" >&2
  exit 2
fi
exec "$runtime" "$here/src/cli/main.ts" "$@"
