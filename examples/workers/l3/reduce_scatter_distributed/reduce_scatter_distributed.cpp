// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "reduce_scatter_distributed.hpp"

#include <cmath>

#include "common/collective.hpp"
#include "common/kernels/slot_window.hpp"

namespace example {
namespace {

class ReduceScatter final : public Collective {
 public:
  explicit ReduceScatter(const ReduceScatterOptions& options)
      : Collective({"reduce_scatter_orch", "reduce_scatter", "reduce_scatter_kernel"}, options.ranks, options.count,
                   static_cast<std::uint64_t>(options.ranks), 1),
        options_(options) {}

 private:
  [[nodiscard]] std::uint64_t window_bytes() const override {
    return slot_window::window_of(in().size(), options_.count).bytes;
  }

  /// Drawn: 24 bits at a magnitude that is drawn too, so that sums are rounded and depend on their order.
  [[nodiscard]] float given(std::size_t rank, std::size_t index) const override {
    if (options_.payload == Payload::kFormula) {
      return static_cast<float>(index + 100 * rank);
    }
    constexpr std::int64_t kMantissas = 1 << 24;
    const std::uint64_t bits = mixed(round(), rank, index);
    const auto mantissa = static_cast<float>(static_cast<std::int64_t>(bits % (1U << 24U)) - kMantissas / 2);
    return std::ldexp(mantissa, static_cast<int>((bits >> 32U) % 8U) - 24);
  }

  /// Added in the order in which the kernel does.
  [[nodiscard]] float expected(std::size_t /*turn*/, std::size_t rank, std::size_t index) const override {
    const std::size_t k = rank * options_.count + index;
    float sum = in()[0][k];
    for (std::size_t source = 1; source < in().size(); ++source) {
      sum += in()[source][k];
    }
    return sum;
  }

  ReduceScatterOptions options_;
};

}  // namespace

std::unique_ptr<Scene> make_reduce_scatter_distributed(const ReduceScatterOptions& options) {
  return std::make_unique<ReduceScatter>(options);
}

}  // namespace example
