// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Ranks on the checked machine: each is a fiber of the worker's thread, and a seed decides who goes on.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/source_line.hpp"
#include "check/explore.hpp"
#include "check/kernel_observer.hpp"
#include "check/machine.hpp"
#include "orchestration/job_description.hpp"
#include "orchestration/pending_tasks.hpp"
#include "rank/executor.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/core.hpp"
#include "tileput/worker.hpp"

namespace tileput::orchestration {

/// The machine of one run after the other, and what it is told about the job. Cores of the machine are made by the
/// first kernel of a run that needs them, one for each block and kind of kernel.
///
/// What orders tasks is not in the kernels: the worker, which sends a task after it has the answers to those that it
/// comes after and to all that were complete when it was submitted, and a rank, which runs its tasks one after the
/// other. The machine learns it from signal words that no kernel knows: a core adds to its own at the end of each task,
/// and a core that begins a task waits for those of all that came before.
class CheckedPlatform final : public rank::Executor {
  class Lane;
  /// That many tasks of a lane have ended.
  using Ended = std::pair<Lane*, std::int32_t>;

 public:
  /// What something comes after.
  using Order = std::vector<Ended>;

  explicit CheckedPlatform(const CheckOptions& options);
  ~CheckedPlatform() override;

  // By the worker, outside all fibers.

  /// Ends everything that runs on the machine, and takes a new one for the next run, or the same run again.
  void restart(bool is_next_run);
  /// Ends everything that runs on the machine. Nothing can be done with it before restart().
  void stop() noexcept;
  /// Runs whoever can go on until nobody can. Throws Error kNoProgress after CheckOptions::steps_max steps.
  void advance();
  /// Nobody can go on, although somebody should: throws what a block that failed threw, else kNoProgress with the
  /// reason.
  [[noreturn]] void fail_stuck();
  /// What was found in this run. The first call analyses it; it lasts until restart().
  const CheckReport& finish();
  /// Memory that is used for one thing after the other in a run: taken before anything in it is described, and given
  /// back when the tasks that name it are complete. Findings of what it was used for keep that name.
  void take_memory(const void* begin, std::uint64_t bytes);
  /// Also without take_memory(), which is nothing to it.
  void give_back_memory(const void* begin);
  /// Domains by number of their appearance; `described.windows` and `ranks` as RankPool has them. Takes the windows.
  void describe_domain(const JobDescription::Domain& described, std::uintptr_t heap_base, std::uint32_t heap_shift);
  /// Host memory that is argument `index` of a task of `rank`.
  void describe_tensor(int rank, std::size_t index, std::uintptr_t address, std::uint64_t bytes,
                       std::size_t element_bytes);
  /// All that was answered; by one rank.
  [[nodiscard]] Order answered() const;
  [[nodiscard]] Order answered_by(int rank) const;
  /// A task was sent to `rank`.
  void note_sent(int rank, Order before);

  // By ranks.

  void wait_until(std::function<bool()> condition) override;
  void spawn(std::function<void()> body) override;
  /// Whether everything that runs on the machine is being ended.
  [[nodiscard]] bool ends() const noexcept { return ends_; }
  /// A block of a task has failed: others of the task may now wait for it for ever.
  void note_failure(const Error& error);
  /// Program counters of an object's code are named by file and line from now on, and are the same for each rank.
  void add_object(const LoadedObject& object);
  /// The rank begins the task that was sent first of those it has not begun; ends it, before it is answered.
  void begin_task(int rank);
  void end_task(int rank);
  /// Before the blocks of a kernel.
  void begin_kernel(int rank);
  /// Runs `kernel` as one block.
  void run_kernel(int rank, bool is_cube, machine::Core& core, const std::function<void()>& kernel);
  /// The rank waits for a counter of a deferred task, as unsigned number.
  void await_counter(int rank, machine::Core& core, const CompletionCondition& condition);
  /// Returns at once; calls `complete` when all these have risen, which whoever is sent a task then comes after.
  void watch_counters(int rank, machine::Core& core, std::vector<CompletionCondition> conditions,
                      std::function<void()> complete);
  /// Memory for a runtime-allocated output, a region of that name. Whoever needs the same again gets it once nobody
  /// holds it; no other rank does, since nothing orders what two ranks do with one address.
  std::shared_ptr<std::byte> take_output(int rank, const std::string& name, std::uint64_t bytes,
                                         std::uint32_t element_bytes);
  /// The orchestration's own access to `bytes` at `address`, which `access` makes: a task between the others.
  void access_from_host(int rank, machine::Core& core, std::uintptr_t address, std::uint64_t bytes, bool writes,
                        const void* site, const std::function<void()>& access);

 private:
  struct Rank {
    std::deque<Order> sent;  ///< for each task sent and not begun: what came before
    Order before_task;
    Order before_kernel;
    std::map<std::pair<int, bool>, std::unique_ptr<Lane>> lanes;  ///< by block, and whether it runs cube kernels
    std::vector<std::unique_ptr<Lane>> completions;  ///< cores that wait for the counters of deferred tasks
    std::vector<Lane*> free_completions;
  };
  struct Output {
    int rank = 0;
    std::string name;
    std::uint64_t bytes = 0;
    std::uint32_t element_bytes = 0;
    std::shared_ptr<std::byte> memory;
  };
  struct Object {
    std::uint64_t begin = 0;
    std::uint64_t file = 0;  ///< index in files_
  };

  Rank& at(int rank);
  Lane& lane_of(int rank, bool is_cube, machine::Core& core);
  Lane& completion_lane(int rank, machine::Core& core);
  void await(Lane& lane, const CompletionCondition& condition);
  void wait_for(Lane& lane, const Order& before);
  void add_region(const check::Region& region);
  [[nodiscard]] std::uint64_t place_of(const void* site) const noexcept;
  std::string text_of(std::uint64_t place);
  void analyse(check::Scheduler::Outcome outcome);

  CheckOptions options_;
  std::uint64_t seed_;
  bool is_first_run_ = true;
  bool is_finished_ = false;
  bool ends_ = false;  ///< the fibers are being unwound
  CheckReport report_;
  std::optional<Error> failure_;  ///< the first of a block among several
  int domains_ = 0;

  std::vector<std::string> files_;
  std::map<std::uint64_t, Object> objects_;  ///< by end
  base::SourceLines lines_;
  std::map<std::uint64_t, std::string> texts_;

  struct Taken {
    std::uint64_t bytes = 0;
    check::Machine::Moment since;
  };
  std::map<check::Address, Taken> taken_;  ///< by begin
  std::vector<Output> outputs_;            ///< of this run

  std::unique_ptr<check::Explorer> explorer_;
  std::map<int, Rank> ranks_;  ///< outlives the machine, which refers to words of its lanes
  std::unique_ptr<check::Machine> machine_;
};

}  // namespace tileput::orchestration
