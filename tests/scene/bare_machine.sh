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
"$(dirname "$0")/bench_rows.sh" "$csv" 'TPUT / memcpy,2,4096
TPUT / memcpy,2,16384
TPUT / memcpy,2,65536
TPUT / TPUT without bounds,2,256
TNOTIFY add / store,2,4
TNOTIFY set / store,2,4
all-to-all / TNOTIFY,2,256
all-to-all / flags,3,256
all-to-all / flags,4,256'
