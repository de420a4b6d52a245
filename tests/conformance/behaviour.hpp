// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What behaviour_kernel.cpp can do.

enum class Behaviour : int {
  kExchange,
  kAdd,
  kSlowCopy,
  kWaitForever,
  kStartAndWait,
  kThrow,
  kThrowOther,
  kOverflow,
  kUnbound,
  kExit,
  kKill,
  kFault,
  kLateNotify,
  kIdentify,
  kAddress,
};
