#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Compiles every public header alone and included twice, without warnings: with the language levels and the macros
# that kernels (and, for the ABI headers, orchestrations) are built with. Then all that a kernel includes, in several
# orders, with the macros that kernels define before, between or after.
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
  # What most headers depend on is the language level and the kernel's macros: one compiler sees them without the macros,
  # the other with them. The rest is asked of those that bring all.
  modes=("${kernel[0]}")
  [[ $newest == *2b ]] || modes=("${kernel[2]}")
  case "$header" in
    pto/pto-inst.hpp | pto/comm/pto_comm_inst.hpp | pto_abi/*) modes=("${kernel[@]}") ;;
  esac
  # Only kernels defer their completion and drain their pipes.
  [[ $header == pto_abi/* && $header != pto_abi/@(pto_async_kernel_api|pipe_sync).h ]] && modes+=("${orchestration[@]}")
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
# compiled <what> <source>: as a kernel, without a warning
compiled() {
  if ! output=$("$compiler" -std=c++20 -D__CPU_SIM -D__DAV_VEC__ -DNDEBUG -Wall -Wextra -Werror -I"$root/include" \
    -I"$root/include/pto_abi" -fsyntax-only -x c++ - 2>&1 <<<"$2"); then
    echo "FAIL $1"
    echo "$output" | head -n 20
    failures=$((failures + 1))
  fi
}

# The umbrella, then all others forwards and backwards, so that each stands before each; and the instruction headers in
# both orders before it too (pipe_sync.h wants it first).
kernel_headers=(tensor.h intrinsic.h pipe_sync.h platform_comm/comm_context.h data_type.h
  pto/comm/pto_comm_instr_impl.hpp pto/comm/pto_comm_inst.hpp pto/comm/comm_types.hpp pto/common/cpu_stub.hpp
  pto/comm/async_common/async_types.hpp pto/comm/async/sdma/sdma_types.hpp
  pto/common/event.hpp pto/common/type.hpp pto/common/constants.hpp pto/common/pto_tile.hpp)
macros=$'#ifndef __gm__\n#define __gm__\n#endif\n#ifndef __aicore__\n#define __aicore__ [aicore]\n#endif\n'
use=$'static __aicore__ inline __gm__ ChipTensor* own(__gm__ ChipTensor* t) { pipe_sync(); return t; }\n'
use+=$'AICORE inline int n(pto::comm::Signal& s) { return own(nullptr) == nullptr ? s.GetShape(0) : 0; }\n'
umbrella=$'#include <pto/pto-inst.hpp>\n'
forwards='' backwards='' forwards_before='' backwards_before=''
for header in "${kernel_headers[@]}"; do
  forwards+="#include \"$header\""$'\n'
  backwards="#include \"$header\""$'\n'"$backwards"
  [[ $header == pto/* ]] || continue
  forwards_before+="#include <$header>"$'\n'
  backwards_before="#include <$header>"$'\n'"$backwards_before"
done
for order in forwards backwards; do
  before=${order}_before
  compiled "$order after the umbrella" "$macros$umbrella${!order}$use"
  compiled "$order before the umbrella" "${!before}$macros$umbrella$macros${!order}$use"
done

echo "4 orders, ${#headers[@]} headers with $compiler: $failures failures"
((failures == 0))
