// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Does what a test of the worker needs; see the enumeration.
//
// Arguments: in [float], out [float], window [at least 64 words]; what, value, CommContext.

#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include <pto/pto-inst.hpp>

#include <ctime>
#include <stdexcept>

#include "../behaviour.hpp"
#include "kernel_support.hpp"

namespace {

float cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<float>(now.tv_sec) + static_cast<float>(now.tv_nsec) * 1e-9F;
}

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  namespace comm = pto::comm;
  using test_kernel::sleep_ms;
  __gm__ float* in = test_kernel::data_of<float>(args[0]);
  __gm__ float* out = test_kernel::data_of<float>(args[1]);
  __gm__ int32_t* window = test_kernel::data_of<int32_t>(args[2]);
  const auto count = reinterpret_cast<__gm__ ChipTensor*>(args[0])->shapes[0];
  const int64_t value = args[4];
  __gm__ CommContext* ctx = test_kernel::context_of(args[5]);
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);

  switch (static_cast<Behaviour>(args[3])) {
    case Behaviour::kExchange: {  // out = in + value + 1000 * (rank of the neighbour, through its window)
      comm::Signal to(test_kernel::remote(ctx, window + 1, (me + 1) % n));
      *test_kernel::remote(ctx, window, (me + 1) % n) = me;
      comm::TNOTIFY(to, 1, comm::NotifyOp::AtomicAdd);
      comm::Signal from(window + 1);
      comm::TWAIT(from, 1, comm::WaitCmp::GE);
      for (uint32_t i = 0; i < count; ++i) {
        out[i] = in[i] + static_cast<float>(value + 1000 * *window);
      }
      break;
    }
    case Behaviour::kAdd:
      for (uint32_t i = 0; i < count; ++i) {
        out[i] += in[i] + static_cast<float>(value);
      }
      break;
    case Behaviour::kSlowCopy:
      sleep_ms(value);
      for (uint32_t i = 0; i < count; ++i) {
        out[i] = in[i] + 1;
      }
      break;
    case Behaviour::kStartAndWait:
      __atomic_store_n(reinterpret_cast<int32_t*>(out), 1, __ATOMIC_RELEASE);
      [[fallthrough]];
    case Behaviour::kWaitForever: {
      comm::Signal word(window + 8);
      comm::TWAIT(word, static_cast<int32_t>(value), comm::WaitCmp::EQ);
      break;
    }
    case Behaviour::kThrow: throw std::runtime_error("kernel says no");
    case Behaviour::kThrowOther: throw 7;
    case Behaviour::kOverflow: {
      pto::Tile<pto::TileType::Vec, float, 64, 64> tile;
      TASSIGN(tile, 0x30000 - 64);
      break;
    }
    case Behaviour::kUnbound: {
      using Shape = pto::Shape<1, 1, 1, 1, 8>;
      using Stride = pto::Stride<1, 1, 1, 1, 1>;
      pto::Tile<pto::TileType::Vec, float, 1, 8> tile;
      pto::GlobalTensor<float, Shape, Stride> from(in);
      TLOAD(tile, from);
      break;
    }
    case Behaviour::kExit: _exit(static_cast<int>(value));
    case Behaviour::kKill:
      kill(getpid(), static_cast<int>(value));
      sleep_ms(60'000);
      break;
    case Behaviour::kFault: *reinterpret_cast<volatile int*>(ctx->windowsIn[me] + (1U << 20U)) = 1; break;
    case Behaviour::kLateNotify: {  // rank 0 sleeps before it notifies; the others report the processor time of waiting
      if (me == 0) {
        sleep_ms(value);
        for (int peer = 1; peer < n; ++peer) {
          comm::Signal to(test_kernel::remote(ctx, window + 1, peer));
          comm::TNOTIFY(to, 1, comm::NotifyOp::Set);
        }
      } else {
        const float before = cpu_seconds();
        comm::Signal from(window + 1);
        comm::TWAIT(from, 1, comm::WaitCmp::EQ);
        out[0] = cpu_seconds() - before;
      }
      break;
    }
    case Behaviour::kIdentify:
      out[0] = static_cast<float>(me);
      out[1] = static_cast<float>(n);
      break;
    case Behaviour::kAddress: out[0] = static_cast<float>(getpid()); break;
  }
}
