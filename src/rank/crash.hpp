// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rank/control.hpp"

namespace tileput::rank {

/// Makes this process note in its slot why it dies of SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGABRT, before it does.
/// For rank processes; call it on the thread that runs kernels. Not under a sanitizer that reports such signals itself.
void install_crash_handler(RankSlot& slot);

}  // namespace tileput::rank
