#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: bench_rows.sh <CSV of a benchmark with 3 rounds> <first three fields of each row>
#
# Succeeds if just these rows are there, in this order, with positive figures.
set -euo pipefail
csv=$1
expected=$2
found=$(tail -n +2 "$csv" | cut -d, -f1-3)
if [[ $found != "$expected" ]]; then
  printf 'FAIL: rows\n%s\nexpected\n%s\n' "$found" "$expected"
  exit 1
fi
awk -F, 'NR > 1 && !($5 > 0 && $6 > 0 && $7 > 0 && $10 >= 1 && $11 == 3 && $12 ~ /^(ok|missed|noisy)$/) {
  print "FAIL: figures: " $0
  bad = 1
}
END { exit bad }' "$csv"
echo "every row is there"
