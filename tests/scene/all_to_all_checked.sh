#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: all_to_all_checked.sh <program> <orchestration> <push kernel without drain and fence>
#
# Runs the example with -p check: nothing is found in the example, the defect of the other kernel in every schedule, and
# one seed does the same each time.
set -euo pipefail
program=$1
orchestration=$2
unfenced=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/kernels"
cp "$program" "$scratch/program"
cp "$orchestration" "$scratch/kernels/all_to_all_orch.so"
cp "$unfenced" "$scratch/kernels/all_to_all_kernel.so"

# run <arguments>...: sets code and output
run() {
  code=0
  output=$("$@" 2>/dev/null) || code=$?
}
fail() {
  printf 'FAIL: %s: exit %d\n%s\n' "$1" "$code" "$output"
  exit 1
}

for variant in push pull; do
  for ranks in 2 3 4; do
    for model in hardware paranoid coherent; do
      run "$program" -p check -n "$ranks" --variant "$variant" --iterations 3 --schedules 20 --memory-model "$model"
      what="$variant, $ranks ranks, $model"
      [[ $code == 0 ]] || fail "$what"
      grep -qxF "no findings in 20 schedules" <<<"$output" || fail "$what"
      grep -qxF "all $ranks ranks matched golden" <<<"$output" || fail "$what"
    done
  done
done

# A seed alone does what it did as one of many.
run "$program" -p check -n 3 --iterations 3 --seed 5 --schedules 3 -v
hashes=$(grep -oE '^seed [0-9]+: event hash [0-9a-f]{16}, [0-9]+ events' <<<"$output")
[[ $(wc -l <<<"$hashes") == 3 ]] || fail "hashes"
[[ $(cut -d' ' -f5 <<<"$hashes" | sort -u | wc -l) -gt 1 ]] || fail "all seeds do the same"
run "$program" -p check -n 3 --iterations 3 --seed 7 -v
[[ $(grep -oE '^seed 7: event hash [0-9a-f]{16}, [0-9]+ events' <<<"$output") == "$(tail -n 1 <<<"$hashes")" ]] ||
  fail "seed 7 is not what it was: $hashes"

run "$scratch/program" -p check -n 2 --iterations 3 --schedules 10
[[ $code == 73 ]] || fail "kernel without drain"
grep -q '^RW scratch' <<<"$output" || fail "kernel without drain"
grep -q 'in 10 of 10 schedules' <<<"$output" || fail "kernel without drain"
grep -qE 'push_no_drain\.cpp:[0-9]+' <<<"$output" || fail "source line"
grep -qxF "to see it again: $scratch/program -p check -n 2 --iterations 3 --seed 1" <<<"$output" || fail "replay"
run "$scratch/program" -p check -n 2 --iterations 3 --schedules 10 --until-fail
[[ $code == 73 ]] && grep -q 'in 1 of 1 schedules' <<<"$output" || fail "--until-fail"
echo "nothing is found where nothing is, and one seed is one run"
