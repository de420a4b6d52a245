// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// CommContext: what a kernel knows of a domain (spec section 15). C++17, global namespace.

#include <cstddef>
#include <cstdint>
#include <type_traits>

inline constexpr int COMM_MAX_RANK_NUM = 64;

/// One rank's view of a domain. Kernels address a peer's window with
///
///     remote(p, peer) = windowsIn[peer] + (p - windowsIn[rankId])
///
/// so all windows of a domain have one size and layout, and windowsIn[rankId] is the mapping whose addresses the kernel
/// was given. Windows are zero before the first kernel of the domain runs.
struct CommContext {
  uint64_t workSpace;                      ///< DMA workspace, may be 0
  uint64_t workSpaceSize;                  ///< bytes
  uint32_t rankId;                         ///< this rank in the domain, 0 to rankNum - 1
  uint32_t rankNum;                        ///< ranks in the domain
  uint64_t winSize;                        ///< bytes per window
  uint64_t windowsIn[COMM_MAX_RANK_NUM];   ///< rank i's window as mapped in this process
  uint64_t windowsOut[COMM_MAX_RANK_NUM];  ///< the same values
};

static_assert(std::is_standard_layout_v<CommContext> && std::is_trivially_copyable_v<CommContext>);
static_assert(sizeof(CommContext) == 1056);
static_assert(offsetof(CommContext, workSpace) == 0 && offsetof(CommContext, workSpaceSize) == 8);
static_assert(offsetof(CommContext, rankId) == 16 && offsetof(CommContext, rankNum) == 20);
static_assert(offsetof(CommContext, winSize) == 24);
static_assert(offsetof(CommContext, windowsIn) == 32 && offsetof(CommContext, windowsOut) == 544);
