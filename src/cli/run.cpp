// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "cli/fault_report.hpp"
#include "tileput/error.hpp"
#include "tileput/schedules.hpp"

namespace tileput::cli {

namespace {

/// The objects of a plan, compiled where they are sources.
CallableSpec compile(const RunPlan& plan) {
  KernelCompiler compiler(plan.compiler);
  CallableSpec spec;
  for (const KernelFile& kernel : plan.kernels) {
    const ObjectKind kind = kernel.core == Core::kAiv ? ObjectKind::kVectorKernel : ObjectKind::kCubeKernel;
    spec.kernels.push_back({kernel.func_id, kernel.core, compiler.object_of(kernel.file, kind)});
  }
  if (plan.orchestration.empty()) {
    spec.orchestration = find_support_file("kernels/default_orchestration.so");
    spec.entry = plan.kernels.front().core == Core::kAiv ? "run_aiv" : "run_aic";
  } else {
    spec.orchestration = compiler.object_of(plan.orchestration, ObjectKind::kOrchestration);
    spec.entry = plan.entry;
  }
  return spec;
}

std::vector<std::vector<TensorLayout>> layouts_of(const RunPlan& plan) {
  std::vector<std::vector<TensorLayout>> layouts(static_cast<std::size_t>(plan.ranks));
  for (int rank = 0; rank < plan.ranks; ++rank) {
    for (const TensorSpec& spec : plan.tensors) {
      layouts[static_cast<std::size_t>(rank)].push_back(layout_of(spec, rank));
    }
  }
  return layouts;
}

/// The error with what else may be changed.
Error with_hint(const Error& error, const std::string& hint) {
  return Error(error.code(), error.detail(), error.hint() + "; " + hint);
}

Callable load(Worker& worker, const CallableSpec& spec, const RunPlan& plan) {
  try {
    return worker.load(spec);
  } catch (const Error& error) {
    const bool lacks_entry = error.code() == ErrorCode::kMissingSymbol && !plan.orchestration.empty() &&
                             error.detail().find(fmt::format("'{}'", plan.entry)) != std::string::npos;
    throw lacks_entry ? with_hint(error, "name the orchestration's function with --entry") : error;
  }
}

/// Whether a kernel or an orchestration that counts its arguments in another way may be the reason.
bool may_be_of_arguments(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTooFewArguments:
    case ErrorCode::kOutOfWindow:
    case ErrorCode::kShapeMismatch:
    case ErrorCode::kOrchestration:
    case ErrorCode::kKernel:
    case ErrorCode::kRankDied: return true;
    default: return false;
  }
}

/// Ranks, their tensors, and the kernels on them.
class Launch {
 public:
  /// Files are looked at, and sources compiled, before ranks are started.
  explicit Launch(const RunPlan& plan)
      : plan_(plan),
        layouts_(layouts_of(plan)),
        spec_(compile(plan)),
        worker_({.ranks = plan.ranks, .platform = plan.platform, .check = plan.check, .timeout = plan.timeout}),
        callable_(load(worker_, spec_, plan)) {
    for (const std::vector<TensorLayout>& of_rank : layouts_) {
      std::vector<SharedMemory>& memory = memory_.emplace_back();
      for (const TensorLayout& layout : of_rank) {
        memory.push_back(worker_.allocate_tensor(std::max<std::uint64_t>(layout.bytes, 1)));
      }
    }
  }

  [[nodiscard]] const Worker& worker() const noexcept { return worker_; }

  /// All calls, from fresh contents of every tensor and a zeroed window.
  SubmissionReport run() {
    try {
      return run_group();
    } catch (const Error& error) {
      throw may_be_of_arguments(error.code()) ? with_hint(error, plan_.arguments) : error;
    }
  }

  void print() const {
    for (std::size_t rank = 0; rank < memory_.size(); ++rank) {
      for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
        if (plan_.tensors[i].role != Role::kIn) {
          fmt::print("rank {}: {}\n", rank, summary(plan_.tensors[i], layouts_[rank][i], bytes_of(rank, i)));
        }
      }
    }
  }

  void save_all() const {
    for (const SaveFile& file : plan_.saves) {
      for (std::size_t rank = 0; rank < memory_.size(); ++rank) {
        save(file_of_rank(file.pattern, static_cast<int>(rank)), plan_.tensors[file.tensor],
             layouts_[rank][file.tensor], bytes_of(rank, file.tensor));
      }
    }
  }

