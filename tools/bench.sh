#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds the optimised build and measures what instructions cost beside the bare machine: a table of ratios, and a CSV.
#
#   tools/bench.sh [OPTION...]   options of bare_machine, such as --check, which exits with 1 if a target is missed
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
cmake --build build/release --target bare_machine
ranks=${RANKS:-4 8 16}
exec timeout --kill-after=5 150 build/release/bench/bare_machine --rounds "${ROUNDS:-41}" --ranks "${ranks// /,}" \
  --csv build/bench/bare_machine.csv "$@"
