// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "all_to_all_distributed.hpp"

#include <fmt/format.h>

#include <span>

#include "common/golden.hpp"
#include "kernels/all_to_all_window.hpp"

namespace example {
namespace {

using tileput::Error;
using tileput::ErrorCode;

std::uint64_t slot_sets_of(const std::string& variant) {
  return variant == "push" ? all_to_all::kPushSlotSets : all_to_all::kPullSlotSets;
}

/// What rank `source` has for rank `dest` at `index`.
float payload_at(Payload payload, std::uint64_t round, std::uint64_t source, std::uint64_t dest, std::uint64_t index) {
  if (payload == Payload::kRandom) {
    return mixed_float(round, source, dest, index);
  }
  return static_cast<float>(1000 * source + 100 * dest + index);
}

}  // namespace

AllToAll::AllToAll(const AllToAllOptions& options) : options_(options) {
  constexpr std::uint64_t kElementsMax = 0xffffffffU;
  if (options.ranks < 1 || options.ranks > tileput::kRanksMax) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} ranks", options.ranks),
                fmt::format("use 1 to {}", tileput::kRanksMax));
  }
  if (options.count > kElementsMax / static_cast<std::uint64_t>(options.ranks)) {
    throw Error(ErrorCode::kBadArgument, fmt::format("{} elements for each of {} ranks", options.count, options.ranks),
                "a tensor of the kernel ABI has fewer than 2^32 elements");
  }
  static_cast<void>(window_bytes(options.variant));
}

std::uint64_t AllToAll::window_bytes(const std::string& variant) const {
  const std::uint64_t needed =
      all_to_all::window_of(slot_sets_of(variant), static_cast<std::uint64_t>(options_.ranks), options_.count).bytes;
  const std::uint64_t bytes = options_.window_bytes.value_or(needed);
  if (bytes < needed) {
    throw Error(
        ErrorCode::kBadArgument,
        fmt::format("a window of {} bytes for {} ranks with {} elements each", bytes, options_.ranks, options_.count),
        fmt::format("{} needs at least {}", variant, needed));
  }
  return bytes;
}

void AllToAll::load(tileput::Worker& worker) {
  callables_.clear();
  in_.clear();
  out_.clear();
  const std::uint64_t bytes = static_cast<std::uint64_t>(options_.ranks) * options_.count * sizeof(float);
  for (int rank = 0; rank < options_.ranks; ++rank) {
    in_.push_back(worker.allocate_tensor(bytes));
    out_.push_back(worker.allocate_tensor(bytes));
  }
  use(worker, options_.variant);
}

void AllToAll::use(tileput::Worker& worker, const std::string& variant) {
  static_cast<void>(window_bytes(variant));
  if (!callables_.contains(variant)) {
    const std::string kernel = variant == "push" ? "all_to_all_kernel" : "all_to_all_pull_kernel";
    callables_.emplace(variant, worker.load({.orchestration = "kernels/all_to_all_orch.so",
                                             .entry = "all_to_all_" + variant,
                                             .kernels = {{0, tileput::Core::kAiv, "kernels/" + kernel + ".so"}}}));
  }
  options_.variant = variant;
}

void AllToAll::fill(std::uint64_t round) {
  round_ = round;
  for (std::size_t rank = 0; rank < in_.size(); ++rank) {
    const auto in = in_[rank].as<float>();
    for (std::uint64_t dest = 0; dest < in_.size(); ++dest) {
      for (std::uint64_t i = 0; i < options_.count; ++i) {
        in[dest * options_.count + i] = payload_at(options_.payload, round, rank, dest, i);
      }
    }
    poison(out_[rank].as<float>());
  }
}

void AllToAll::submit(tileput::Orchestrator& orchestrator, const tileput::TaskOptions& options) {
  const auto elements = static_cast<std::uint32_t>(in_.size() * options_.count);
  const tileput::Domain domain = allocate(orchestrator, first_ranks(options_.ranks), window_bytes(options_.variant));
  std::vector<tileput::RankTask> group;
  for (std::size_t rank = 0; rank < in_.size(); ++rank) {
    tileput::TaskArgs args;
    args.add_input({in_[rank].data(), tileput::DataType::kFloat32, {elements}});
    args.add_output({out_[rank].data(), tileput::DataType::kFloat32, {elements}});
    args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
    group.push_back({static_cast<int>(rank), args});
  }
  orchestrator.submit_group(callables_.at(options_.variant), group, options);
}

std::vector<RankCheck> AllToAll::check() const {
  std::vector<RankCheck> checks;
  for (std::size_t rank = 0; rank < out_.size(); ++rank) {
    const std::span<const float> out = out_[rank].as<const float>();
    checks.push_back({.rank = static_cast<int>(rank), .max_error = 0, .matches = true, .detail = {}});
    for (std::uint64_t source = 0; source < out_.size(); ++source) {
      compare(checks.back(), fmt::format("out, from rank {},", source),
              out.subspan(source * options_.count, options_.count),
              [&](std::uint64_t i) { return payload_at(options_.payload, round_, source, rank, i); });
    }
  }
  return checks;
}

}  // namespace example
