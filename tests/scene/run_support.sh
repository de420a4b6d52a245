# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# shellcheck shell=bash
#
# For tests of `tileput run`, which set `tileput` (the command) and `own` (their kernels) before they source this: a
# directory of its own with a copy of those kernels and an empty cache, and what runs and compares.
saved=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/run_saved.py
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset TILEPUT_KERNEL_PATH CXX CPATH CPLUS_INCLUDE_PATH
export TILEPUT_CACHE_DIR=$scratch/cache
cp -r "${own:?}" "$scratch/kernels"
cd "$scratch" || exit

fail() {
  printf 'FAIL: %s: exit %d\n' "$1" "$code"
  sed 's/^/  stdout: /' out
  sed 's/^/  stderr: /' err
  exit 1
}
# run <arguments>...: sets code, writes out and err
run() {
  code=0
  timeout 60 "${tileput:?}" run "$@" >out 2>err || code=$?
}
works() {
  run "$@"
  [[ $code == 0 ]] || fail "$*"
}
# refused <text on stderr> <arguments>...
refused() {
  local text=$1
  shift
  run "$@"
  [[ $code == 2 ]] || fail "$*"
  grep -qE '^tileput: .* \(.+\)$' err || fail "$*: no hint at the end"
  grep -qF -- "$text" err || fail "$*: stderr does not say '$text'"
  [[ ! -s out ]] || fail "$*: results on stdout"
}
# saved_are <case> <ranks> [<type>]: what was saved is right
saved_are() {
  python3 "$saved" "$@" || fail "saved files: $*"
}
