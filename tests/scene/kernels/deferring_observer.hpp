// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An observer under which data moves as late as the contract allows, and the chunks of a transfer backwards.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "pto/pto-inst.hpp"
#include "tileput/machine/instruction.hpp"

/// Keeps everything that has tiles or tensors back until pipe_barrier(PIPE_ALL), dsb, or (unless strict) TNOTIFY.
/// An asynchronous transfer is kept until it, or a later one of its session, is waited for; a Test of it answers false
/// once, after which it is done. What is let go runs in program order.
class DeferringObserver final : public tileput::machine::Observer {
 public:
  explicit DeferringObserver(bool strict) : strict_(strict) {}

  bool on_instruction(const tileput::machine::Instruction& instruction) override {
    using tileput::machine::Opcode;
    switch (instruction.opcode) {
      case Opcode::kTputAsync:
      case Opcode::kTgetAsync: transfers_.push_back(instruction); return true;
      case Opcode::kAsyncWait: complete(instruction.immediate[0]); break;
      case Opcode::kAsyncTest:
        if (complete(instruction.immediate[0])) {
          return false;
        }
        break;
      case Opcode::kPipeBarrier:
        if (instruction.immediate[0] == PIPE_ALL) {
          flush();
        }
        break;
      case Opcode::kDsb: flush(); break;
      case Opcode::kTnotify:
        if (!strict_) {
          flush();
        }
        break;
      case Opcode::kTwait:
      case Opcode::kTtest:
      case Opcode::kSetFlag:
      case Opcode::kWaitFlag:
      case Opcode::kDcci:
      case Opcode::kStDev:
      case Opcode::kLdDev: break;
      default: pending_.push_back(instruction); return true;
    }
    return instruction.run();
  }

  [[nodiscard]] std::size_t pending() const { return pending_.size() + transfers_.size(); }

 private:
  using Effects = std::vector<tileput::machine::Instruction>;

  static void run(const tileput::machine::Instruction& effect) {
    for (std::int64_t piece = effect.piece_count; piece-- > 0;) {
      effect.execute(effect, {piece, 1});
    }
  }

  void flush() {
    for (const tileput::machine::Instruction& effect : pending_) {
      run(effect);
    }
    pending_.clear();
  }

  /// Completes a transfer and every earlier one of its session; false if it was complete.
  bool complete(std::int64_t handle) {
    const auto last = std::find_if(transfers_.begin(), transfers_.end(),
                                   [&](const auto& transfer) { return transfer.immediate[0] == handle; });
    if (last == transfers_.end()) {
      return false;
    }
    const std::int64_t session = last->immediate[1];
    Effects rest;
    for (const tileput::machine::Instruction& transfer : transfers_) {
      if (transfer.immediate[1] == session && transfer.immediate[0] <= handle) {
        run(transfer);
      } else {
        rest.push_back(transfer);
      }
    }
    transfers_ = std::move(rest);
    return true;
  }

  bool strict_;
  Effects pending_;
  Effects transfers_;
};
