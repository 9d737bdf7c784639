#!/bin/sh
# A long attack on the server, by the name of its folder in test/: `attack.sh torture --seed 7 --minutes 10`.
# TIDEMARK_RUNTIME=bun|node chooses the runtime; without it both take their turn. What it finds goes to docs/reliability.md.
set -eu
root="$(cd "$(dirname "$0")/.." && pwd)"
name="${1:-}"
if [ -z "$name" ] || [ ! -f "$root/test/$name/long.ts" ]; then
  echo "cannot attack '$name'; try one of: $(cd "$root/test" && for run in */long.ts; do printf '%s ' "${run%/long.ts}"; done)" >&2
  exit 2
fi
shift
sh "$root/scripts/setup.sh" test
. "$root/scripts/runtime.sh"
status=0
for runtime_name in ${TIDEMARK_RUNTIME:-bun node}; do
  case "$runtime_name" in
    bun) runtime="$(find_bun)" ;;
    node) runtime="$(find_node)" ;;
    *) echo "cannot start because TIDEMARK_RUNTIME is '$runtime_name'; try bun or node" >&2; exit 2 ;;
  esac
  if [ -z "$runtime" ]; then
    echo "cannot run on $runtime_name because it was not found; try: npm ci" >&2
    exit 2
  fi
  "$runtime" "$root/test/$name/long.ts" "$@" || status=$?
done
"$(find_node)" "$root/test/reliability/page.ts" || status=$?
exit "$status"
