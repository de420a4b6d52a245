// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A header of its own, so that a test can change it.

inline constexpr int kElementsMax = 16384;
