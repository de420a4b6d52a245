// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "domain/heaps.hpp"
#include "platform_comm/comm_context.h"

namespace tileput::domain {

/// A domain as one of its ranks holds it: all windows accessible here, and the CommContext that kernels are given.
class Domain {
 public:
  /// Opens every window. Called after the allocation barrier: each window is reserved and zero.
  Domain(Heaps& heaps, std::vector<HeapAddress> windows, std::uint64_t bytes, int index);
  ~Domain();
  Domain(const Domain&) = delete;
  Domain& operator=(const Domain&) = delete;

  [[nodiscard]] const CommContext& context() const noexcept { return context_; }
  [[nodiscard]] std::byte* own_window() const noexcept;

 private:
  void close_first(std::size_t count) noexcept;

  Heaps& heaps_;
  std::vector<HeapAddress> windows_;
  CommContext context_{};
};

}  // namespace tileput::domain
