#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: all_to_all_check.sh <program> <orchestration> <push kernel> <pull kernel> <push kernel without its fence>
#
# The program on the checked machine: both kernels are clean over three calls, the same seed is the same run, and the
# kernel without a fence is reported with the line of its puts and the instruction that is missing.
set -euo pipefail
program=$1
orchestration=$2
push=$3
pull=$4
unfenced=$5
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TILEPUT_KERNEL_PATH

mkdir "$scratch/kernels"
cp "$program" "$scratch/program"
cp "$orchestration" "$scratch/kernels/all_to_all_orch.so"
cp "$push" "$scratch/kernels/all_to_all_kernel.so"
cp "$pull" "$scratch/kernels/all_to_all_pull_kernel.so"

# run <arguments>...: sets code and output
run() {
  code=0
  output=$(timeout 100 "$scratch/program" -p check "$@" 2>"$scratch/stderr") || code=$?
}
fail() {
  printf 'FAIL: %s: exit %d\n%s\n' "$1" "$code" "$output"
  cat "$scratch/stderr"
  exit 1
}

for variant in push pull; do
  for ranks in 1 2 3 4; do
    arguments=(-n "$ranks" --variant "$variant" --iterations 3 --schedules 50)
    run "${arguments[@]}"
    [[ $code == 0 ]] || fail "${arguments[*]}"
    grep -qxF "no findings in 50 schedules" <<<"$output" || fail "${arguments[*]}"
    grep -qxF "all $ranks ranks matched golden" <<<"$output" || fail "${arguments[*]}"
  done
done

run -n 3 --seed 7 --schedules 2 -v
first=$(grep -o 'event hash [0-9a-f]*' <<<"$output") || fail "the event hash"
[[ $(sort -u <<<"$first" | wc -l) == 2 ]] || fail "two seeds with one event hash"
run -n 3 --seed 7 --schedules 2 -v
[[ $(grep -o 'event hash [0-9a-f]*' <<<"$output") == "$first" ]] || fail "the same seed twice"

run -n 3 --seed 8 -v
[[ $(grep -o 'event hash [0-9a-f]*' <<<"$output") == "$(tail -n 1 <<<"$first")" ]] || fail "a seed alone and as the second"

for model in paranoid coherent; do
  run -n 3 --iterations 3 --schedules 20 --memory-model "$model"
  [[ $code == 0 ]] || fail "$model"
done

cp "$unfenced" "$scratch/kernels/all_to_all_kernel.so"
for ranks in 2 3; do
  run -n "$ranks" --schedules 3
  [[ $code == 73 ]] || fail "without its fence, $ranks ranks"
  grep -qE '^RW scratch: ' <<<"$output" || fail "without its fence, $ranks ranks"
  grep -qE 'TPUT writes scratch@.*push_no_fence\.cpp:[0-9]+' <<<"$output" || fail "the line of the put"
  grep -qE 'missing: dsb\(DSB_DDR\) between TPUT' <<<"$output" || fail "the missing instruction"
  grep -q 'in 3 of 3 schedules' <<<"$output" || fail "in every schedule, once"
  grep -qxF "to see it again: $scratch/program -p check -n $ranks --seed 1" <<<"$output" || fail "how to see it again"
  run -n "$ranks" --schedules 3 --until-fail
  [[ $code == 73 ]] || fail "--until-fail"
  grep -q 'in 1 of 1 schedules' <<<"$output" || fail "--until-fail"
done
echo "clean with its fences, reported without"
