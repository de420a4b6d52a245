// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "allgather_distributed.hpp"

#include "common/collective.hpp"
#include "common/kernels/slot_window.hpp"

namespace example {
namespace {

class Allgather final : public Collective {
 public:
  explicit Allgather(const AllgatherOptions& options)
      : Collective({"allgather_orch", "allgather", "allgather_kernel"}, options.ranks, options.count, 1,
                   static_cast<std::uint64_t>(options.ranks)),
        options_(options) {}

 private:
  [[nodiscard]] std::uint64_t window_bytes() const override {
    return slot_window::window_of(in().size(), options_.count).bytes;
  }

  [[nodiscard]] float given(std::size_t rank, std::size_t index) const override {
    return options_.payload == Payload::kRandom ? mixed_float(round(), rank, index)
                                                : static_cast<float>(100 * rank + index);
  }

  [[nodiscard]] float expected(std::size_t /*turn*/, std::size_t /*rank*/, std::size_t index) const override {
    return given(index / options_.count, index % options_.count);
  }

  AllgatherOptions options_;
};

}  // namespace

std::unique_ptr<Scene> make_allgather_distributed(const AllgatherOptions& options) {
  return std::make_unique<Allgather>(options);
}

}  // namespace example
