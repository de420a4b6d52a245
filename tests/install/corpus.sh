#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Kernels and orchestrations in the public style against an installation: each one translation unit, compiled with both
# compilers by the plain command lines of spec section 1.1; their symbols; then a program of an outside project runs
# them on rank processes and checks the results.
#
# usage: corpus.sh <build tree> <work dir>
set -euo pipefail

tree=$1 work=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
corpus=$here/corpus prefix=$work/prefix
rm -rf "$prefix" "$work/objects" "$work/program"
mkdir -p "$work"
cmake --install "$tree" --prefix "$prefix" >"$work/install.log"

# How a kernel is compiled, by the name of the folder of its objects.
declare -A kernel_flags=(
  [gxx-20]="g++ -std=c++20"
  [gxx-23]="g++ -std=c++23 -fpermissive"
  [clang-20]="clang++ -std=c++20"
  [clang-2b]="clang++ -std=c++2b"
  [gxx-device]="g++ -std=c++20" # what is guarded for the device; see macros_of
  [clang-device]="clang++ -std=c++20"
)
orchestration_flags="-std=gnu++17"

# macros_of MODE CORE
macros_of() {
  local core=__DAV_VEC__
  [[ $2 == aiv ]] || core=__DAV_CUBE__
  if [[ $1 == *-device ]]; then
    echo "-D__CCE_AICORE__ -D$core -DNDEBUG"
  else
    echo "-D__CPU_SIM -D$core -DNDEBUG -DPTO_CPU_MAX_THREADS=1"
  fi
}

# One line per object: where it goes and the command that makes it.
list_objects() {
  local mode source folder name command
  for mode in "${!kernel_flags[@]}"; do
    for source in "$corpus"/*/*.cpp; do
      folder=$(basename "$(dirname "$source")")
      name=$(basename "$source" .cpp)
      if [[ $folder == orchestration ]]; then
        command="${kernel_flags[$mode]%% *} $orchestration_flags"
      else
        command="${kernel_flags[$mode]} $(macros_of "$mode" "$folder")"
      fi
      echo "$work/objects/$mode/$name.so $command -O1 -w -fPIC -shared -I$prefix/include -I$prefix/include/pto_abi $source"
    done
  done
}

# compile LINE: as listed; prints what the compiler says.
compile() {
  local object command
  read -r object command <<<"$1"
  mkdir -p "$(dirname "$object")"
  # shellcheck disable=SC2086  # a command is several words
  $command -o "$object" || {
    echo "corpus: failed: $command"
    return 1
  }
}
export -f compile

began=$SECONDS
# shellcheck disable=SC2016  # the shell that xargs starts expands it
list_objects | xargs -d '\n' -P 2 -I LINE bash -c 'compile "$1"' compile LINE
echo "corpus: $(list_objects | wc -l) objects compiled in $((SECONDS - began)) s"

# Everything that a kernel object may leave undefined.
for library in "$prefix"/lib*/libtileput.so "$prefix"/lib/*/libtileput.so; do
  [[ ! -e $library ]] || provided=("$library")
done
for library in libc.so.6 libm.so.6 libstdc++.so.6 libgcc_s.so.1; do
  provided+=("$(g++ -print-file-name="$library")")
done
nm -D --defined-only "${provided[@]}" | awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/provided.txt"

# check_symbols OBJECT EXPORTED...
check_symbols() {
  local object=$1 symbol missing
  shift
  for symbol in "$@"; do
    nm -D --defined-only "$object" | grep -q " T $symbol\$" || {
      echo "corpus: $object does not export $symbol"
      return 1
    }
  done
  # Weak ones (lower case) may stay undefined.
  missing=$(nm -D --undefined-only "$object" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort -u |
    comm -23 - "$work/provided.txt")
  if [[ -n $missing ]]; then
    echo "corpus: $object needs what neither libtileput nor the system has: $missing"
    return 1
  fi
}

for mode in "${!kernel_flags[@]}"; do
  for source in "$corpus"/ai[vc]/*.cpp; do
    check_symbols "$work/objects/$mode/$(basename "$source" .cpp).so" kernel_entry
  done
  check_symbols "$work/objects/$mode/exchange_orch.so" aicpu_orchestration_config aicpu_orchestration_entry
  check_symbols "$work/objects/$mode/deferred_orch.so" aicpu_orchestration_config aicpu_orchestration_entry
  check_symbols "$work/objects/$mode/allocated_orch.so" aicpu_orchestration_config aicpu_orchestration_entry
  check_symbols "$work/objects/$mode/linear_orch.so" linear_orchestration_config linear_orchestration
done

cmake -S "$corpus" -B "$work/program" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$work/program-configure.log"
cmake --build "$work/program" >"$work/program-build.log"
for mode in "${!kernel_flags[@]}"; do
  "$work/program/run_corpus" "$work/objects/$mode"
done
