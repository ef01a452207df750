#!/bin/sh
# `npm test` and `npm run guide`: sets up what is missing, then hands over to Node 24.
#   run.sh test|guide|bench|machine [arguments]
set -eu
what=$1
. "$(dirname "$0")/set-up.sh" "$what"
shift
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$root/.cache/compiled}"
case $what in
  test) exec node --disable-warning=ExperimentalWarning scripts/test.ts "$@" ;;
  guide) exec node --disable-warning=ExperimentalWarning src/cli/main.ts guide "$@" ;;
  bench) exec node --disable-warning=ExperimentalWarning bench/main.ts "$@" ;;
  machine) exec node --disable-warning=ExperimentalWarning scripts/machine/main.ts "$@" ;;
esac
