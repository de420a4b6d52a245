// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "examples.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdlib>

#include "all_to_all_distributed/all_to_all_distributed.hpp"
#include "all_to_all_distributed/kernels/all_to_all_window.hpp"
#include "allgather_distributed/allgather_distributed.hpp"
#include "allreduce_distributed/allreduce_distributed.hpp"
#include "allreduce_distributed/kernels/allreduce_window.hpp"
#include "broadcast_distributed/broadcast_distributed.hpp"
#include "broadcast_distributed/kernels/broadcast_window.hpp"
#include "common/kernels/slot_window.hpp"
#include "dual_domain_overlap/dual_domain_overlap.hpp"
#include "dual_domain_overlap/kernels/affine_shape.hpp"
#include "ep_dispatch_combine/ep_dispatch_combine.hpp"
#include "ep_dispatch_combine/kernels/ep_window.hpp"
#include "ffn_tp_parallel/ffn_tp_parallel.hpp"
#include "reduce_scatter_distributed/reduce_scatter_distributed.hpp"

namespace tileput::scene {
namespace {

using example::Payload;
using Words = std::vector<WindowWord>;

// Counts that do not divide by the ranks, and lie beside a multiple of the line.
constexpr std::uint64_t kCount = 65;

constexpr std::uint32_t kRows = 20;
constexpr std::uint32_t kInner = 80;  // more than a block of the cube core
constexpr std::uint32_t kColumns = 70;

constexpr std::uint32_t kTokens = 5;
constexpr std::uint32_t kTopk = 3;
constexpr std::uint32_t kHidden = 33;
constexpr std::uint32_t kExperts = 4;

/// Cells that hold one value.
void add_cells(Words& words, std::uint64_t signals, std::uint64_t cells, std::uint32_t value) {
  for (std::uint64_t cell = 0; cell < cells; ++cell) {
    words.push_back({signals + cell * slot_window::kLineBytes, value});
  }
}

/// A window with an epoch line behind its cells.
template <class Window>
Words counted(const Window& window, std::uint32_t epoch, std::uint32_t signalled) {
  Words words{{window.epoch, epoch}};
  add_cells(words, window.signals, (window.epoch - window.signals) / slot_window::kLineBytes, signalled);
  return words;
}

std::function<Counts> slot_counts(std::uint64_t elements) {
  return [=](int members, int, std::uint32_t calls) {
    return counted(slot_window::window_of(static_cast<std::uint64_t>(members), elements), calls, calls);
  };
}

Example all_to_all(const std::string& variant, std::uint64_t slot_sets, std::uint32_t barriers) {
  return {.name = "all_to_all_distributed_" + variant,
          .make =
              [=](int ranks, Payload payload) {
                return example::make_all_to_all_distributed(
                    {.ranks = ranks, .count = kCount, .variant = variant, .payload = payload});
              },
          .counts =
              [=](int members, int, std::uint32_t calls) {
                return counted(all_to_all::window_of(slot_sets, static_cast<std::uint64_t>(members), kCount),
                               barriers * calls, barriers * calls);
              },
          .signals = [=](int) { return barriers; }};
}

/// `signals` by the number of members; `epoch` is what a call adds to its line.
Example allreduce(allreduce::Mode mode, const std::function<std::uint32_t(int members)>& signals,
                  std::uint32_t epoch = 1) {
  const std::string& name = example::allreduce_modes()[static_cast<std::size_t>(mode)];
  Example row{.name = "allreduce_distributed_" + name,
              .make =
                  [=](int ranks, Payload payload) {
                    return example::make_allreduce_distributed(
                        {.ranks = ranks, .mode = name, .count = kCount, .payload = payload});
                  },
              .counts =
                  [=](int members, int, std::uint32_t calls) {
                    return counted(allreduce::window_of(mode, static_cast<std::uint64_t>(members), kCount),
                                   epoch * calls, signals(members) * calls);
                  },
              .signals = signals};
  if (mode == allreduce::Mode::kIbing) {
    row.ranks = row.checked_ranks = {2};
  }
  return row;
}

/// As if ranks 1, 3, ... had been root one time less than `calls`.
Words broadcast_counts(int members, int member, std::uint32_t calls) {
  const auto window = broadcast_window::window_of(static_cast<std::uint64_t>(members), kCount);
  const auto times_root = [=](int rank) { return calls - static_cast<std::uint32_t>(rank % 2); };
  Words words;
  for (int rank = 0; rank < members; ++rank) {
    const auto r = static_cast<std::uint64_t>(rank);
    const std::uint64_t cell = window.signals + r * broadcast_window::kLineBytes;
    words.push_back({window.roots + r * sizeof(std::uint32_t), times_root(rank)});
    words.push_back({cell, times_root(rank)});
    words.push_back({cell + sizeof(std::uint32_t), times_root(member)});
  }
  return words;
}

std::uint32_t capacity_of(int ranks) { return kTokens * static_cast<std::uint32_t>(ranks); }

/// As if each expert had been sent `calls` rows by each rank.
Words ep_counts(int members, int, std::uint32_t calls) {
  const auto n = static_cast<std::uint64_t>(members);
  const auto window = ep::window_of({n, kExperts, capacity_of(members), kHidden, std::uint64_t{kTokens} * kTopk});
  Words words{{window.state + offsetof(ep::State, dispatch_epoch), calls},
              {window.state + offsetof(ep::State, combine_epoch), calls}};
  for (const std::uint64_t cells : {window.count_done, window.data_done, window.combine_done}) {
    add_cells(words, cells, n, calls);
  }
  for (std::uint64_t entry = 0; entry < n * n * kExperts; ++entry) {
    words.push_back({window.pub_counts + entry * sizeof(std::uint32_t), calls});
    words.push_back({window.previous + entry * sizeof(std::uint32_t), calls});
  }
  return words;
}

std::vector<Example> make_examples() {
  using allreduce::Mode;
  const auto once = [](int) { return 1U; };
  return {
      all_to_all("push", all_to_all::kPushSlotSets, 1),
      all_to_all("pull", all_to_all::kPullSlotSets, 2),
      {.name = "allgather_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allgather_distributed({.ranks = ranks, .count = kCount, .payload = payload});
           },
       .counts = slot_counts(kCount)},
      {.name = "broadcast_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_broadcast_distributed(
                 {.ranks = ranks, .count = kCount, .roots = {ranks - 1, 0, 1}, .payload = payload});
           },
       .counts = broadcast_counts},
      {.name = "ep_dispatch_combine",
       .make =
           [](int ranks, Payload payload) {
             return example::make_ep_dispatch_combine({.ranks = ranks,
                                                       .payload = payload,
                                                       .tokens = kTokens,
                                                       .topk = kTopk,
                                                       .hidden = kHidden,
                                                       .experts_per_rank = kExperts,
                                                       .capacity = capacity_of(ranks)});
           },
       .counts = ep_counts},
      {.name = "reduce_scatter_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_reduce_scatter_distributed({.ranks = ranks, .count = kCount, .payload = payload});
           },
       .counts = slot_counts(kCount)},
      allreduce(Mode::kOnephase, once),
      allreduce(
          Mode::kTwophase, [](int) { return 2U; }, 2),
      allreduce(Mode::kRing, [](int members) { return 2 * static_cast<std::uint32_t>(members - 1); }),
      allreduce(Mode::kBidirectionalRing, [](int members) { return 1 + 2 * static_cast<std::uint32_t>(members - 1); }),
      allreduce(Mode::kIbing, [](int) { return 3U; }),
      {.name = "dual_domain_overlap",
       .make = [](int ranks,
                  Payload payload) { return example::make_dual_domain_overlap({.ranks = ranks, .payload = payload}); },
       .counts =
           [](int members, int, std::uint32_t calls) {
             return counted(
                 allreduce::window_of(Mode::kOnephase, static_cast<std::uint64_t>(members), affine::kElements), calls,
                 calls);
           }},
      {.name = "ffn_tp_parallel",
       .make =
           [](int ranks, Payload payload) {
             return example::make_ffn_tp_parallel(
                 {.ranks = ranks, .rows = kRows, .inner = kInner, .columns = kColumns, .payload = payload});
           },
       .counts = slot_counts(std::uint64_t{kRows} * kColumns)},
  };
}

}  // namespace

