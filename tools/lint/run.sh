#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Everything that lint looks at: the hooks on all tracked files, the self-tests of our own checks, clang-tidy.
#
#   tools/lint/run.sh          clang-tidy on the C++ files that differ from the commit before the last one
#   tools/lint/run.sh --all    clang-tidy on all of them (also with CI=true)
#
# Ends with "lint: ok"; exit status 1 and "lint: failed: ..." if anything was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

case "${1-}" in
  "") everything=${CI:-false} ;;
  --all) everything=true ;;
  *)
    sed -n '5,10s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac

step() { printf 'lint: [%3d s] %s\n' "$SECONDS" "$*"; }
failed=()

groups=(build clang lint)
[[ ${MPI:-1} == 0 ]] || groups+=(mpi) # else the sources that need MPI have no compile command for clang-tidy
tools/packages.sh "${groups[@]}"
export PRE_COMMIT_HOME="${PRE_COMMIT_HOME:-$PWD/.cache/pre-commit}"

step "self-tests of the checks"
for check in tools/lint/check_*.py tools/docs/instruction_pages.py; do
  "$check" --self-test || failed+=("$(basename "$check") --self-test")
done

step "hooks on all files"
pre-commit run --all-files --show-diff-on-failure --color never || failed+=("hooks")

# The compiled C++ of the product. Kernels belong to their own compiler settings, tests to the compilers' warnings.
tidy_paths=(src cli include/tileput)
if [[ $everything == true || $everything == 1 ]]; then
  mapfile -t files < <(git ls-files -- 'src/*.cpp' 'cli/*.cpp')
else
  base=$(git rev-parse --verify --quiet 'HEAD~1^{commit}' || git hash-object -t tree /dev/null)
  mapfile -t files < <({
    git diff --name-only --diff-filter=d "$base" -- "${tidy_paths[@]}"
    git ls-files --others --exclude-standard -- "${tidy_paths[@]}"
  } | grep -E '\.(cpp|hpp)$' | sort -u)
fi
if ((${#files[@]})); then
  preset=dev
  if grep -q '"name": *"tidy"' CMakePresets.json; then preset=tidy; fi
  step "configuring (preset $preset) for clang-tidy"
  mkdir -p .cache
  if cmake --preset "$preset" >.cache/tidy-configure.log 2>&1 </dev/null; then
    step "clang-tidy on ${#files[@]} files"
    tools/lint/clang_tidy.sh "${files[@]}" || failed+=("clang-tidy")
  else
    tail -n 30 .cache/tidy-configure.log
    failed+=("cmake --preset $preset")
  fi
else
  step "clang-tidy: no C++ file of ${tidy_paths[*]} to look at"
fi

if ((${#failed[@]})); then
  step "failed: ${failed[*]}"
  exit 1
fi
step "done"
echo "lint: ok"
