#!/bin/sh
# Runs the end-to-end benchmark: `bench.sh --rounds 5 --seconds 4 --only small,large`; --help lists the rest.
# With --small it installs nothing and runs one short round against the rivals that are there.
set -eu
sh "$(dirname "$0")/setup.sh"
. "$(dirname "$0")/runtime.sh"
case " $* " in
  *" --small "* | *" --help "*) ;;
  *) sh "$here/bench/setup.sh" ;;
esac
node="$(find_node)"
if [ -z "$node" ]; then
  echo "cannot run the benchmark because Node >= 24 was not found; try: npm ci" >&2
  exit 2
fi
# The runner itself stays on the load's core, away from the server's.
pin=""
if command -v taskset >/dev/null 2>&1 && [ "$(nproc)" -gt 1 ]; then pin="taskset -c 1"; fi
exec $pin "$node" "$here/bench/main.ts" "$@"
