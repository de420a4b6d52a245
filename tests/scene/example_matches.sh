#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: example_matches.sh <program> <ranks> [<option>...]
#
# Runs an example with both payloads, three calls on one window and three runs on one worker; with up to three ranks
# also on the checked machine. Every rank has to match, and nothing may be found.
set -euo pipefail
program=$1
ranks=$2
shift 2

check() {
  local code=0 output
  output=$("$program" -n "$ranks" --timeout 60 --iterations 3 "$@" 2>&1) || code=$?
  if [[ $code != 0 ]] || ! grep -qxF "all $ranks ranks matched golden" <<<"$output"; then
    printf 'FAIL: %s -n %s %s: exit %d\n%s\n' "$program" "$ranks" "$*" "$code" "$output"
    exit 1
  fi
}

for payload in formula random; do
  check --payload "$payload" --rounds 3 "$@"
  if ((ranks <= 3)); then
    check --payload "$payload" -p check --schedules 20 "$@"
  fi
done
