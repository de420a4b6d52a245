#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the optimised build and measures what instructions cost beside the bare machine: tables of ratios, and CSVs.
#
#   tools/bench.sh [OPTION...]   options of all programs, such as --check: exit with 1 if a target is missed
#     RANKS="4 8 16"             rank counts of the all-to-all against flags alone
#     ROUNDS=41                  rounds of each comparison
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/packages.sh build
mkdir -p build
cmake --preset release >build/release-configure.log 2>&1 || {
  cat build/release-configure.log
  exit 1
}
cmake --build build/release --target tile_instructions bare_machine worker_runs
ranks=${RANKS:-4 8 16}
status=0

# measure PROGRAM [OPTION...]
measure() {
  local program=$1
  shift
  printf '\n== %s\n' "$program"
  timeout --kill-after=5 150 "build/release/bench/$program" --rounds "${ROUNDS:-41}" --csv "build/bench/$program.csv" \
    "$@" || status=$?
}

measure tile_instructions "$@"
measure bare_machine --ranks "${ranks// /,}" "$@"
measure worker_runs "$@"
exit "$status"
