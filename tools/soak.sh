#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything at full counts: the dev suite, each test REPEAT times (default 50), stopping at the first failure of each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/packages.sh build clang
mkdir -p build
cmake --preset dev >build/dev-configure.log
cmake --build build/dev
exec ctest --test-dir build/dev --output-on-failure --label-exclude '^(negative|install)$' --timeout 600 \
  --repeat until-fail:"${REPEAT:-50}"
