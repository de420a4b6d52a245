// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The checked machine: cores with asynchronous pipes. It runs what kernels or listings issue, in an order a strategy
/// picks, and records a trace, from which the analysis finds what nothing orders.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "check/finding.hpp"
#include "check/memory_map.hpp"
#include "check/model.hpp"
#include "check/scheduler.hpp"

namespace tileput::check {

struct Trace;
class Machine;

/// What an effect does to memory in value. Null: nothing.
using Effect = std::function<void()>;

enum class CoreType : std::uint8_t { kVector, kCube, kMixed };

struct CoreSpec {
  int rank = 0;
  std::string name;  ///< for reports: "rank 0 core 1"
  CoreType type = CoreType::kVector;
};

/// One chunk of a transfer through a staging tile: MTE2 loads the tile, MTE3 stores it.
struct Chunk {
  std::vector<Access> load;
  std::vector<Access> store;
  Effect load_effect;
  Effect store_effect;
};

/// One core as its scalar unit sees it. Every function is called by the code the core runs, on that core's fiber, in
/// program order; those that must wait return when they need not any more.
class CheckedCore {
 public:
  CheckedCore(Machine& machine, int index, CoreSpec spec);
  ~CheckedCore();
  CheckedCore(const CheckedCore&) = delete;
  CheckedCore& operator=(const CheckedCore&) = delete;

  [[nodiscard]] int index() const noexcept { return index_; }
  [[nodiscard]] const CoreSpec& spec() const noexcept { return spec_; }
  struct State;

  /// One operation on a pipe. On kS it takes place at once, else when the pipe comes to it.
  void issue(const Source& source, Pipe pipe, std::vector<Access> accesses, Effect effect = {});
  /// A transfer through 1 or 2 staging tiles, chunk by chunk, with the events of TPUT and TGET inside.
  void stage(const Source& source, std::vector<Chunk> chunks, int tiles);
  /// A transfer of the asynchronous engine; handles of a session ascend.
  void transfer(const Source& source, std::uint64_t session, std::uint64_t handle, std::vector<Access> accesses,
                Effect effect = {});
  /// Returns when the transfer and all earlier ones of its session are complete.
  void await_transfer(const Source& source, std::uint64_t session, std::uint64_t handle);

  void set_flag(const Source& source, Pipe from, Pipe to, int event);
  void wait_flag(const Source& source, Pipe from, Pipe to, int event);
  void barrier(const Source& source, Pipe pipe);
  /// dsb
  void fence(const Source& source);
  /// dcci of the lines of `range`; of everything.
  void clean(const Source& source, const Range& range);
  void clean_all(const Source& source);

  void notify(const Source& source, Address word, SignalOp op, std::int32_t value);
  /// Returns when all words satisfy the comparison.
  void wait(const Source& source, std::vector<Address> words, Compare compare, std::int32_t value);
  bool test(const Source& source, std::vector<Address> words, Compare compare, std::int32_t value);

  /// Scalar accesses through the data cache.
  void load(const Source& source, const Range& range);
  void store(const Source& source, const Range& range);
  /// A plain clear: the int32 words of `range` become `value`, in memory at once, published by the next fence.
  void clear(const Source& source, const Range& range, std::int32_t value);
  /// A loop of plain loads that ends once `ended` holds; others' effects are what can make it hold.
  void poll(const Source& source, const Range& range, std::function<bool()> ended);
  /// The end of one task of this core and the start of the next.
  void boundary(const Source& source);
  /// The end of the core's code: waits for its pipes.
  void end(const Source& source);

  /// For an access outside `region` or to a peer's private memory. The instruction takes place without that part.
  void report_out_of_bounds(const Source& source, Pipe pipe, const std::string& region, std::string access);

 private:
  friend class Machine;
  [[nodiscard]] ReportedAccess access(const Source& source, Pipe pipe, std::string what) const;

  Machine& machine_;
  int index_;
  CoreSpec spec_;
  std::unique_ptr<State> state_;
};

struct MachineOptions {
  Model model = Model::kHardware;
  /// Pipes and the memory system are actors of their own, so that effects take place late. Else each effect takes place
  /// as soon as its pipe gets to it; what is found does not depend on it.
  bool delay_effects = false;
  std::uint64_t steps_max = 10'000'000;
  /// A wait is ordered after whatever satisfied it in the run at hand, so that a race may show in some schedules only.
  /// Tests compare what is found without it with all of what many schedules show with it.
  bool waits_follow_the_run = false;
};

struct RunResult {
  Scheduler::Outcome outcome{};
  Findings findings;
  std::uint64_t event_hash = 0;  ///< the same for the same choices, wherever memory lies
  std::uint64_t events = 0;
  std::uint64_t shadow_bytes = 0;
};

class Machine {
 public:
  /// From here on are addresses of what was retired, where no memory is.
  static constexpr Address kRetired = Address{1} << 63U;

