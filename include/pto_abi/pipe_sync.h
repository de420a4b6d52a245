// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// pipe_sync(): the drain at the end of a kernel (spec section 7.4). Include it after the pto header.

#include "pto/common/cpu_stub.hpp"

/// Drains all pipes of the core; the same as pipe_barrier(PIPE_ALL).
PTO_INST void pipe_sync() { pipe_barrier(PIPE_ALL); }
