#!/usr/bin/env bash
# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs what is missing, builds, and runs the push all-to-all on rank processes: golden check, then push against
# pull and MPI_Alltoall.
#
#   tools/demo.sh
#     RANKS=4    how many ranks
#     MPI=0      without MPI
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ranks=${RANKS:-4}
groups=(build)
[[ ${MPI:-1} == 0 ]] || groups+=(mpi)
step() { printf '== demo [%3d s] %s\n' "$SECONDS" "$*"; }

step "packages: ${groups[*]}"
tools/packages.sh "${groups[@]}"
step "configure (build/dev)"
mkdir -p build
cmake --preset dev >build/dev-configure.log 2>&1 || {
  cat build/dev-configure.log
  exit 1
}
step "build"
targets=(all_to_all_distributed)
[[ ${MPI:-1} == 0 ]] || targets+=(mpi_all_to_all)
cmake --build build/dev --target "${targets[@]}"

program=build/dev/examples/workers/l3/all_to_all_distributed/all_to_all_distributed
peer=()
if [[ ${MPI:-1} != 0 ]]; then
  mpirun=(mpirun -n "$ranks" --oversubscribe --bind-to none)
  ((EUID != 0)) || mpirun+=(--allow-run-as-root)
  peer=(--peer-command "${mpirun[*]} build/dev/bench/mpi_all_to_all 256 2000 2>/dev/null")
fi
step "run on $ranks ranks"
exec "$program" -p cpu -n "$ranks" --timeout 300 --compare "${peer[@]}"
