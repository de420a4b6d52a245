// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Constants and configuration of the SDMA engine (spec section 13.1).

#include <cstdint>

namespace pto::comm::sdma {

inline constexpr std::uint64_t kDefaultSdmaBlockBytes = std::uint64_t{1} << 20U;
/// Lets the runtime choose the channel group.
inline constexpr std::uint32_t kAutoChannelGroupIdx = UINT32_MAX;
inline constexpr std::uint64_t UB_ALIGN_SIZE = 256;
inline constexpr std::uint64_t SDMA_FLAG_LENGTH = 128;

/// How a session cuts its transfers.
struct SdmaBaseConfig {
  std::uint64_t blockBytes = kDefaultSdmaBlockBytes;
  std::uint64_t commBlockOffset = 0;
  std::uint32_t queueNum = 1;
};

}  // namespace pto::comm::sdma

#include "pto/common/address_space.hpp"
