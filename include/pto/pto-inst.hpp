// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// The umbrella header of kernels: the whole instruction set, and the address-space macros as empty tokens.
/// Without an include guard: every inclusion empties those macros, see address_space.hpp.

// A kernel object is built for one unit; a build that names neither gets both.
#if !defined(__DAV_VEC__) && !defined(__DAV_CUBE__)
#define __DAV_VEC__
#define __DAV_CUBE__
#endif

#include "pto/comm/comm_types.hpp"
#include "pto/comm/pto_comm_inst.hpp"
#include "pto/common/constants.hpp"
#include "pto/common/cpu_stub.hpp"
#include "pto/common/event.hpp"
#include "pto/common/numeric.hpp"
#include "pto/common/pto_tile.hpp"
#include "pto/common/type.hpp"
#include "pto/convert.hpp"
#include "pto/load_store.hpp"
#include "pto/matrix.hpp"
#include "pto/vector.hpp"

#include "pto/common/address_space.hpp"
