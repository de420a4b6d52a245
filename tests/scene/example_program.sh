#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: example_program.sh <program> <ranks> [<options>...]
#
# Runs the program of an example with both payloads, several calls and several rounds, and once more with each of the
# option strings; each run has to end with 0 and say that all ranks matched.
set -euo pipefail
program=$1
ranks=$2
shift 2
runs=0

check() {
  local code=0 output seen
  output=$("$program" --timeout 60 -n "$ranks" "$@" 2>&1) || code=$?
  seen=$(grep -cE '^rank [0-9]+: max \|out - expected\| = ' <<<"$output" || true)
  if [[ $code != 0 || $seen != "$ranks" ]] || ! grep -qxF "all $ranks ranks matched golden" <<<"$output"; then
    printf 'FAIL: %s -n %s %s: exit %d, %s ranks\n%s\n' "$program" "$ranks" "$*" "$code" "$seen" "$output"
    exit 1
  fi
  runs=$((runs + 1))
}

for payload in formula random; do
  check --payload "$payload"
  check --payload "$payload" --iterations 3 --rounds 3
done
for options in "$@"; do
  # shellcheck disable=SC2086  # several words
  check --payload random $options
done
printf '%d runs with %s ranks\n' "$runs" "$ranks"
