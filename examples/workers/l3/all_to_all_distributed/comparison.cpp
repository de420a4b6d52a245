// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "common/golden.hpp"

namespace example {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? NAN : values[values.size() / 2];
}

/// Runs a command that prints one number, its median in microseconds.
std::optional<double> peer_us(const std::string& command) {
  if (command.empty()) {
    return std::nullopt;
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  double value = 0;
  if (pipe == nullptr || std::fscanf(pipe.get(), "%lf", &value) != 1) {
    return std::nullopt;
  }
  return value;
}

tileput::SubmissionReport run_variant(tileput::Worker& worker, AllToAll& scene, const std::string& variant,
                                      const tileput::TaskOptions& options) {
  scene.use(worker, variant);
  scene.fill(0);
  tileput::RunReport report = worker.run([&](tileput::Orchestrator& o) { scene.submit(o, options); });
  return std::move(report.submissions.front());
}

bool matches(const Scene& scene) {
  const std::vector<RankCheck> checks = scene.check();
  return std::all_of(checks.begin(), checks.end(), [](const RankCheck& check) { return check.matches; });
}

}  // namespace

bool print_comparison(tileput::Worker& worker, AllToAll& scene, const AllToAllOptions& options,
                      const std::string& peer_command) {
  struct Row {
    std::string name;
    std::uint64_t window_bytes = 0;
    std::vector<double> us;
    tileput::RankReport counts;
  };
  // Few calls of much data, so that a table takes seconds.
  const std::uint64_t call_bytes = options.count * sizeof(float) * static_cast<std::uint64_t>(options.ranks) *
                                   static_cast<std::uint64_t>(options.ranks);
  const auto calls = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>((std::uint64_t{1} << 31U) / std::max<std::uint64_t>(call_bytes, 1), 5, 2000));
  constexpr int kRounds = 3;
  std::array<Row, 2> rows{Row{"push", 0, {}, {}}, Row{"pull", 0, {}, {}}};
  std::vector<double> peer;
  for (Row& row : rows) {
    row.window_bytes = scene.window_bytes(row.name);
    row.counts = run_variant(worker, scene, row.name, {.calls = 1, .observe = true}).ranks.front();
    if (!matches(scene)) {
      fmt::print("{} differs from golden\n", row.name);
      return false;
    }
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Row& row : rows) {
      row.us.push_back(call_us(run_variant(worker, scene, row.name, {.calls = calls})));
    }
    if (const auto us = peer_us(peer_command)) {
      peer.push_back(*us);
    }
  }
  fmt::print(
      "\n{} ranks, {} bytes per destination; counts of one call of rank 0 as its observer saw them,\n"
      "times: median of {} back-to-back calls, median of {} interleaved rounds, slowest rank\n\n",
      options.ranks, options.count * sizeof(float), calls, kRounds);
  fmt::print("{:<13} {:<26} {:>5} {:>5} {:>12} {:>8} {:>12} {:>12}\n", "", "data phases", "tiles", "puts",
             "remote reads", "barriers", "window bytes", "us per call");
  for (const Row& row : rows) {
    std::vector<std::string> phases;
    for (const tileput::PhaseReport& phase : row.counts.phases) {
      phases.push_back(phase.kind);
    }
    fmt::print("{:<13} {:<26} {:>5} {:>5} {:>12} {:>8} {:>12} {:>12.2f}\n", row.name,
               fmt::format("{}: {}", phases.size(), fmt::join(phases, ", ")), row.counts.tiles, row.counts.puts,
               row.counts.remote_loads, row.counts.barriers, row.window_bytes, median(row.us));
  }
  if (!peer.empty()) {
    fmt::print("{:<13} {:<26} {:>5} {:>5} {:>12} {:>8} {:>12} {:>12.2f}\n", "MPI_Alltoall", "", "", "", "", "", "",
               median(peer));
  } else {
    fmt::print("{:<13} not measured\n", "MPI_Alltoall");
  }
  return true;
}

}  // namespace example
