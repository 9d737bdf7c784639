# Sourced: prints nothing, sets $bun and $node to the pinned runtimes (or what PATH has), empty where there is none.
# Bun and Node are taken straight from their platform packages, so no install script has to run.
here="$(cd "$(dirname "$0")/.." && pwd)"

find_bun() {
  for candidate in "$here"/node_modules/@oven/bun-*/bin/bun; do
    if [ -x "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  command -v bun || true
}

find_node() {
  for candidate in "$here"/node_modules/node-*/bin/node node; do
    major="$("$candidate" -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)"
    if [ "$major" -ge 24 ]; then
      command -v "$candidate"
      return
    fi
  done
}
