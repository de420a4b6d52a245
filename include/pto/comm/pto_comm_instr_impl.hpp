// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The `_IMPL` spellings that CPU unit tests of the instruction set call (spec section 11.4).

#include <cstdint>

#include "pto/comm/pto_comm_inst.hpp"

namespace pto::comm {

/// Synonym of TNOTIFY.
template <class Signals>
PTO_INST void TNOTIFY_IMPL(Signals& sig, std::int32_t value, NotifyOp op) {
  TNOTIFY(sig, value, op);
}

/// Synonym of TWAIT.
template <class Signals>
PTO_INST void TWAIT_IMPL(Signals& sig, std::int32_t cmpValue, WaitCmp cmp) {
  TWAIT(sig, cmpValue, cmp);
}

/// Synonym of TTEST.
template <class Signals>
PTO_INST bool TTEST_IMPL(Signals& sig, std::int32_t cmpValue, WaitCmp cmp) {
  return TTEST(sig, cmpValue, cmp);
}

}  // namespace pto::comm

#include "pto/common/address_space.hpp"
