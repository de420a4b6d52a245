// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What outputs_orch.cpp does with tensors that the runtime allocates.
enum class Outputs : int {
  kNothing,        ///< submits no task
  kMixed,          ///< existing and allocated outputs in one task, then a copy of each into 'out'
  kEmpty,          ///< one of 0 elements, and a task that is given it
  kManySizes,      ///< from 1 to 1 << 20 elements, each passed on
  kScopes,         ///< nested, left by break, continue and exceptions
  kAfterScope,     ///< a tensor of a scope that has ended
  kLarge,          ///< 4 MiB, in a scope, `value` times
  kTooLarge,       ///< more than any machine has
  kNoMemoryOrder,  ///< ... and more elements than a number counts
  kBeyond,         ///< a kernel that copies one element more than there are
  kNoSuchOutput,   ///< get_ref() of what there is not
  kHostElements,   ///< get_tensor_data() and set_tensor_data(), `value` says which mistake
  kArguments,      ///< reset(), has_error
  kBadArguments,   ///< a task of which `value` says what does not fit
  kRace,           ///< rank 0 writes into rank 1's scratch, which rank 1 reads and orders with nothing
  kLog,            ///< a line of each level
};
