// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A worker on two cores, and what benchmarks between ranks do with it.

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/bare_machine.hpp"
#include "tileput/worker.hpp"

namespace bench {

inline constexpr int kCores = 2;

/// Confines this process, and the ranks that it starts from now on, to the cores that two ranks were given.
void keep_to_two_cores();

/// A worker with the objects beside this program, and shared memory for each of its ranks.
class RankBench {
 public:
  /// A run that takes longer than `timeout_s` fails; 0: none does.
  RankBench(int ranks, double timeout_s);

  [[nodiscard]] tileput::Worker& worker() { return worker_; }
  [[nodiscard]] int ranks() const { return worker_.ranks(); }

  /// A kernel beside this program under an orchestration that passes its arguments on.
  tileput::Callable load(const std::string& kernel);
  /// An object under another entry of bare_machine_orch.
  tileput::Callable load(const std::string& entry, const std::string& object);

  /// So many bytes for each rank.
  std::vector<tileput::SharedMemory> allocate(std::uint64_t bytes);

  /// Submits one task per rank; `fill(args, rank)` gives it its arguments.
  template <class Fill>
  void submit(tileput::Orchestrator& o, const tileput::Callable& callable, std::uint32_t calls, Fill&& fill) {
    std::vector<tileput::RankTask> group;
    for (int rank = 0; rank < ranks(); ++rank) {
      tileput::TaskArgs args;
      fill(args, static_cast<std::size_t>(rank));
      group.push_back({rank, args});
    }
    o.submit_group(callable, group, {.calls = calls});
  }

 private:
  tileput::Worker worker_;
};

/// All of it, as elements of a type.
tileput::Tensor tensor_of(const tileput::SharedMemory& memory, tileput::DataType type);

/// The window buffer of bare_machine::Cells.
tileput::BufferSpec cells_of(int ranks);

/// Mean over the ranks of what they measured, in ns.
double mean_of(const std::vector<tileput::SharedMemory>& samples, std::size_t index);

}  // namespace bench
