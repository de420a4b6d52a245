// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/logger.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "domain/domain.hpp"
#include "domain/heaps.hpp"
#include "domain/ranges.hpp"
#include "orchestration/block_team.hpp"
#include "orchestration/checked_platform.hpp"
#include "orchestration/job_description.hpp"
#include "orchestration/protocol.hpp"
#include "orchestration/task_context.hpp"
#include "rank/channel.hpp"
#include "rank/control.hpp"

class ChipTaskArgs;

namespace tileput::orchestration {

/// One rank: answers the worker's requests, one after the other, on the thread that calls serve(). The same for a
/// rank process, for a rank that is a thread of the worker, and for one on the checked machine. While it has no request
/// it watches the counters of tasks whose kernels have returned and that are not complete.
class RankRuntime {
 public:
  /// `shared_objects`: other ranks live in this process, so objects are loaded from private copies. `checked`: the
  /// machine that this rank runs on, and with it its local channel; null: the CPU.
  RankRuntime(rank::Channel channel, const rank::Control& control, domain::Heaps& heaps, const Hello& hello,
              bool shared_objects, CheckedPlatform* checked = nullptr);
  ~RankRuntime();
  RankRuntime(const RankRuntime&) = delete;
  RankRuntime& operator=(const RankRuntime&) = delete;

  /// Answers the Hello that started a rank process.
  void greet(std::uint64_t id);
  /// Returns when the worker asks for it or is gone.
  void serve();
  /// Tells the worker that nobody serves any more.
  void leave() noexcept { channel_.close(); }

 private:
  /// A task that was answered as deferred.
  struct Deferred {
    std::uint64_t id = 0;
    std::vector<CompletionCondition> conditions;
    std::size_t met = 0;  ///< of `conditions`, from the front
  };

  std::optional<rank::Message> receive();
  /// Until there is a message, or a counter has risen far enough.
  void watch_counters();
  /// Goes past what has risen, and answers for the tasks that are complete.
  void settle_deferred();
  void answer_completion(std::uint64_t id);
  void defer(std::uint64_t id, std::vector<CompletionCondition> conditions);
  void answer_request(const std::vector<std::byte>& request);
  /// The conditions: as run().
  void handle(RequestKind kind, base::Reader& in, base::Writer& out, std::vector<CompletionCondition>& conditions);

  std::uint64_t reserve(const ReserveRequest& request);
  void attach(const AttachRequest& request);
  void free_window(std::uint64_t domain);
  std::vector<LoadedObject> load(const LoadRequest& request);
  /// The conditions: what the completion of the task still waits for.
  RunAnswer run(const RunRequest& request, std::vector<CompletionCondition>& conditions);
  void wait_for_debugger();

  /// Makes the calls of a task, and waits after each but the last for what it deferred. Answers what the completion of
  /// the last still waits for.
  std::vector<CompletionCondition> call_entry(const RunRequest& request, const ChipTaskArgs& args, TaskContext& task,
                                              RunAnswer& answer);
  /// Notes in the slot whose notifies the logs hold from now on.
  void begin_run(std::uint64_t run);

  const domain::Domain& domain_of(std::uint64_t id) const;
  void open_shared(const WireTensor& tensor);

  rank::Channel channel_;
  domain::Heaps& heaps_;
  int rank_;
  int ranks_;
  bool shared_objects_;
  CheckedPlatform* checked_;
  bool waits_for_debugger_;
  spdlog::logger log_;
  rank::RankSlot& slot_;
  const rank::Control& control_;
  BlockTeam team_;
  domain::Ranges ranges_;
  std::map<std::uint64_t, std::uint64_t> windows_;                    // domain -> offset in the own heap
  std::map<std::uint64_t, std::unique_ptr<domain::Domain>> domains_;  // attached
  std::map<std::uint64_t, std::uint64_t> shared_;                     // opened ranges of the worker's heap
  std::map<std::uint64_t, LoadedCallable> callables_;
  std::vector<Deferred> deferred_;  // in the order of their returns; on the checked machine each has a fiber instead
};

}  // namespace tileput::orchestration
