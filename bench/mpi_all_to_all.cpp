// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// MPI_Alltoall, as all_to_all_distributed --compare measures its own kernels: back-to-back calls, checked once, the
// slowest rank's median in microseconds on stdout.
//
// usage: mpirun -n P mpi_all_to_all <bytes per destination> <calls>

#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const int bytes = argc > 1 ? std::atoi(argv[1]) : 256;
  const int calls = argc > 2 ? std::atoi(argv[2]) : 2000;
  const auto size = static_cast<std::size_t>(bytes);
  std::vector<unsigned char> in(size * static_cast<std::size_t>(ranks));
  std::vector<unsigned char> out(in.size(), 0xcd);
  const auto value_of = [&](int source, int dest) { return static_cast<unsigned char>(source * 7 + dest * 3 + 1); };
  for (int dest = 0; dest < ranks; ++dest) {
    std::fill_n(in.begin() + dest * bytes, bytes, value_of(rank, dest));
  }
  std::vector<double> times(static_cast<std::size_t>(std::max(1, calls)));
  MPI_Barrier(MPI_COMM_WORLD);
  for (double& time : times) {
    const double start = MPI_Wtime();
    MPI_Alltoall(in.data(), bytes, MPI_BYTE, out.data(), bytes, MPI_BYTE, MPI_COMM_WORLD);
    time = MPI_Wtime() - start;
  }
  int wrong = 0;
  for (int source = 0; source < ranks; ++source) {
    wrong += static_cast<int>(size) -
             static_cast<int>(
                 std::count(out.begin() + source * bytes, out.begin() + (source + 1) * bytes, value_of(source, rank)));
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  double mine = times[times.size() / 2] * 1e6;
  double slowest = 0;
  int all_wrong = 0;
  MPI_Reduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  MPI_Reduce(&wrong, &all_wrong, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0 && all_wrong == 0) {
    std::printf("%.3f\n", slowest);
  }
  MPI_Finalize();
  return wrong == 0 ? 0 : 1;
}
