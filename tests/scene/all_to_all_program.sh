#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: all_to_all_program.sh <program> <ranks>
#
# Runs the example with both variants and all payloads and counts; each run has to end with 0 and exact ranks.
set -euo pipefail
program=$1
ranks=$2
runs=0

check() {
  local expected=$1
  shift
  local code=0 output exact
  output=$("$program" --timeout 60 "$@" 2>&1) || code=$?
  exact=$(grep -cE '^rank [0-9]+: max \|out - expected\| = 0\.000e\+00$' <<<"$output" || true)
  if [[ $code != 0 || $exact != "$expected" ]] || ! grep -qxF "all $expected ranks matched golden" <<<"$output"; then
    printf 'FAIL: %s %s: exit %d, %s exact ranks\n%s\n' "$program" "$*" "$code" "$exact" "$output"
    exit 1
  fi
  runs=$((runs + 1))
}

for variant in push pull; do
  check "$ranks" -n "$ranks" --variant "$variant" --count 64
  for count in 0 1 63 64 65 4096; do
    check "$ranks" -n "$ranks" --variant "$variant" --payload random --count "$count"
  done
  check "$ranks" -d "0-$((ranks - 1))" --variant "$variant" --iterations 50
  check "$ranks" -n "$ranks" --variant "$variant" --ranks-as thread
  if [[ $ranks == 2 ]]; then
    check 2 -d 0,2 --variant "$variant"
  fi
done
printf '%d runs with %s ranks\n' "$runs" "$ranks"
