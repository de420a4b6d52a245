#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything at full counts: the faults (TILEPUT_FAULT_COUNT deaths of a rank, default 200, the others in proportion),
# then the dev suite, each test REPEAT times (default 50), stopping at the first failure of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/packages.sh build clang
mkdir -p build
cmake --preset dev >build/dev-configure.log
cmake --build build/dev
TILEPUT_FAULT_COUNT="${TILEPUT_FAULT_COUNT:-200}" ctest --test-dir build/dev --verbose --label-regex '^fault$'
exec ctest --test-dir build/dev --output-on-failure --label-exclude '^(negative|install)$' --timeout 600 \
  --repeat until-fail:"${REPEAT:-50}"
