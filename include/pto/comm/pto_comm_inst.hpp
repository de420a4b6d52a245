// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The communication instructions (spec sections 9 to 13).

#include "pto/comm/async.hpp"
#include "pto/comm/collective.hpp"
#include "pto/comm/comm_types.hpp"
#include "pto/comm/point_to_point.hpp"
#include "pto/comm/signal.hpp"

#include "pto/common/address_space.hpp"
