#!/bin/sh
# Types, lint, format and the law of imports.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh
. scripts/runtime.sh
node_modules/.bin/tsc
node_modules/.bin/biome check .
"$(find_node)" --test --test-reporter=dot test/tidy.test.ts
