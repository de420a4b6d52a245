#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing, builds, runs the whole suite: everything in the dev build, and what is labelled unit,
# conformance or sanitizer in the asan and tsan builds. A second run builds only what changed.
#
#   tools/test.sh
#     PRESETS="dev asan tsan"   which builds to test
#     MPI=0                     install no MPI; what needs it is left out by the build
#
# The output ends with one summary in ctest's form over all builds. Exit status: 0 all tests passed; 1 otherwise.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

read -r -a presets <<<"${PRESETS:-dev asan tsan}"
jobs=$(nproc)
results=() # "preset set total failed", one per run of ctest
failures=()
skipped=()

step() { printf '\n== test [%4d s] %s\n' "$SECONDS" "$*"; }

# g++ 12 knows the memory layout of at most 28 random bits; newer kernels have more, and every program built with
# -fsanitize=thread would end at its start. Without randomisation the layout fits.
without_aslr=()
random_bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
if ((random_bits > 28)) && setarch "$(uname -m)" -R true 2>/dev/null; then
  without_aslr=(setarch "$(uname -m)" -R)
fi

build() {
  local preset=$1 wrap=()
  [[ $preset == tsan ]] && wrap=("${without_aslr[@]}")
  step "$preset: configure"
  cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 </dev/null || {
    cat "build/$preset-configure.log"
    step "$preset: the configuration failed"
    exit 1
  }
  step "$preset: build"
  local target=all
  [[ $preset == asan || $preset == tsan ]] && target=sanitized_tests
  "${wrap[@]}" cmake --build "build/$preset" --parallel "$jobs" --target "$target" || {
    step "$preset: the build failed"
    exit 1
  }
}

# run_ctest PRESET SET ARGUMENT...: one run; its result goes into the summary.
run_ctest() {
  local preset=$1 set=$2 wrap=() status=0 total failed line
  shift 2
  [[ $preset == tsan ]] && wrap=("${without_aslr[@]}")
  local log="build/$preset-ctest-$set.log"
  step "$preset: ctest, $set"
  "${wrap[@]}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 300 "$@" \
    </dev/null 2>&1 | tee "$log" || status=$?

  read -r failed total < <(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log") || {
    failed=1 total=1
    failures+=("$preset: ctest ended with status $status without running the set '$set'")
  }
  if ((status != 0 && failed == 0)); then
    failed=1 total=$((total + 1))
    failures+=("$preset: ctest ended with status $status in the set '$set'")
  fi
  results+=("$preset $set $total $failed")
  while IFS= read -r line; do
    case "$line" in
      *"(Skipped)" | *"(Disabled)") skipped+=("$preset: $line") ;;
      *) failures+=("$preset: $line") ;;
    esac
  done < <(sed -n '/^The following tests \(FAILED\|did not run\):$/,/^$/s/^[[:blank:]]*\([0-9][0-9]* - .*\)$/\1/p' "$log")
}

summary() {
  local preset set total failed all=0 bad=0 line
  step "summary"
  for line in "${results[@]}"; do
    read -r preset set total failed <<<"$line"
    printf '%-6s %-10s %5d tests, %d failed\n' "$preset" "$set" "$total" "$failed"
    all=$((all + total)) bad=$((bad + failed))
  done
  if ((${#skipped[@]})); then
    printf '\nNot run:\n'
    printf '\t%s\n' "${skipped[@]}"
  fi
  if ((${#failures[@]})); then
    printf '\nThe following tests FAILED:\n'
    printf '\t%s\n' "${failures[@]}"
  fi
  printf '\n%d%% tests passed, %d tests failed out of %d\n' "$((all ? (all - bad) * 100 / all : 0))" "$bad" "$all"
  printf '\nTotal Test time (real) = %d sec\n' "$SECONDS"
  ((bad == 0 && all > 0))
}

step "packages"
groups=(build clang)
[[ ${MPI:-1} == 0 ]] || groups+=(mpi)
tools/packages.sh "${groups[@]}"
mkdir -p build

for preset in "${presets[@]}"; do
  build "$preset"
  if [[ $preset == dev || $preset == release ]]; then
    # Scenes and faults start many rank processes: one at a time. Of conformance, what wants both cores says so.
    side_by_side='^(unit|check|conformance|negative|install)$'
    run_ctest "$preset" parallel --parallel 2 --label-regex "$side_by_side"
    run_ctest "$preset" serial --parallel 1 --label-exclude "$side_by_side"
  else
    run_ctest "$preset" sanitizers --parallel 2 --label-regex '^(unit|conformance|sanitizer)$'
  fi
done
summary
