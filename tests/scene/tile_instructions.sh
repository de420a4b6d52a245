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
# This row needs a machine that converts halves.
sed -i '/^TADD half \/ loop,/d' "$csv"
"$(dirname "$0")/bench_rows.sh" "$csv" 'TADD float / loop,0,65536
TMULS float / loop,0,65536
TADD bfloat16 / loop,0,65536
TCVT to bfloat16 RINT / copy,0,65536
TCVT to bfloat16 ROUND / copy,0,65536
TCVT to bfloat16 FLOOR / copy,0,65536
TCVT to bfloat16 ODD / copy,0,65536
TADD 8 floats / two calls,0,32
TMATMUL float / Eigen,0,16384
TMATMUL float / Eigen,0,65536'
