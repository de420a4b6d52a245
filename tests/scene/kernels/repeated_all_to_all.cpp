// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Calls an all-to-all kernel again and again inside one invocation, back to back on one window, with random skew; new
// input for every call, outputs poisoned before and checked after each.
//
// The kernel under test is the file TESTED_KERNEL, its window has TESTED_SLOT_SETS slot sets.
// Arguments: repeated_calls::Argument. in and out are n x count words with guards on both sides.

#include <pto/pto-inst.hpp>

// Hidden: an entry that another object could replace cannot be inlined, which kernels ask for.
extern "C" __attribute__((visibility("hidden"))) void tested_kernel_entry(__gm__ int64_t* args);
#define kernel_entry tested_kernel_entry
#include TESTED_KERNEL
#undef kernel_entry

#include "../all_to_all_window.hpp"
#include "deferring_observer.hpp"
#include "platform_comm/comm_context.h"
#include "repeated_calls.hpp"
#include "skew_observer.hpp"
#include "tensor.h"

namespace {

namespace rc = repeated_calls;
using tileput::machine::Observer;

/// Attached to this core as long as it lives.
class Attached {
 public:
  explicit Attached(Observer& observer) : before_(tileput::machine::current_core().observer) {
    tileput::machine::current_core().observer = &observer;
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() { tileput::machine::current_core().observer = before_; }

 private:
  Observer* before_;
};

ChipTensor& tensor_of(const std::int64_t* args, rc::Argument argument) {
  return *reinterpret_cast<ChipTensor*>(args[argument]);
}

/// A guarded slice: the words that the kernel under test is given, and those around them.
class Slice {
 public:
  Slice(ChipTensor& whole, std::uint32_t guard) : view_(whole), whole_(whole.data_as<std::uint32_t>()), guard_(guard) {
    size_ = whole.shapes[0] - 2 * kGuard;
    const std::uint32_t shape[] = {size_};
    const std::uint32_t offset[] = {kGuard};
    view_ = whole.view(shape, offset);
    for (std::uint32_t i = 0; i < kGuard; ++i) {
      whole_[i] = whole_[kGuard + size_ + i] = guard_;
    }
  }

  std::uint32_t& operator[](std::uint64_t index) { return whole_[kGuard + index]; }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::int64_t argument() { return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(&view_)); }

  [[nodiscard]] std::int64_t changed_guards() const {
    std::int64_t changed = 0;
    for (std::uint32_t i = 0; i < kGuard; ++i) {
      changed += (whole_[i] != guard_ ? 1 : 0) + (whole_[kGuard + size_ + i] != guard_ ? 1 : 0);
    }
    return changed;
  }

 private:
  static constexpr std::uint32_t kGuard = rc::kGuardWords;
  ChipTensor view_;
  std::uint32_t* whole_;
  std::uint32_t guard_;
  std::uint32_t size_ = 0;
};

/// The window of the kernel under test as if `epoch` calls or barriers were over.
void prepare(ChipTensor& scratch, std::uint64_t ranks, std::uint64_t words, std::uint32_t epoch) {
  const all_to_all::Window window = all_to_all::window_of(TESTED_SLOT_SETS, ranks, words);
  auto* const base = reinterpret_cast<std::uint8_t*>(scratch.data_as<float>());
  for (std::uint64_t source = 0; source < ranks; ++source) {
    *reinterpret_cast<std::uint32_t*>(base + window.signals + source * all_to_all::kLineBytes) = epoch;
  }
  *reinterpret_cast<std::uint32_t*>(base + window.epoch) = epoch;
}

/// Counts what differs from the words that the peers sent in `call`.
void check(Slice& out, std::int64_t* result, std::uint64_t seed, std::uint64_t call, std::uint64_t ranks,
           std::uint64_t me) {
  const std::uint64_t words = out.size() / ranks;
  for (std::uint64_t source = 0; source < ranks; ++source) {
    for (std::uint64_t i = 0; i < words; ++i) {
      if (out[source * words + i] == rc::payload(seed, call, source, me, i)) {
        continue;
      }
      if (result[rc::kMismatches]++ == 0) {
        result[rc::kFirstCall] = static_cast<std::int64_t>(call);
        result[rc::kFirstSource] = static_cast<std::int64_t>(source);
        result[rc::kFirstIndex] = static_cast<std::int64_t>(i);
      }
    }
  }
}

}  // namespace

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  const auto ranks = static_cast<std::uint64_t>(args[rc::kRanks]);
  const auto seed = static_cast<std::uint64_t>(args[rc::kSeed]);
  const auto calls = static_cast<std::uint64_t>(args[rc::kCalls]);
  const auto mode = static_cast<rc::Mode>(args[rc::kMode]);
  const std::uint64_t me = reinterpret_cast<const CommContext*>(args[rc::kContext])->rankId;
  auto* const result = tensor_of(args, rc::kResult).data_as<std::int64_t>();

  Slice in(tensor_of(args, rc::kIn), 0x600df00dU);
  Slice out(tensor_of(args, rc::kOut), 0xfeedbea7U);
  const std::uint64_t words = in.size() / ranks;
  if (mode == rc::Mode::kPrepare) {
    prepare(tensor_of(args, rc::kScratch), ranks, words, static_cast<std::uint32_t>(args[rc::kFirstEpoch]));
    return;
  }

  DeferringObserver deferring(mode == rc::Mode::kDeferringStrict);
  SkewObserver observer(mode == rc::Mode::kAtOnce ? nullptr : &deferring);
  const Attached attached(observer);
  CallTime call_time;
  for (std::uint64_t call = 0; call < calls; ++call) {
    for (std::uint64_t dest = 0; dest < ranks; ++dest) {
      for (std::uint64_t i = 0; i < words; ++i) {
        in[dest * words + i] = rc::payload(seed, call, me, dest, i);
      }
    }
    for (std::uint64_t i = 0; i < out.size(); ++i) {
      out[i] = 0xcdcdcdcdU;
    }
    observer.begin_call();
    if (call_time.is_known()) {
      const Skew skew = Skew::of_call(seed, call, ranks, call_time.median_ns());
      if (skew.rank == me) {
        observer.begin_late_call(skew);
      }
    }
    const std::uint64_t start_ns = now_ns();
    int64_t tested[] = {in.argument(), out.argument(), args[rc::kScratch], args[rc::kRanks], args[rc::kContext]};
    tested_kernel_entry(tested);
    call_time.add(now_ns() - start_ns);
    result[rc::kPending] += deferring.pending() != 0 ? 1 : 0;
    check(out, result, seed, call, ranks, me);
    result[rc::kCanaries] += in.changed_guards() + out.changed_guards();
    result[rc::kCallsDone] = static_cast<std::int64_t>(call + 1);
  }
  result[rc::kSleepsBetweenCalls] = observer.sleeps(Skew::Point::kBetweenCalls);
  result[rc::kSleepsBeforeNotify] = observer.sleeps(Skew::Point::kBeforeFirstNotify);
  result[rc::kSleepsBeforeCopyOut] = observer.sleeps(Skew::Point::kBeforeCopyOut);
  result[rc::kCallNs] = static_cast<std::int64_t>(call_time.is_known() ? call_time.median_ns() : 0);
}
