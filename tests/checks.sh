# Sourced by the scripts tests/<suite>/run: named checks, and the closing line that tools/test reads.
# HERALD_BUILD names the built tree; HERALD_SOURCE is set here.
# shellcheck shell=bash

HERALD_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
: "${HERALD_BUILD:?tests are run by tools/test, which sets HERALD_BUILD to the built tree}"
checks_passed=0
checks_failed=0

# check NAME COMMAND...: passes when the command does; shows its output when it does not
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    checks_passed=$((checks_passed + 1))
    printf 'ok      %s\n' "$name"
  else
    checks_failed=$((checks_failed + 1))
    printf 'FAILED  %s\n%s\n' "$name" "$output"
  fi
}

# finish: the closing line, and the exit code that goes with it
finish() {
  printf '%d passed, %d failed\n' "$checks_passed" "$checks_failed"
  exit $((checks_failed > 0))
}