  /// Of everything that kernels may have written.
  [[nodiscard]] std::string results_key() const {
    Hasher hasher;
    for (std::size_t rank = 0; rank < memory_.size(); ++rank) {
      for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
        const std::span<const std::byte> bytes = bytes_of(rank, i);
        hasher.add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      }
    }
    return hasher.digits();
  }

 private:
  SubmissionReport run_group() {
    for (std::size_t rank = 0; rank < memory_.size(); ++rank) {
      for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
        const SharedMemory& memory = memory_[rank][i];
        fill(plan_.tensors[i], layouts_[rank][i], {plan_.data_seed, i, rank}, {memory.data(), memory.bytes()});
      }
    }
    RunReport report = worker_.run([&](Orchestrator& o) {
      std::optional<Domain> domain;
      if (plan_.scratch_bytes) {
        domain = o.allocate_domain({.buffers = {{.name = "scratch", .bytes = *plan_.scratch_bytes}}});
      }
      std::vector<RankTask> group;
      group.reserve(static_cast<std::size_t>(plan_.ranks));
      for (int rank = 0; rank < plan_.ranks; ++rank) {
        group.push_back({rank, arguments(rank, domain)});
      }
      o.submit_group(callable_, group, {.calls = plan_.calls});
    });
    return std::move(report.submissions.front());
  }

  [[nodiscard]] std::span<const std::byte> bytes_of(std::size_t rank, std::size_t tensor) const {
    return {memory_[rank][tensor].data(), layouts_[rank][tensor].bytes};
  }

  [[nodiscard]] TaskArgs arguments(int rank, const std::optional<Domain>& domain) const {
    TaskArgs args;
    for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
      const auto r = static_cast<std::size_t>(rank);
      const TensorSpec& spec = plan_.tensors[i];
      const Tensor tensor(memory_[r][i].data(), spec.type, layouts_[r][i].shape);
      if (spec.role == Role::kIn) {
        args.add_input(tensor);
      } else if (spec.role == Role::kOut) {
        args.add_output(tensor);
      } else {
        args.add_inout(tensor);
      }
    }
    if (domain) {
      args.add_inout(domain->buffer("scratch"));
    }
    for (const Scalar& scalar : plan_.scalars) {
      switch (scalar.kind) {
        case Scalar::Kind::kRanks: args.add_scalar(plan_.ranks); break;
        case Scalar::Kind::kRank: args.add_scalar(rank); break;
        case Scalar::Kind::kContext: args.add_context(*domain); break;  // the plan has a window, too
        case Scalar::Kind::kValue: args.add_scalar(scalar.bits); break;
      }
    }
    return args;
  }

  const RunPlan& plan_;
  std::vector<std::vector<TensorLayout>> layouts_;  ///< by rank, then tensor
  CallableSpec spec_;
  Worker worker_;
  Callable callable_;
  std::vector<std::vector<SharedMemory>> memory_;  ///< by rank, then tensor
};

void print_line(const CheckReport& report) { fmt::print("{}\n", line_of(report)); }

/// One schedule after the other on the checked machine; prints and saves the results of the last complete one.
int run_checked(const RunPlan& plan) {
  Launch launch(plan);
  const FaultReport fault_report("check what is accessed there, and the number and order of the arguments; " +
                                 plan.arguments);
  std::optional<std::uint64_t> differs;  // the first seed whose results are not those of the first complete run
  std::optional<std::pair<std::uint64_t, std::string>> results;
  bool is_complete = false;
  const auto run_one = [&](std::uint64_t /*schedule*/) {
    is_complete = false;
    launch.run();
    is_complete = true;
    const std::uint64_t seed = launch.worker().last_check().seed;
    const std::string key = launch.results_key();
    if (!results) {
      results = {seed, key};
    } else if (!differs && results->second != key) {
      differs = seed;
    }
  };
  const CheckSummary summary = run_schedules(
      launch.worker(), {plan.schedules, plan.until_fail, plan.compiler.is_verbose ? print_line : nullptr}, run_one);
  if (is_complete) {
    launch.print();
    launch.save_all();
  } else {
    fmt::print("no results: the last schedule did not come to its end\n");
  }
  fmt::print("{}", summary.text());
  if (differs) {
    fmt::print("the results of seed {} are not those of seed {}\n", *differs, results->first);
  }
  if (const std::optional<std::uint64_t> failing = summary.first_failing_seed()) {
    fmt::print("to see it again: {}\n", replay_command(plan.words, *failing));
  }
  return static_cast<int>(summary.first_failing_seed() ? ExitCode::kFinding : ExitCode::kOk);
}

}  // namespace

int run_plan(const RunPlan& plan) {
  if (plan.platform == Platform::kCheck) {
    return run_checked(plan);
  }
  Launch launch(plan);
  const SubmissionReport report = launch.run();
  launch.print();
  launch.save_all();
  for (const RankReport& rank : report.ranks) {
    if (rank.tasks == 0) {
      fmt::print("rank {}: the orchestration submitted no task\n", rank.rank);
    }
  }
  if (plan.calls > 1) {
    std::chrono::nanoseconds slowest{0};
    for (const RankReport& rank : report.ranks) {
      slowest = std::max(slowest, rank.median);
    }
    fmt::print("{} calls, median {:.2f} us\n", plan.calls, static_cast<double>(slowest.count()) / 1000);
  }
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace tileput::cli
