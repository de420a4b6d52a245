// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The memory orders of the signal instructions, in one place so that a litmus test can weaken them and see that
/// ThreadSanitizer notices. Internal.
///
/// Notify, wait and test are sequentially consistent, not just release and acquire, for two reasons: kernels build
/// store/load barriers from them (each rank notifies, then looks), and the doorbell protocol
/// (tileput/rank/doorbell.hpp) needs the waiter's check and the notifier's change in one total order with the sleeper
/// count. On x86-64 and aarch64 the loads cost what acquire loads cost, and a read-modify-write costs the same in any
/// order.

namespace pto::tileput_detail {

#ifdef TILEPUT_TEST_WEAKEN_NOTIFY
inline constexpr int kNotifyOrder = __ATOMIC_RELAXED;
#else
/// The change of the signal word in TNOTIFY. Pairs with kWaitOrder and kTestOrder.
inline constexpr int kNotifyOrder = __ATOMIC_SEQ_CST;
#endif

#ifdef TILEPUT_TEST_WEAKEN_WAIT
inline constexpr int kWaitOrder = __ATOMIC_RELAXED;
inline constexpr int kTestOrder = __ATOMIC_RELAXED;
#else
/// The loads of TWAIT. Pairs with kNotifyOrder.
inline constexpr int kWaitOrder = __ATOMIC_SEQ_CST;
/// The loads of TTEST. Pairs with kNotifyOrder.
inline constexpr int kTestOrder = __ATOMIC_SEQ_CST;
#endif

}  // namespace pto::tileput_detail
