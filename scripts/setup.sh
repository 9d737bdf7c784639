#!/bin/sh
# Installs the pinned dependencies (Bun and Node among them) when they are not there or have changed.
# Usage: setup.sh [test]   with "test" it also installs the programs that the tests and benchmarks drive.
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.tidemark-lock
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
  echo "installing dependencies (npm ci)…" >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi

[ "${1:-}" = test ] || exit 0

# Debian packages the tests drive as real peers; a missing one makes its tests skip and say so.
missing=""
for pair in strace:strace wrk:wrk nginx:nginx-light jq:jq perl:perl ss:iproute2 taskset:util-linux chromium:chromium \
  faketime:faketime slowhttptest:slowhttptest haproxy:haproxy openssl:openssl nats-server:nats-server prometheus:prometheus \
  victoria-metrics:victoria-metrics systemd-analyze:systemd yamllint:yamllint kubectl:kubernetes-client; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1; }; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "installing Debian packages:$missing" >&2
    # shellcheck disable=SC2086
    { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1 ||
      echo "could not install$missing; the tests that need them will skip" >&2
  else
    echo "not installed:$missing; the tests that need them will skip" >&2
  fi
fi
