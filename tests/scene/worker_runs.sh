#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: worker_runs.sh <program> <directory for its CSV>
#
# Runs the benchmark with tiny sizes; every row has to be there with positive figures. Times are not judged.
set -euo pipefail
program=$1
csv=$2/worker_runs.csv
rm -f "$csv"
"$program" --rounds 3 --trips 50 --runs 3 --calls 2 --tokens 5 --hidden 24 --csv "$csv"
"$(dirname "$0")/bench_rows.sh" "$csv" 'submit to start / round trip,2,8
all-to-all run / round trip,2,256
dispatch to combine / memcpy,2,1440'
