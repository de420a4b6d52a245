// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The portable way to publish to other ranks and to look at what they published: data is drained and fenced before
/// TNOTIFY, and scalar reads come after dcci.

#include <pto/pto-inst.hpp>

#include "kernel_support.hpp"

namespace test_kernel {

/// One word per rank, all zero at first, in the window of every rank.
class Fenced {
 public:
  Fenced(__gm__ CommContext* ctx, __gm__ int32_t* words) : ctx_(ctx), words_(words) {}

  AICORE int ranks() const { return static_cast<int>(ctx_->rankNum); }
  AICORE int me() const { return static_cast<int>(ctx_->rankId); }

  /// Everything that this core did is there for `peer` once it has waited for this.
  AICORE void notify(int peer) {
    pipe_barrier(PIPE_ALL);
    dsb(DSB_DDR);
    pto::comm::Signal signal(remote(ctx_, words_ + me(), peer));
    pto::comm::TNOTIFY(signal, 1, pto::comm::NotifyOp::AtomicAdd);
  }

  /// Waits for the `count`th notification of `peer`.
  AICORE void wait(int peer, int32_t count) {
    pto::comm::Signal signal(words_ + peer);
    pto::comm::TWAIT(signal, count, pto::comm::WaitCmp::GE);
    dcci(words_, ENTIRE_DATA_CACHE);
  }

  /// Everybody's effects of before are there for everybody after.
  AICORE void barrier() {
    ++barriers_;
    for (int peer = 0; peer < ranks(); ++peer) {
      notify(peer);
    }
    for (int peer = 0; peer < ranks(); ++peer) {
      wait(peer, barriers_);
    }
  }

 private:
  __gm__ CommContext* ctx_;
  __gm__ int32_t* words_;
  int32_t barriers_ = 0;
};

}  // namespace test_kernel
