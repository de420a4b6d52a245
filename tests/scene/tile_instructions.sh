#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: tile_instructions.sh <program> <directory for its CSV>
#
# Runs the benchmark with short batches; every row has to be there with positive figures. Times are not judged.
set -euo pipefail
program=$1
csv=$2/tile_instructions.csv
rm -f "$csv"
"$program" --rounds 3 --batch-us 1 --csv "$csv"

expected='TADD float / loop,65536
TMULS float / loop,65536
TADD bfloat16 / loop,65536
TCVT to bfloat16 RINT / copy,65536
TCVT to bfloat16 ROUND / copy,65536
TCVT to bfloat16 FLOOR / copy,65536
TCVT to bfloat16 ODD / copy,65536
TADD 8 floats / two calls,32
TMATMUL float / Eigen,16384
TMATMUL float / Eigen,65536'
found=$(tail -n +2 "$csv" | cut -d, -f1,3 | grep -v '^TADD half / loop,65536$') # needs a machine that converts halves
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
