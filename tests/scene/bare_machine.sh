#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: bare_machine.sh <program> <directory for its CSV>
#
# Runs the benchmark with tiny sizes; every row has to be there with positive figures. Times are not judged.
set -euo pipefail
program=$1
csv=$2/bare_machine.csv
rm -f "$csv"
"$program" --rounds 3 --bytes-max 65536 --batch-bytes 65536 --trips 50 --calls 20 --ranks 3,4 --csv "$csv"

expected='TPUT / memcpy,2,4096
TPUT / memcpy,2,16384
TPUT / memcpy,2,65536
TPUT / TPUT without bounds,2,256
TNOTIFY add / store,2,4
TNOTIFY set / store,2,4
all-to-all / TNOTIFY,2,256
all-to-all / flags,3,256
all-to-all / flags,4,256'
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
