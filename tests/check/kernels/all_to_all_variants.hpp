// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace tileput::check::test {

/// An all-to-all kernel of the example, or a mutant of it.
struct KernelVariant {
  const char* name;
  void (*entry)(std::int64_t* args);
  std::uint64_t slot_sets;
};

/// Those of all_to_all_variants.cmake, which generates this function.
std::span<const KernelVariant> all_to_all_variants();

}  // namespace tileput::check::test
