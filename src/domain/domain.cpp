// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "domain/domain.hpp"

#include <fmt/format.h>

#include "tileput/error.hpp"

namespace tileput::domain {

Domain::Domain(Heaps& heaps, std::vector<HeapAddress> windows, std::uint64_t bytes, int index)
    : heaps_(heaps), windows_(std::move(windows)) {
  if (windows_.size() > COMM_MAX_RANK_NUM) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a domain of {} ranks", windows_.size()),
                fmt::format("a CommContext has room for {}", COMM_MAX_RANK_NUM));
  }
  context_.rankId = static_cast<std::uint32_t>(index);
  context_.rankNum = static_cast<std::uint32_t>(windows_.size());
  context_.winSize = bytes;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    try {
      heaps_.open(windows_[i], bytes);
    } catch (...) {
      close_first(i);
      throw;
    }
    context_.windowsIn[i] = reinterpret_cast<std::uintptr_t>(heaps_.at(windows_[i]));
    context_.windowsOut[i] = context_.windowsIn[i];
  }
}

Domain::~Domain() { close_first(windows_.size()); }

std::byte* Domain::own_window() const noexcept { return heaps_.at(windows_[context_.rankId]); }

void Domain::close_first(std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    heaps_.close(windows_[i]);
  }
}

}  // namespace tileput::domain
