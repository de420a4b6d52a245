#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: all_to_all_refusals.sh <program> <orchestration that wants more arguments>
#
# What the example refuses: exit status 2, one line on stderr that ends with a hint in parentheses, no result on stdout,
# no process left behind.
set -euo pipefail
program=$1
demanding=$2
scratch=$(mktemp -d)
running=
clean() {
  [[ -z $running ]] || kill -KILL "$running" 2>/dev/null || true
  rm -rf "$scratch"
}
trap clean EXIT
export TILEPUT_SCENE_MARK="mark-$$-$RANDOM$RANDOM" # every process of a run inherits it
unset TILEPUT_KERNEL_PATH

fail() {
  printf 'FAIL: %s\n' "$*"
  [[ ! -e $scratch/out ]] || sed 's/^/  stdout: /' "$scratch/out"
  [[ ! -e $scratch/err ]] || sed 's/^/  stderr: /' "$scratch/err"
  exit 1
}

# The rank processes of our runs that are alive.
ranks_alive() {
  local count=0 environment
  while read -r environment; do
    if [[ $(readlink "${environment%environ}exe" 2>/dev/null) == */tileput/rank ]]; then
      count=$((count + 1))
    fi
  done < <(grep -lsxzF "TILEPUT_SCENE_MARK=$TILEPUT_SCENE_MARK" /proc/[0-9]*/environ)
  echo "$count"
}

# At most 30 s until so many ranks are alive.
await_ranks() {
  local attempt
  for attempt in {1..300}; do
    [[ $(ranks_alive) != "$1" ]] || return 0
    sleep 0.1
  done
  fail "after attempt $attempt there are $(ranks_alive) rank processes, not $1"
}

# refused <text on stderr> <program> <arguments>...
refused() {
  local text=$1 code=0 seen
  shift
  "$@" >"$scratch/out" 2>"$scratch/err" || code=$?
  seen=$(wc -l <"$scratch/err")
  [[ $code == 2 ]] || fail "$*: exit status $code"
  [[ $seen == 1 ]] || fail "$*: $seen lines on stderr"
  grep -qE '^all_to_all_distributed: .* \(.+\)$' "$scratch/err" || fail "$*: no hint at the end"
  grep -qF -- "$text" "$scratch/err" || fail "$*: stderr does not say '$text'"
  ! grep -qE 'expected|golden' "$scratch/out" || fail "$*: results on stdout"
  [[ $(ranks_alive) == 0 ]] || fail "$*: rank processes are left"
}

# The look at processes sees ranks where there are some, and that they end with their program.
"$program" -n 2 --iterations 100000000 >/dev/null 2>&1 &
running=$!
await_ranks 2
kill -KILL "$running"
wait "$running" 2>/dev/null || true
running=
await_ranks 0

refused "3-1" "$program" -d 3-1
refused "'x'" "$program" -d x
refused "0,0" "$program" -d 0,0
refused "0 ranks" "$program" -n 0
refused "65 ranks" "$program" -n 65
refused "excludes" "$program" -d 0 -n 2
refused "64 bytes" "$program" --window-bytes 64
refused "nothing" "$program" --variant nothing
refused "--nothing" "$program" --nothing
refused "many" "$program" --count many
refused "--seed is for -p check" "$program" --seed 1
refused "--schedules is for -p check" "$program" --schedules 1
refused "--until-fail is for -p check" "$program" -p sim --until-fail
refused "--memory-model is for -p check" "$program" -p cpu --memory-model hardware
refused "--compare is not for -p check" "$program" -p check --compare
refused "--peer-command is not for -p check" "$program" -p check --peer-command true
refused "--ranks-as is not for -p check" "$program" -p check --ranks-as process
refused "--debug-rank is not for -p check" "$program" -p check --debug-rank 0
for schedules in 0 -5 abc; do
  refused "Value $schedules not in range 1 to 1000000000 " "$program" -p check --schedules "$schedules"
done
refused "--memory-model: x not in {hardware,paranoid,coherent}" "$program" -p check --memory-model x

# A program without its kernels names every place where it looked. Its library is found where it was built.
cp "$program" "$scratch/program"
mkdir "$scratch/first" "$scratch/second"
refused "$scratch/kernels/all_to_all_orch.so" env \
  "TILEPUT_KERNEL_PATH=$scratch/first:$scratch/second" "$scratch/program" -n 2
for place in "$scratch/first" "$scratch/second"; do
  grep -qF "$place/kernels/all_to_all_orch.so" "$scratch/err" || fail "stderr does not name $place"
done
grep -qF "lib/tileput/" "$scratch/err" || fail "stderr does not name the installation's directory"

# Objects that are there and do not fit: no entry symbol in a kernel, in an orchestration; and too few arguments.
kernels=${program%/*}/kernels
mkdir "$scratch/kernels"
cp "$kernels/all_to_all_orch.so" "$scratch/kernels/all_to_all_orch.so"
cp "$kernels/all_to_all_orch.so" "$scratch/kernels/all_to_all_kernel.so"
refused "kernel_entry" "$scratch/program" -n 2
grep -qF "$scratch/kernels/all_to_all_kernel.so" "$scratch/err" || fail "stderr does not name the kernel object"
cp "$kernels/all_to_all_kernel.so" "$scratch/kernels/all_to_all_kernel.so"
cp "$kernels/all_to_all_kernel.so" "$scratch/kernels/all_to_all_orch.so"
refused "all_to_all_push" "$scratch/program" -n 2
grep -qF "$scratch/kernels/all_to_all_orch.so" "$scratch/err" || fail "stderr does not name the orchestration object"
cp "$demanding" "$scratch/kernels/all_to_all_orch.so"
refused "expects 9" "$scratch/program" -n 2
echo "all refused"
