// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "allreduce_distributed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "common/collective.hpp"
#include "kernels/allreduce_window.hpp"

namespace example {
namespace {

using allreduce::Mode;
using tileput::Error;
using tileput::ErrorCode;

/// 64 of them add up to less than 2^24, exactly.
constexpr std::uint64_t kIntegerMax = std::uint64_t{1} << 17U;

Mode mode_of(const std::string& name) {
  const auto& modes = allreduce_modes();
  const auto found = std::find(modes.begin(), modes.end(), name);
  if (found == modes.end()) {
    throw Error(ErrorCode::kBadArgument, fmt::format("there is no mode '{}'", name),
                fmt::format("use one of {}", fmt::join(modes, ", ")));
  }
  return static_cast<Mode>(found - modes.begin());
}

class AllreduceDistributed final : public Collective {
 public:
  explicit AllreduceDistributed(const AllreduceDistributedOptions& options)
      : Collective({"allreduce_orch", "allreduce_" + options.mode, "allreduce_" + options.mode + "_kernel"},
                   options.ranks, options.count, 1, 1),
        options_(options),
        mode_(mode_of(options.mode)) {
    if (mode_ == Mode::kIbing && options.ranks != 2) {
      throw Error(ErrorCode::kBadArgument, fmt::format("ibing with {} ranks", options.ranks),
                  "it is an exchange of 2 ranks; use another mode");
    }
  }

 private:
  [[nodiscard]] std::uint64_t window_bytes() const override {
    return allreduce::window_of(mode_, in().size(), options_.count).bytes;
  }

  [[nodiscard]] float given(std::size_t rank, std::size_t index) const override {
    return options_.payload == Payload::kFormula ? static_cast<float>(index + 100 * rank)
                                                 : random(mixed(round(), rank, index));
  }

  /// An integer of -kIntegerMax..kIntegerMax, never 0: what is left out of a sum or taken twice shows. Or a fraction of
  /// any size between 2^-10 and 2^10.
  [[nodiscard]] float random(std::uint64_t bits) const {
    const float sign = (bits & 1U) == 0 ? 1.0F : -1.0F;
    if (options_.fractions) {
      const auto mantissa = static_cast<float>(1 + (bits >> 1U) % kIntegerMax) / static_cast<float>(kIntegerMax);
      return std::ldexp(sign * mantissa, static_cast<int>((bits >> 40U) % 21) - 10);
    }
    return sign * static_cast<float>(1 + (bits >> 1U) % kIntegerMax);
  }

  /// The same on every rank, summed in the order in which the mode does.
  [[nodiscard]] float expected(std::size_t /*turn*/, std::size_t /*rank*/, std::size_t index) const override {
    const auto n = in().size();
    std::size_t first = 0;   // rank that the sum begins with
    std::size_t stride = 1;  // from one rank to the next
    if (mode_ == Mode::kRing || mode_ == Mode::kBidirectionalRing) {
      const std::size_t chunk = index / allreduce::window_of(mode_, n, options_.count).chunk;
      stride = chunk < n ? 1 : n - 1;
      first = (chunk + stride) % n;
    }
    float sum = in()[first][index];
    for (std::size_t k = 1; k < n; ++k) {
      sum += in()[(first + k * stride) % n][index];
    }
    return sum;
  }

  AllreduceDistributedOptions options_;
  Mode mode_;
};

}  // namespace

const std::vector<std::string>& allreduce_modes() {
  static const std::vector<std::string> kModes{"onephase", "twophase", "ring", "bidirectional_ring", "ibing"};
  return kModes;
}

std::unique_ptr<Scene> make_allreduce_distributed(const AllreduceDistributedOptions& options) {
  return std::make_unique<AllreduceDistributed>(options);
}

}  // namespace example
