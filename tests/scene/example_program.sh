#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: example_program.sh <program> <ranks> <options of all runs> [<options of one run more>...]
#
# Runs the program of an example with both payloads, several calls and several rounds, with up to three ranks also on
# the checked machine, and once more with each of the option strings; each run has to end with 0 and say that all ranks
# matched.
set -euo pipefail
program=$1
ranks=$2
always=$3
shift 3
runs=0

check() {
  local code=0 output seen
  # shellcheck disable=SC2086  # several words
  output=$("$program" --timeout 60 -n "$ranks" $always "$@" 2>&1) || code=$?
  seen=$(grep -cE '^rank [0-9]+: max \|out - expected\| = |^no findings in ' <<<"$output" || true)
  runs=$((runs + 1))
  if [[ $code != 0 ]] || ! grep -qxF "all $ranks ranks matched golden" <<<"$output"; then
    seen=failed
  fi
  if [[ $seen != "$ranks" && ! ($seen == 1 && "$*" == *'-p check'*) ]]; then
    printf 'FAIL: %s -n %s %s %s: exit %d\n%s\n' "$program" "$ranks" "$always" "$*" "$code" "$output"
    exit 1
  fi
}

for payload in formula random; do
  check --payload "$payload"
  check --payload "$payload" --iterations 3 --rounds 3
  if ((ranks <= 3)); then
    check --payload "$payload" -p check --iterations 3 --schedules 10
  fi
done
for options in "$@"; do
  # shellcheck disable=SC2086  # several words
  check --payload random $options
done
printf '%d runs with %s ranks\n' "$runs" "$ranks"
