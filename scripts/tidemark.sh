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

# Node strips types with a compiler of its own, 40 MB resident, unless it finds the result in its compile cache.
if [ -z "${NODE_COMPILE_CACHE:-}" ] && "$runtime" -e 'process.exit(process.versions.bun ? 1 : 0)'; then
  NODE_COMPILE_CACHE="$here/node_modules/.cache/node"
  export NODE_COMPILE_CACHE
  if [ ! -d "$NODE_COMPILE_CACHE" ]; then
    # The first start would still compile: load everything once, to no end but the cache.
    (cd "$here" && "$runtime" -e '(async () => {
      for (const file of ["cli/main", "cli/serve", "server/supervisor", "net/node", "server/ingest.worker"])
        await import(`./src/${file}.ts`);
    })().catch(() => {})')
  fi
fi
exec "$runtime" "$here/src/cli/main.ts" "$@"
