#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs tileput and builds and runs the outside project against the installation; a shared one is moved first.
#
# usage: run.sh shared <build tree> <work dir>     installs that build
#        run.sh static <build tree> <work dir>     configures its sources for a static libtileput, built of its objects
#                                                  where they would be the same, and installs that
set -euo pipefail

kind=$1 tree=$2 work=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=$work/prefix
rm -rf "$work/first" "$prefix" "$work/outside"
mkdir -p "$work"

if [[ $kind == static ]]; then
  rm -rf "$work/build"
  settings=()
  for name in CMAKE_HOME_DIRECTORY CMAKE_BUILD_TYPE CMAKE_CXX_COMPILER TILEPUT_WERROR; do
    settings+=("$(sed -n "s/^$name:[A-Z]*=//p" "$tree/CMakeCache.txt")")
  done
  cmake -S "${settings[0]}" -B "$work/build" -G Ninja -DBUILD_SHARED_LIBS=OFF -DTILEPUT_BUILD_TESTS=OFF \
    -DTILEPUT_BUILD_BENCH=OFF -DTILEPUT_BUILD_EXAMPLES=OFF -DCMAKE_BUILD_TYPE="${settings[1]}" \
    -DCMAKE_CXX_COMPILER="${settings[2]}" -DTILEPUT_WERROR="${settings[3]}" -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$here/reuse.py;$tree" >"$work/configure.log"
  cmake --build "$work/build" --parallel 2 >"$work/build.log"
  echo "install.static: $(wc -l <"$work/build/reused.txt") objects are those of $tree"
  cmake --install "$work/build" >"$work/install.log" # its programs know the helper by this prefix
else
  cmake --install "$tree" --prefix "$work/first" >"$work/install.log"
  mv "$work/first" "$prefix" # the library finds what belongs to it wherever the installation is put
fi

cmake -S "$here/outside" -B "$work/outside" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$work/outside-configure.log"
cmake --build "$work/outside"
"$work/outside/sum_of_ranks"
"$prefix/bin/tileput" --version
"$prefix/bin/tileput" info | grep -F "rank helper: $prefix/libexec/tileput/rank"

# A kernel without CMake: headers and the default orchestration are those of the installation.
export TILEPUT_CACHE_DIR=$work/cache
rm -rf "$TILEPUT_CACHE_DIR"
kernels=$here/outside/kernels
sum=("$prefix/bin/tileput" run -v -n 3 --out i32:1 --scratch 64 --scalars 'n,ctx')
"${sum[@]}" --kernel "$kernels/sum_of_ranks_kernel.cpp" >"$work/run.log" 2>"$work/run.err"
grep -qxF "rank 2: out0 i32[1]: 6; min 6, max 6" "$work/run.log"
grep -qF -- "-I$prefix/include " "$work/run.err"
"${sum[@]}" --kernel "7:aiv:$kernels/sum_of_ranks_kernel.cpp" --orch "$kernels/sum_of_ranks_orch.cpp" >"$work/run.log"
grep -qxF "rank 2: out0 i32[1]: 6; min 6, max 6" "$work/run.log"
