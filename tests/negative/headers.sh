#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Compiles every public header alone and included twice, without warnings: with the language levels and the macros
# that kernels (and, for the ABI headers, orchestrations) are built with.
#
# usage: headers.sh <compiler> <repository root> [header...]     headers relative to include/ (default: all)
set -u

compiler=$1
root=$2
shift 2

if (($# == 0)); then
  mapfile -t headers < <(cd "$root/include" && find . -name '*.h' -o -name '*.hpp' | sed 's|^\./||' | sort)
else
  headers=("$@")
fi

# The newest level both compilers of this system know under one name each.
newest=-std=c++2b
if "$compiler" --version | head -n 1 | grep -qi 'g++\|gcc'; then
  newest='-std=c++23 -fpermissive'
fi
kernel=('-std=c++20' "$newest" '-std=c++20 -D__CPU_SIM -D__DAV_VEC__ -DNDEBUG -DPTO_CPU_MAX_THREADS=1'
        '-std=c++20 -D__CCE_AICORE__ -D__DAV_VEC__' '-std=c++20 -D__CCE_KT_TEST__ -D__DAV_CUBE__'
        '-std=c++20 -D__DAV_C220__')
orchestration=('-std=c++17' '-std=gnu++17' '-std=c++20')

failures=0
for header in "${headers[@]}"; do
  modes=("${kernel[@]}")
  [[ $header == pto_abi/* ]] && modes+=("${orchestration[@]}")
  for mode in "${modes[@]}"; do
    # shellcheck disable=SC2086  # a mode is several flags
    if ! output=$(printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
      "$compiler" $mode -Wall -Wextra -Werror -I"$root/include" -I"$root/include/pto_abi" -fsyntax-only -x c++ - 2>&1)
    then
      echo "FAIL $header with $mode"
      echo "$output" | head -n 20
      failures=$((failures + 1))
    fi
  done
done
echo "${#headers[@]} headers with $compiler: $failures failures"
((failures == 0))
