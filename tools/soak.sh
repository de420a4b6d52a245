#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything at full counts: the faults (TILEPUT_FAULT_COUNT deaths of a rank, default 200, the others in proportion),
# 1,000 schedules of every litmus listing and 100 of the all-to-all of 64 ranks on the checked machine, then the dev
# suite, each test REPEAT times (default 50), stopping at the first failure of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/packages.sh build clang
mkdir -p build
cmake --preset dev >build/dev-configure.log
cmake --build build/dev
TILEPUT_FAULT_COUNT="${TILEPUT_FAULT_COUNT:-200}" ctest --test-dir build/dev --verbose --label-regex '^fault$'
build/dev/bin/tileput litmus --mode random --schedules 1000 tests/check/litmus/*.litmus tests/check/matrix/*.litmus \
  >build/soak-litmus.log || {
  grep -A 20 DISAGREE build/soak-litmus.log
  exit 1
}
(
  cd build/dev/examples/workers/l3/all_to_all_distributed
  for variant in push pull; do
    time ./all_to_all_distributed -p check -n 64 --variant "$variant" --schedules 100
    time ./all_to_all_distributed -p check -n 4 --variant "$variant" --iterations 3 --schedules 1000
  done
)
exec ctest --test-dir build/dev --output-on-failure --label-exclude '^(negative|install)$' --timeout 600 \
  --repeat until-fail:"${REPEAT:-50}"
