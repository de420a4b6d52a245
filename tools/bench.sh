#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Push against pull and MPI_Alltoall over rank counts, one table each (RANKS="2 4 8").
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for ranks in ${RANKS:-2 4 8}; do
  RANKS=$ranks tools/demo.sh
done
