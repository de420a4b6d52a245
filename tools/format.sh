#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Brings the layout of C++ and CMake files to what lint expects. Works on tracked and on new files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/packages.sh lint
list() { git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@"; }
list '*.cpp' '*.hpp' '*.h' '*.cc' | xargs -0 -r clang-format -i
list '*CMakeLists.txt' '*.cmake' | xargs -0 -r cmake-format -i
