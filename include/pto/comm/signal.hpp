// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// TNOTIFY, TWAIT and TTEST: signal words (spec sections 11 and 14).

#include <cstdint>
#include <type_traits>

#include "pto/comm/comm_types.hpp"
#include "pto/comm/signal_order.hpp"
#include "pto/common/event.hpp"
#include "pto/common/record.hpp"
#include "pto/common/region.hpp"
#include "pto/common/type.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/known_memory.hpp"

namespace pto {

namespace tileput_detail {

/// Changes a signal word and wakes the rank that owns it, should it sleep.
PTO_INTERNAL void notify(const machine::Core& core, std::int32_t* word, std::int32_t value, comm::NotifyOp op,
                         const void* site) noexcept {
  if (core.notify_log != nullptr) {  // before the change: who has seen it finds it in the log
    core.notify_log->add(machine::place_of(core, word), site, value, static_cast<std::uint32_t>(op));
  }
  if (op == comm::NotifyOp::AtomicAdd) {
    __atomic_fetch_add(word, value, kNotifyOrder);  // pairs with the loads of first_unsatisfied(); wraps
  } else {
    __atomic_store_n(word, value, kNotifyOrder);  // pairs with the loads of first_unsatisfied()
  }
  machine::ring_owner(core, word);
}

constexpr bool holds(std::int32_t signal, std::int32_t expected, comm::WaitCmp compare) noexcept {
  switch (compare) {
    case comm::WaitCmp::EQ: return signal == expected;
    case comm::WaitCmp::NE: return signal != expected;
    case comm::WaitCmp::GT: return signal > expected;
    case comm::WaitCmp::GE: return signal >= expected;
    case comm::WaitCmp::LT: return signal < expected;
    case comm::WaitCmp::LE: return signal <= expected;
  }
  return false;
}

/// One pass over all words of the region: the first that does not satisfy the condition, null if all do.
template <int kOrder>
PTO_INTERNAL const std::int32_t* first_unsatisfied(const machine::GlobalRegion& signals, std::int32_t expected,
                                                   comm::WaitCmp compare) noexcept {
  const std::int64_t* const n = signals.shape;
  const std::int64_t* const s = signals.stride;
  const auto* const words = reinterpret_cast<const std::int32_t*>(signals.address);
  for (std::int64_t i0 = 0; i0 < n[0]; ++i0) {
    for (std::int64_t i1 = 0; i1 < n[1]; ++i1) {
      for (std::int64_t i2 = 0; i2 < n[2]; ++i2) {
        for (std::int64_t i3 = 0; i3 < n[3]; ++i3) {
          for (std::int64_t i4 = 0; i4 < n[4]; ++i4) {
            const std::int32_t* const word = words + (i0 * s[0] + i1 * s[1] + i2 * s[2] + i3 * s[3] + i4 * s[4]);
            if (!holds(__atomic_load_n(word, kOrder), expected, compare)) {  // pairs with notify()
              return word;
            }
          }
        }
      }
    }
  }
  return nullptr;
}

/// The condition of a TWAIT for machine::wait_slow, which asks again and again.
struct WaitCondition {
  const machine::GlobalRegion& signals;
  std::int32_t expected;
  comm::WaitCmp compare;
};

inline const std::int32_t* look_again(const void* context) {
  const auto& condition = *static_cast<const WaitCondition*>(context);
  return first_unsatisfied<kWaitOrder>(condition.signals, condition.expected, condition.compare);
}

/// The rest of a TWAIT whose first pass found a word that does not satisfy it yet.
[[gnu::noinline, gnu::cold]] inline void wait_until_satisfied(const machine::GlobalRegion& signals,
                                                              std::int32_t expected, comm::WaitCmp compare,
                                                              const void* site) {
  machine::WaitTarget target;
  target.expected = expected;
  target.compare = static_cast<std::uint8_t>(compare);
  target.site = site;
  const WaitCondition condition{signals, expected, compare};
  machine::wait_slow(machine::current_core(), target, &look_again, &condition);
}

inline bool execute_notify(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  notify(machine::current_core(), reinterpret_cast<std::int32_t*>(self.global[0].address),
         static_cast<std::int32_t>(self.immediate[0]), static_cast<comm::NotifyOp>(self.immediate[1]), self.site);
  return true;
}

inline bool execute_wait(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  const auto expected = static_cast<std::int32_t>(self.immediate[0]);
  const auto compare = static_cast<comm::WaitCmp>(self.immediate[1]);
  if (first_unsatisfied<kWaitOrder>(self.global[0], expected, compare) != nullptr) {
    wait_until_satisfied(self.global[0], expected, compare, self.site);
  }
  return true;
}

/// What TTEST answers. A kernel that polls with it leaves a run that is ended meanwhile as one that waits does.
PTO_INTERNAL bool test(const machine::Core& core, const machine::GlobalRegion& signals, std::int32_t expected,
                       comm::WaitCmp compare) {
  if (first_unsatisfied<kTestOrder>(signals, expected, compare) == nullptr) {
    return true;
  }
  if (core.waiting != nullptr) {
    machine::throw_if_ended(core);
  }
  return false;
}

inline bool execute_test(const machine::Instruction& self, machine::Pieces /*pieces*/) {
  return test(machine::current_core(), self.global[0], static_cast<std::int32_t>(self.immediate[0]),
              static_cast<comm::WaitCmp>(self.immediate[1]));
}

template <class Signals>
PTO_INTERNAL void check_signal_type() noexcept {
  static_assert(std::is_same_v<typename Signals::RawDType, std::int32_t>,
                "TNOTIFY/TWAIT/TTEST: a signal is a tensor of int32_t");
}

/// What TNOTIFY changes: element 0 only, whatever the tensor's extents.
template <class Signals>
PTO_INTERNAL machine::GlobalRegion word_of(const Signals& signals) noexcept {
  machine::GlobalRegion word = region_of(signals);
  for (int d = 0; d < machine::kDims; ++d) {
    word.shape[d] = 1;
  }
  return word;
}

/// A region to wait on has at least one word, and lies where this core may look.
template <machine::Opcode kOpcode, class Signals>
PTO_INTERNAL void check_waitable(const Signals& signals) {
  check_signal_type<Signals>();
  if (region_of(signals).elements() <= 0) [[unlikely]] {
    machine::fail_shape(kOpcode, region_of(signals), region_of(signals));
  }
  machine::require_known(machine::current_core(), kOpcode, region_of(signals));
}

}  // namespace tileput_detail

namespace comm {

/// Adds to (or stores) one signal word, normally in a peer's window.
///
/// Shapes:     element 0 of an int32 tensor, 4-byte aligned; `value` is any int32, the sum wraps.
/// Ordering:   portable: everything this core drained and fenced (pipe_barrier, dsb) before is visible to whoever
///             observes the new value through TWAIT or TTEST, transitively. Natively: everything this core did before.
/// Completion: the word is changed on return; a peer that sleeps in TWAIT on it is woken.
/// Errors:     kOutOfWindow for a word outside every window and tensor of the task.
/// Source:     spec sections 11.2 and 14.
///
/// Example:
///     int32_t word = 0;  // in a kernel: in a peer's window
///     pto::comm::Signal signal(&word);
///     pipe_barrier(PIPE_ALL);  // what was moved before is drained
///     dsb(DSB_DDR);            // and fenced: now the peer may be told
///     pto::comm::TNOTIFY(signal, 2, pto::comm::NotifyOp::AtomicAdd);
///     pto::comm::TNOTIFY(signal, -5, pto::comm::NotifyOp::AtomicAdd);
///     assert(word == -3);
///     pto::comm::TNOTIFY(signal, 1, pto::comm::NotifyOp::Set);
///     assert(word == 1);
template <class Signals, tileput_detail::Event... WaitEvents>
  requires(is_global_data_v<Signals>)
PTO_INST void TNOTIFY(Signals& sig, std::int32_t value, NotifyOp op, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  tileput_detail::check_signal_type<Signals>();
  (static_cast<void>(events.Wait()), ...);
  machine::Core& core = machine::current_core();
  machine::require_known(core, machine::Opcode::kTnotify, tileput_detail::word_of(sig));
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::observe_signal(*core.observer, machine::Opcode::kTnotify, &tileput_detail::execute_notify,
                                   machine::site(), tileput_detail::word_of(sig), value, static_cast<std::int64_t>(op));
    return;
  }
  tileput_detail::notify(core, sig.data(), value, op, machine::site());
}

/// Waits until every word of the region satisfies `word cmp cmpValue`.
///
/// Shapes:     all five dimensions of an int32 tensor, at least one word. Signed comparison. One pass that finds all
///             words satisfied suffices; the words are not changed.
/// Ordering:   everything released by the notifications whose values satisfied the wait is visible to this core's
///             later accesses (portable: after dcci for scalar reads).
/// Blocking:   tries at once, then yields, then sleeps on this rank's doorbell. Never returns unsatisfied.
/// Completion: on return the condition held, each word read once it did.
/// Errors:     kShapeMismatch for an empty region; kOutOfWindow outside every window and tensor of the task;
///             kAborted when the run is ended, or another block of the task fails, while waiting.
/// Source:     spec sections 11.3 and 14.
///
/// Example:
///     int32_t words[2][16] = {};  // one row of sixteen words for each of two rounds
///     for (int rank = 0; rank < 3; ++rank) {
///       pto::comm::Signal own(&words[1][rank]);
///       pto::comm::TNOTIFY(own, 1, pto::comm::NotifyOp::AtomicAdd);
///     }
///     pto::comm::Signal2D<1, 3> round(words[1], 16);
///     pto::comm::TWAIT(round, 1, pto::comm::WaitCmp::GE);  // all three ranks have notified
///     dcci(words, ENTIRE_DATA_CACHE, CACHELINE_OUT);       // before a scalar load of what they wrote
///     assert(words[1][2] == 1);
template <class Signals, tileput_detail::Event... WaitEvents>
  requires(is_global_data_v<Signals>)
PTO_INST void TWAIT(Signals& sig, std::int32_t cmpValue, WaitCmp cmp, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::check_waitable<machine::Opcode::kTwait>(sig);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    tileput_detail::observe_signal(*core.observer, machine::Opcode::kTwait, &tileput_detail::execute_wait,
                                   machine::site(), tileput_detail::region_of(sig), cmpValue,
                                   static_cast<std::int64_t>(cmp));
    return;
  }
  if (tileput_detail::first_unsatisfied<tileput_detail::kWaitOrder>(tileput_detail::region_of(sig), cmpValue, cmp) !=
      nullptr) [[unlikely]] {
    tileput_detail::wait_until_satisfied(tileput_detail::region_of(sig), cmpValue, cmp, machine::site());
  }
}

