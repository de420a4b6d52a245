// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "fault/support.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (tileput::fault::kSanitized) {
    // Our library is preloaded into the ranks ahead of the sanitizer's.
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0:handle_segv=0:detect_leaks=0", 1);
  }
  tileput::fault::plan();  // ranks and children that are started from here on share it
  testing::AddGlobalTestEnvironment(new tileput::fault::PrivateNames);
  return RUN_ALL_TESTS();
}