const std::vector<Example>& examples() {
  static const std::vector<Example> all = make_examples();
  return all;
}

void use_example_kernels(const std::string& first) {
  const std::string path = first.empty() ? EXAMPLE_DIRECTORIES : first + ":" + EXAMPLE_DIRECTORIES;
  setenv("TILEPUT_KERNEL_PATH", path.c_str(), 1);
}

std::string differences(const example::Scene& scene) {
  std::string text;
  for (const example::RankCheck& check : scene.check()) {
    if (!check.matches) {
      text += fmt::format("rank {}: {}\n", check.rank, check.detail);
    }
  }
  return text;
}

std::string run_and_compare(Worker& worker, example::Scene& scene, std::uint64_t round, std::uint32_t calls) {
  scene.fill(round);
  worker.run([&](Orchestrator& o) { scene.submit(o, {.calls = calls}); });
  return differences(scene);
}

Checked run_checked(Worker& worker, example::Scene& scene, std::uint64_t round) {
  constexpr std::uint32_t kCalls = 3;
  Checked checked;
  try {
    checked.differences = run_and_compare(worker, scene, round, kCalls);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNoProgress) {
      throw;
    }
    checked.differences = error.what();
  }
  for (const CheckFinding& finding : worker.last_check().findings) {
    checked.findings += fmt::format("seed {}: {}\n", worker.last_check().seed, finding.text);
  }
  return checked;
}

}  // namespace tileput::scene