/// Whether every word of the region satisfies `word cmp cmpValue` now; one pass, never blocks.
///
/// Shapes, Ordering (when true), Errors: as TWAIT, kAborted also where the answer is false.
/// Source:     spec sections 11.3 and 14.
///
/// Example:
///     int32_t word = 3;
///     pto::comm::Signal signal(&word);
///     assert(!pto::comm::TTEST(signal, 4, pto::comm::WaitCmp::GE));
///     assert(pto::comm::TTEST(signal, 4, pto::comm::WaitCmp::LT));
template <class Signals, tileput_detail::Event... WaitEvents>
  requires(is_global_data_v<Signals>)
PTO_INST bool TTEST(Signals& sig, std::int32_t cmpValue, WaitCmp cmp, WaitEvents&... events) {
  namespace machine = ::tileput::machine;
  (static_cast<void>(events.Wait()), ...);
  tileput_detail::check_waitable<machine::Opcode::kTtest>(sig);
  machine::Core& core = machine::current_core();
  if (core.observer != nullptr) [[unlikely]] {
    return tileput_detail::observe_signal(*core.observer, machine::Opcode::kTtest, &tileput_detail::execute_test,
                                          machine::site(), tileput_detail::region_of(sig), cmpValue,
                                          static_cast<std::int64_t>(cmp));
  }
  return tileput_detail::test(core, tileput_detail::region_of(sig), cmpValue, cmp);
}

}  // namespace comm
}  // namespace pto

#include "pto/common/address_space.hpp"
