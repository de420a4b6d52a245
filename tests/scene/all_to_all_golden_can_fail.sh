#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: all_to_all_golden_can_fail.sh <program> <orchestration> <push kernel> <wrong kernel>
#
# The program beside a wrong kernel under the push kernel's name: it ends with 1 and says by how much each rank differs.
# The same folder with the right kernel passes, so it is the kernel that fails.
set -euo pipefail
program=$1
orchestration=$2
right=$3
wrong=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TILEPUT_KERNEL_PATH

mkdir "$scratch/kernels"
cp "$program" "$scratch/program"
cp "$orchestration" "$scratch/kernels/all_to_all_orch.so"

# run <kernel> <arguments>...: sets code and output
run() {
  cp "$1" "$scratch/kernels/all_to_all_kernel.so"
  shift
  code=0
  output=$("$scratch/program" --timeout 60 "$@" 2>&1) || code=$?
}
fail() {
  printf 'FAIL: %s: exit %d\n%s\n' "$1" "$code" "$output"
  exit 1
}

for ranks in 2 3; do
  for payload in formula random; do
    arguments=(-n "$ranks" --payload "$payload")
    run "$right" "${arguments[@]}"
    [[ $code == 0 ]] || fail "right kernel, ${arguments[*]}"
    grep -qxF "all $ranks ranks matched golden" <<<"$output" || fail "right kernel, ${arguments[*]}"
    run "$wrong" "${arguments[@]}"
    differ=$(grep -cE '^rank [0-9]+: max \|out - expected\| = ' <<<"$output" || true)
    equal=$(grep -cE '^rank [0-9]+: max \|out - expected\| = 0\.0+e' <<<"$output" || true)
    [[ $code == 1 && $differ == "$ranks" && $equal == 0 ]] || fail "wrong kernel, ${arguments[*]}"
    grep -qxF "$ranks of $ranks ranks differ from golden" <<<"$output" || fail "wrong kernel, ${arguments[*]}"
    ! grep -q '^all .* matched' <<<"$output" || fail "wrong kernel, ${arguments[*]}"
  done
done
echo "the golden check fails where it has to"
