#!/bin/sh
# Installs what the benchmarks drive: wrk, nginx and VictoriaMetrics from Debian, Fastify from npm.
# What cannot be installed is named, and its rows are left out of the tables.
set -eu
cd "$(dirname "$0")"

missing=""
for pair in wrk:wrk nginx:nginx-light victoria-metrics:victoria-metrics taskset:util-linux; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  echo "installing Debian packages:$missing" >&2
  # RUNLEVEL=1 keeps the packages from starting services of their own: the benchmark starts what it needs.
  # shellcheck disable=SC2086
  { $sudo apt-get update -qq && $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1 ||
    echo "cannot install$missing; the benchmark goes on without" >&2
fi

if ! cmp -s package-lock.json node_modules/.bench-lock 2>/dev/null; then
  npm ci --no-audit --no-fund --loglevel=error >&2 && cp package-lock.json node_modules/.bench-lock ||
    echo "cannot install fastify; the benchmark goes on without" >&2
fi
