// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Kernels on the checked machine: what each instruction of a kernel is on it. docs/checker.md has the table.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "check/machine.hpp"
#include "check/model.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/machine/instruction.hpp"

namespace tileput::check {

/// Adds the on-chip memories of a core, by the names of their locations: "Vec", "Mat", "Left", "Right", "Acc".
void add_on_chip_regions(MemoryMap& memory, const machine::Core& core, int rank);

/// Hands the instructions of one kernel core to a core of the checked machine.
///
/// Threads:    on_instruction() is called on the fiber of that core, which has set machine::tileput_current_core; each
///             fiber has its own. Effects run wherever the machine runs them.
/// Effects:    in value they are those of the native instruction. A copy through a staging tile reads its source when a
///             chunk is loaded, and its target gets those bytes when the chunk is stored; the tile keeps its bytes, as
///             natively. TSTORE reads its tile and writes its tensor apart as well.
/// Errors:     kBadArgument for an operand of more than kRunsMax runs, and for a pipe that is none. An instruction of
///             which a part is in no region of the machine's memory map, or in private memory of another rank, is
///             reported as OOB and does not take place in value; its other accesses do in the trace. Cores that have a
///             machine::KnownMemory get its kOutOfWindow before that.
class KernelObserver final : public machine::Observer {
 public:
  /// `kernel_core` is the core whose on-chip memory the kernel's tiles lie in. All three outlive this.
  KernelObserver(Machine& machine, CheckedCore& core, const machine::Core& kernel_core);

  bool on_instruction(const machine::Instruction& instruction) override;

 private:
  using Instruction = machine::Instruction;

  void load_tile(const Instruction& instruction);
  void store_tile(const Instruction& instruction);
  void copy_in_chunks(const Instruction& instruction);
  void start_transfer(const Instruction& instruction);
  void await_transfer(const Instruction& instruction);
  void compute(const Instruction& instruction);
  void multiply(const Instruction& instruction);
  void move_tile(const Instruction& instruction);
  void notify(const Instruction& instruction);
  bool look_at_signals(const Instruction& instruction);
  void access_word(const Instruction& instruction);
  void control(const Instruction& instruction);

  /// Reports what of global memory this core cannot access, and takes it out. True if that is nothing.
  bool admit(const Source& source, Pipe pipe, std::vector<Access>& accesses);
  bool admit_part(const Source& source, Pipe pipe, const Access& access, std::vector<Access>& admitted);
  [[nodiscard]] bool is_on_chip(const Range& range) const noexcept;
  /// Issues an instruction whose effect is the native one of the record.
  void issue(const Instruction& instruction, Pipe pipe, std::vector<Access> accesses);
  /// The native effect of a copy of the record; conditions are asked again after it.
  [[nodiscard]] Effect effect_of(const Instruction& instruction) const;

  Machine& machine_;
  CheckedCore& core_;
  const machine::Core& kernel_core_;
  std::map<std::uint64_t, std::uint64_t> sessions_;           ///< numbers by address, in order of appearance
  std::map<std::uint64_t, std::uint64_t> session_of_handle_;  ///< of every transfer so far
};

}  // namespace tileput::check
