#!/bin/sh
# What docs/scale.md rests on: `scale.sh measure` measures, `scale.sh simulate --seed 7` replays a day, `scale.sh page` brings the
# page up to date with both. Measuring runs on Bun, as a server and a drain do by default.
set -eu
sh "$(dirname "$0")/setup.sh" test
. "$(dirname "$0")/runtime.sh"
case "${1:-}" in
  measure) runtime="$(find_bun)" ;;
  simulate | page) runtime="$(find_node)" ;;
  *) echo "cannot run '${1:-}'; try measure, simulate or page" >&2; exit 2 ;;
esac
if [ -z "$runtime" ]; then
  echo "cannot run because Node >= 24 or Bun >= 1.4 was not found; try: npm ci" >&2
  exit 2
fi
program="$here/bench/scale/$1.ts"
shift
exec "$runtime" "$program" "$@"
