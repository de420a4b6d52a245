// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What instructions return and what they may wait for (spec section 3).

#include "pto/common/type.hpp"

namespace pto {

/// The result of most instructions; an instruction is complete for its own core when it returns, so it holds nothing.
struct RecordEvent {};

namespace tileput_detail {

/// What an instruction accepts after its operands: lvalues that can be waited for. The constraint keeps tiles and
/// enumerators out of these packs, so that overloads with more operands win.
template <class E>
concept Event = requires(E& event) {
  event.Wait();
};

}  // namespace tileput_detail
}  // namespace pto

#include "pto/common/address_space.hpp"
