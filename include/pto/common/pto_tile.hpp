// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Shape, Stride, GlobalTensor and Tile with their helpers and TASSIGN (spec sections 4 to 6).

#include "pto/common/assign.hpp"
#include "pto/common/global_tensor.hpp"
#include "pto/common/tile.hpp"

#include "pto/common/address_space.hpp"
