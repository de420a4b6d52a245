// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What hang_kernel.cpp can do.

enum class Hang : int {
  kReturn,
  kNotify,
  kWait,
  kExchangeThenWait,
  kWaitForRegion,
  kPollForever,
  kCompute,
  kAbort,
  kPlainStore,
  kNullLoad,
  kPut,
  kGet,
  kNotifyAt,
  kWaitAt,
  kLoad,
  kStore,
  kStridedPut,
  kPutFromStack,
  kTensor,
  kAssign,
  kManyPhases,
  kPlainNotify,
  kLoadNothing,
  kLoadPart,
  kHugeShape,
};