  Machine(const MachineOptions& options, Strategy& strategy);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  [[nodiscard]] MemoryMap& memory() noexcept { return memory_; }
  [[nodiscard]] Scheduler& scheduler() noexcept { return scheduler_; }
  [[nodiscard]] const MachineOptions& options() const noexcept { return options_; }

  /// A core that exists from now on; its code calls its functions from any one fiber of scheduler().
  CheckedCore& add_core(CoreSpec spec);

  /// Code that occupies a core's place on its rank while it runs. With limit_places(rank, n, in_order) at most n run at
  /// a time, started in the order of the calls or in any.
  void spawn(CoreSpec spec, std::function<void(CheckedCore&)> body);
  void limit_places(int places, bool in_order);

  /// A point in what the machine has done.
  struct Moment {
    std::size_t regions = 0;
    std::size_t events = 0;
    std::size_t accesses = 0;
    std::size_t words = 0;
  };
  [[nodiscard]] Moment now() const noexcept;
  /// That memory, of which the first byte begins a line, was given back and may be given out again: from now on it is
  /// other memory, without regions, and of new contents. What has happened in it, all of it after `since`, keeps its
  /// regions, and has nothing to do with what will happen. Nobody waits there.
  void retire(const Range& memory, const Moment& since);

  /// Who would still notify a word, for reports of deadlocks: indices of cores. Without it reports name who notified it
  /// before.
  void set_future_notifiers(std::function<std::vector<int>(Address word)> of) { future_notifiers_ = std::move(of); }
  /// How a place reads in reports: "line 12", "kernel.cpp:88".
  void set_place_text(std::function<std::string(std::uint64_t place)> text) { place_text_ = std::move(text); }

  // For reports.
  [[nodiscard]] int core_count() const noexcept { return static_cast<int>(cores_.size()); }
  [[nodiscard]] const CheckedCore& core(int index) const noexcept { return *cores_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] const Region* region_at(Address address) const noexcept { return memory_.find(address); }
  [[nodiscard]] int memory_index(const Region& region) const noexcept { return memory_.index_of(region); }
  [[nodiscard]] std::string region_name(Address address) const;
  /// "data@1[0:8]": without "@1" for memory of `rank` itself.
  [[nodiscard]] std::string text_of(const Range& range, int rank) const;
  [[nodiscard]] std::string place_of(const Source& source) const;
  [[nodiscard]] ReportedAccess describe(int core, const Source& source, Pipe pipe, std::string what) const;

  /// Runs the scheduler to its end, then analyses the trace.
  RunResult run();
  /// Analyses what has happened so far.
  RunResult finish(Scheduler::Outcome outcome);

 private:
  friend class CheckedCore;
  friend class Analysis;
  /// A write to another rank's window on its way.
  struct Landing {
    int engine = -1;
    int core = 0;
    std::uint32_t op = 0;
    Effect effect;
  };
  void land_later(CheckedCore& core, std::uint32_t op, Effect effect);
  void land(int slot);
  void land_now(const CheckedCore& core, const std::function<bool(std::uint32_t op)>& which);
  void take_place(CheckedCore& core, int number);
  void note(Finding finding);
  [[nodiscard]] Finding describe_deadlock() const;
  [[nodiscard]] std::optional<ReportedAccess> waiting_side(const CheckedCore& core) const;
  [[nodiscard]] std::vector<int> expected_notifiers(const CheckedCore& core) const;

  MachineOptions options_;
  MemoryMap memory_;
  Scheduler scheduler_;
  std::unique_ptr<Trace> trace_;
  std::vector<std::unique_ptr<CheckedCore>> cores_;
  std::vector<Landing> landings_;
  std::vector<int> free_landings_;
  std::function<std::vector<int>(Address)> future_notifiers_;
  std::function<std::string(std::uint64_t)> place_text_;
  struct Places;
  std::unique_ptr<Places> places_;
  Address next_retired_ = kRetired;
};

}  // namespace tileput::check
