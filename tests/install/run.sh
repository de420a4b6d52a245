#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs tileput, moves the installation, and builds and runs the outside project against it.
#
# usage: run.sh shared <build tree> <work dir>     installs that build
#        run.sh static <source tree> <work dir>    builds and installs a static libtileput first
set -euo pipefail

kind=$1 tree=$2 work=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$work/first" "$work/prefix" "$work/outside"
mkdir -p "$work"

if [[ $kind == static ]]; then
  cmake -S "$tree" -B "$work/build" -G Ninja -DBUILD_SHARED_LIBS=OFF -DTILEPUT_BUILD_TESTS=OFF -DTILEPUT_BUILD_BENCH=OFF \
    -DTILEPUT_BUILD_EXAMPLES=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$work/configure.log"
  cmake --build "$work/build" >"$work/build.log"
  tree=$work/build
fi
cmake --install "$tree" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/prefix" # an installation works wherever it is put

cmake -S "$here/outside" -B "$work/outside" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/outside-configure.log"
cmake --build "$work/outside"
"$work/outside/sum_of_ranks"
"$work/prefix/bin/tileput" --version
"$work/prefix/bin/tileput" info | grep -F "rank helper: $work/prefix/libexec/tileput/rank"
