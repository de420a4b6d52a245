#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Builds one must-not-compile case twice: with -DMISTAKE it must fail with the message that its line
# `// expect: <fragment>` names (`// expect deleted: <name>` where the mistake calls a deleted function of that name),
# without it it must compile. One line of verdict; exit status 0 when both hold.
#
# usage: run.sh <compiler> <file.cpp> [flags...]        e.g. run.sh g++ tile_no_rows.cpp -std=c++20 -Iinclude
set -u

compiler=$1
file=$2
shift 2
name=$(basename "$file" .cpp)

# Only our own message counts: the line that reports a failed static assertion (or a deleted function).
report='static[ _]assert'
expected=$(sed -n 's|^// expect: ||p' "$file")
if [[ -z $expected ]]; then
  report='error: .*deleted'
  expected=$(sed -n 's|^// expect deleted: ||p' "$file")
fi
if [[ -z $expected ]]; then
  echo "FAIL $name: there is no line '// expect: <fragment>'"
  exit 1
fi

if ! output=$("$compiler" "$@" -fsyntax-only "$file" 2>&1); then
  echo "FAIL $name: does not compile without the mistake"
  echo "$output" | head -n 20
  exit 1
fi
if output=$("$compiler" "$@" -DMISTAKE -fsyntax-only "$file" 2>&1); then
  echo "FAIL $name: compiles with the mistake"
  exit 1
fi
if ! grep -E "$report" <<< "$output" | grep -qF -- "$expected"; then
  echo "FAIL $name: fails without saying '$expected'"
  echo "$output" | head -n 20
  exit 1
fi
echo "ok $name: $expected"
