// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An observer under which data moves as late as the contract allows, and the chunks of a transfer backwards.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pto/pto-inst.hpp"
#include "tileput/machine/instruction.hpp"

/// Keeps TLOAD, TSTORE, TPUT and TGET back until pipe_barrier(PIPE_ALL), dsb, or (unless strict) TNOTIFY.
class DeferringObserver final : public tileput::machine::Observer {
 public:
  explicit DeferringObserver(bool strict) : strict_(strict) {}

  bool on_instruction(const tileput::machine::Instruction& instruction) override {
    using tileput::machine::Opcode;
    switch (instruction.opcode) {
      case Opcode::kTload:
      case Opcode::kTstore:
      case Opcode::kTput:
      case Opcode::kTget: pending_.push_back(instruction); return true;
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
      default: break;
    }
    return instruction.run();
  }

  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

 private:
  void flush() {
    for (const tileput::machine::Instruction& effect : pending_) {
      for (std::int64_t piece = effect.piece_count; piece-- > 0;) {
        effect.execute(effect, {piece, 1});
      }
    }
    pending_.clear();
  }

  bool strict_;
  std::vector<tileput::machine::Instruction> pending_;
};
