// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The native action of TREDUCE: one global tensor becomes the combination of several. In the library, as the vector
/// unit is.

#include "tileput/machine/instruction.hpp"
#include "tileput/machine/vector_unit.hpp"

namespace tileput::machine {

/// The tensors of a group, one for each rank, all of one shape.
struct Members {
  const void* tensors = nullptr;
  GlobalRegion (*at)(const void* tensors, int rank) = nullptr;
  int count = 0;
  int root = 0;
};

/// target = the root's member op the other members in increasing order, element by element, each tensor by its own
/// strides. The root's member may be the target; other tensors do not overlap.
void reduce(VectorOp op, const GlobalRegion& target, const Members& members);

/// One step of it: target = target op source. The two do not overlap.
void combine_global(VectorOp op, const GlobalRegion& target, const GlobalRegion& source);

}  // namespace tileput::machine
