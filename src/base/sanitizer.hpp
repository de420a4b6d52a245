// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which sanitizer this build runs under: g++ says it by macros, clang by features.

#if defined(__has_feature)
#define TILEPUT_HAS_FEATURE(name) __has_feature(name)
#else
#define TILEPUT_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || TILEPUT_HAS_FEATURE(address_sanitizer)
#define TILEPUT_ASAN 1
#else
#define TILEPUT_ASAN 0
#endif
#if defined(__SANITIZE_THREAD__) || TILEPUT_HAS_FEATURE(thread_sanitizer)
#define TILEPUT_TSAN 1
#else
#define TILEPUT_TSAN 0
#endif

namespace tileput::base {

inline constexpr bool kAddressSanitizer = TILEPUT_ASAN != 0;
inline constexpr bool kThreadSanitizer = TILEPUT_TSAN != 0;

}  // namespace tileput::base
