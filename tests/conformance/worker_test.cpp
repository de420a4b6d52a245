// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a worker does when nothing goes wrong, and what it refuses before anything starts.

#include <dirent.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <vector>

#include "conformance/behaviour.hpp"
#include "conformance/support.hpp"

namespace tileput::test {
namespace {

using Floats = std::vector<float>;

class WorkerContract : public testing::TestWithParam<RanksAs> {
 protected:
  static WorkerOptions options(int ranks) { return options_of(ranks, GetParam()); }
};

/// Arguments of behaviour_kernel: in and out, the domain's window, what to do.
TaskArgs behave(Behaviour what, std::int64_t value, const Domain& domain, const Tensor& in, const Tensor& out) {
  TaskArgs args;
  args.add_input(in).add_inout(out).add_inout(domain.buffer("window"));
  args.add_scalar(what).add_scalar(value).add_context(domain);
  return args;
}

const std::vector<BufferSpec> kWindow{{.name = "window", .bytes = 4096}};

/// Processes whose parent this process is.
std::set<int> children() {
  std::set<int> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (int pid = 0; file >> pid;) {
      found.insert(pid);
    }
  }
  return found;
}

std::set<std::string> names_in(const char* directory) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().filename().string().find("tileput") != std::string::npos) {
      names.insert(entry.path().string());
    }
  }
  return names;
}

TEST_P(WorkerContract, EveryRankCountStartsRunsAndEnds) {
  const std::vector<int> counts = kSanitized ? std::vector<int>{1, 2, 7, 16} : std::vector<int>{1, 2, 5, 8, 17, 33, 64};
  for (const int ranks : counts) {
    SCOPED_TRACE(ranks);
    Worker worker(options(ranks));
    EXPECT_EQ(worker.ranks(), ranks);
    const Callable callable = worker.load(callable_spec("trivial_kernel"));
    std::vector<std::int32_t> out(static_cast<std::size_t>(ranks), -1);
    worker.run([&](Orchestrator& o) {
      std::vector<RankTask> group;
      for (int rank = 0; rank < ranks; ++rank) {
        TaskArgs args;
        args.add_output(Tensor::of(std::span<std::int32_t>(&out[static_cast<std::size_t>(rank)], 1)))
            .add_scalar(rank * 3);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group);
    });
    for (int rank = 0; rank < ranks; ++rank) {
      EXPECT_EQ(out[static_cast<std::size_t>(rank)], rank * 3);
    }
  }
}

TEST(WorkerProcesses, EveryCountFrom1To64StartsAndEnds) {
  for (int ranks = 1; ranks <= kRanksMax; ranks += kSanitized ? 21 : 1) {
    const Worker worker(options_of(ranks, RanksAs::kProcess));
    std::set<std::int64_t> processes;
    for (const RankInfo& info : worker.rank_infos()) {
      processes.insert(info.process_id);
    }
    EXPECT_EQ(processes.size(), static_cast<std::size_t>(ranks));
  }
  EXPECT_TRUE(children().empty());
}

TEST_P(WorkerContract, OtherRankCountsAreRefused) {
  for (const int ranks : {0, -1, 65, 1'000'000}) {
    expect_error(ErrorCode::kBadArgument, {std::to_string(ranks), "64"}, [&] { Worker worker(options(ranks)); });
  }
}

TEST_P(WorkerContract, DevicesAreLabelsOnePerRank) {
  WorkerOptions good = options(3);
  good.devices = {5, 0, 7};
  const Worker worker(good);
  const std::vector<RankInfo> infos = worker.rank_infos();
  ASSERT_EQ(infos.size(), 3U);
  EXPECT_EQ(infos[0].device, 5);
  EXPECT_EQ(infos[1].device, 0);
  EXPECT_EQ(infos[2].device, 7);
  EXPECT_EQ(infos[2].rank, 2);
  for (const std::vector<int>& devices :
       {std::vector<int>{1, 2}, std::vector<int>{1, 2, 2}, std::vector<int>{0, -1, 2}, std::vector<int>{0, 1, 2, 3}}) {
    WorkerOptions bad = options(3);
    bad.devices = devices;
    expect_error(ErrorCode::kBadArgument, {"3 ranks"}, [&] { Worker refused(bad); });
  }
}

TEST_P(WorkerContract, TensorsAreCopiedInAndOut) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  const Floats shared_in{1, 2, 3, 4, 5};  // const, and of both members
  std::vector<Floats> out(2, Floats(5, -1));
  Floats inout{10, 20, 30, 40, 50};
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    std::vector<RankTask> group;
    for (int rank = 0; rank < 2; ++rank) {
      TaskArgs args;
      args.add_input(Tensor::of(shared_in)).add_output(Tensor::of(out[static_cast<std::size_t>(rank)]));
      args.add_inout(domain.buffer("window")).add_scalar(Behaviour::kExchange).add_scalar(100).add_context(domain);
      group.push_back({rank, args});
    }
    o.submit_group(callable, group);
    o.submit(callable, 0, behave(Behaviour::kAdd, 1, domain, Tensor::of(shared_in), Tensor::of(inout)));
  });
  EXPECT_EQ(out[0], (Floats{1101, 1102, 1103, 1104, 1105}));
  EXPECT_EQ(out[1], (Floats{101, 102, 103, 104, 105}));
  EXPECT_EQ(inout, (Floats{12, 23, 34, 45, 56}));
}

TEST_P(WorkerContract, ConstTensorsAreOnlyInputs) {
  const Floats constant(3);
  TaskArgs args;
  args.add_input(Tensor::of(constant));
  expect_error(ErrorCode::kBadArgument, {}, [&] { args.add_output(Tensor::of(constant)); });
  expect_error(ErrorCode::kBadArgument, {}, [&] { args.add_inout(Tensor::of(constant)); });
}

TEST_P(WorkerContract, EmptyTensorsAreAllowed) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats none;
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    o.submit(callable, 1, behave(Behaviour::kAdd, 1, domain, Tensor::of(none), Tensor::of(none)));
  });
}

TEST_P(WorkerContract, SharedMemoryIsUsedInPlace) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  SharedMemory in = worker.allocate_tensor(4 * sizeof(float));
  SharedMemory out = worker.allocate_tensor(4 * sizeof(float));
  EXPECT_TRUE(std::all_of(out.data(), out.data() + out.bytes(), [](std::byte b) { return b == std::byte{0}; }));
  std::iota(in.as<float>().begin(), in.as<float>().end(), 1.0F);
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    // As an input only: were it copied, the kernel's writes would be lost.
    TaskArgs args;
    args.add_input(Tensor::of(in.as<float>())).add_input(Tensor::of(out.as<float>()));
    args.add_inout(domain.buffer("window")).add_scalar(Behaviour::kAdd).add_scalar(5).add_context(domain);
    o.submit(callable, 1, args);
  });
  EXPECT_EQ(Floats(out.as<float>().begin(), out.as<float>().end()), (Floats{6, 7, 8, 9}));
  const SharedMemory fresh = std::move(out);
  in = worker.allocate_tensor(1U << 20U);  // frees the old one
  EXPECT_EQ(fresh.as<float>()[3], 9);
  EXPECT_EQ(in.as<float>()[1000], 0);
}

TEST_P(WorkerContract, PartOfSharedMemoryIsATensor) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  const SharedMemory memory = worker.allocate_tensor(3000 * sizeof(float));
  const auto words = memory.as<float>();
  words[2001] = 4;
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    o.submit(callable, 1,
             behave(Behaviour::kAdd, 5, domain, Tensor::of(words.subspan(2000, 2)), Tensor::of(words.subspan(7, 2))));
  });
  EXPECT_EQ(words[7], 5);
  EXPECT_EQ(words[8], 9);
  EXPECT_EQ(words[6] + words[9], 0);
}

TEST_P(WorkerContract, SharedMemoryMayOutliveItsWorker) {
  std::optional<SharedMemory> memory;
  {
    Worker worker(options(1));
    memory = worker.allocate_tensor(100);
  }
  memory.reset();
}

TEST_P(WorkerContract, SubmissionsThatNameTheSameMemoryAreOrdered) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats a{1, 2};
  Floats b(2, 0);
  Floats c(2, 0);
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    // b = a + 1 slowly on rank 0, c = b + 1 on rank 1, a = c + 1 on rank 0: read after write, write after read.
    o.submit(callable, 0, behave(Behaviour::kSlowCopy, 200, domain, Tensor::of(a), Tensor::of(b)));
    o.submit(callable, 1, behave(Behaviour::kSlowCopy, 0, domain, Tensor::of(b), Tensor::of(c)));
    o.submit(callable, 0, behave(Behaviour::kSlowCopy, 0, domain, Tensor::of(c), Tensor::of(a)));
  });
  EXPECT_EQ(b, (Floats{2, 3}));
  EXPECT_EQ(c, (Floats{3, 4}));
  EXPECT_EQ(a, (Floats{4, 5}));
}

TEST_P(WorkerContract, CallsOfOneTaskRunBackToBackAndAreReported) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats in{1};
  Floats out{0};
  const RunReport report = worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    o.submit(callable, 1, behave(Behaviour::kAdd, 0, domain, Tensor::of(in), Tensor::of(out)), {.calls = 5});
  });
  EXPECT_EQ(out[0], 5);
  ASSERT_EQ(report.submissions.size(), 1U);
  ASSERT_EQ(report.submissions[0].ranks.size(), 1U);
  const RankReport& rank = report.submissions[0].ranks[0];
  EXPECT_EQ(rank.rank, 1);
  EXPECT_EQ(rank.calls, 5U);
  EXPECT_LE(rank.min, rank.median);
  EXPECT_LE(rank.median, rank.max);
}

TEST_P(WorkerContract, ObserverCountsWhatAKernelDoes) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats in{1};
  std::vector<Floats> out(2, Floats(1));
  const RunReport report = run_on_all(worker, callable, kWindow,
                                      [&](int rank, const Domain& domain, TaskArgs& args) {
                                        args = behave(Behaviour::kExchange, 0, domain, Tensor::of(in),
                                                      Tensor::of(out[static_cast<std::size_t>(rank)]));
                                      },
                                      {.observe = true});
  for (const RankReport& rank : report.submissions.at(0).ranks) {
    EXPECT_EQ(rank.notifies, 1U);
    EXPECT_EQ(rank.barriers, 1U);
    EXPECT_EQ(rank.puts, 0U);
    EXPECT_TRUE(rank.phases.empty());
  }
}

TEST_P(WorkerContract, DomainsOverSubsetsHaveRankIdsOfTheirOwn) {
  Worker worker(options(4));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats in{0};
  const std::vector<std::vector<int>> subsets{{2, 0}, {3, 1, 2}};
  std::vector<std::vector<Floats>> out;
  for (const auto& subset : subsets) {
    out.emplace_back(subset.size(), Floats(2, -1));
  }
  worker.run([&](Orchestrator& o) {
    for (std::size_t s = 0; s < subsets.size(); ++s) {
      const Domain domain = o.allocate_domain({.ranks = subsets[s], .buffers = kWindow});
      EXPECT_EQ(domain.size(), static_cast<int>(subsets[s].size()));
      EXPECT_EQ(domain.ranks(), subsets[s]);
      std::vector<RankTask> group;
      for (std::size_t i = 0; i < subsets[s].size(); ++i) {
        group.push_back(
            {subsets[s][i], behave(Behaviour::kIdentify, 0, domain, Tensor::of(in), Tensor::of(out[s][i]))});
      }
      o.submit_group(callable, group);
    }
  });
  for (std::size_t s = 0; s < subsets.size(); ++s) {
    for (std::size_t i = 0; i < subsets[s].size(); ++i) {
      EXPECT_EQ(out[s][i], (Floats{static_cast<float>(i), static_cast<float>(subsets[s].size())}));
    }
  }
}

TEST_P(WorkerContract, DomainErrorsNameTheValuesAndAllocateNothing) {
  Worker worker(options(2));
  const auto refused = [&](const DomainOptions& domain, const std::vector<std::string>& parts) {
    expect_error(ErrorCode::kBadArgument, parts,
                 [&] { worker.run([&](Orchestrator& o) { o.allocate_domain(domain); }); });
  };
  refused({.ranks = {0, 2}, .buffers = kWindow}, {"rank 2"});
  refused({.ranks = {-1}, .buffers = kWindow}, {"rank -1"});
  refused({.ranks = {1, 1}, .buffers = kWindow}, {"rank 1 twice"});
  refused({.buffers = {{.name = "x", .bytes = 8}, {.name = "x", .bytes = 8}}}, {"'x'"});
  refused({.buffers = {{.name = "", .bytes = 8}}}, {"name"});
  refused({.buffers = {{.name = "x", .bytes = 800}}, .window_bytes = 799}, {"799", "800"});
  refused({.buffers = {{.name = "x", .bytes = 8, .elements = 3}}}, {"3 elements", "8 bytes"});
  refused({}, {"0 bytes"});
  refused({.buffers = {{.name = "x", .bytes = ~0ULL}}}, {"'x'"});
  worker.run([](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = {{.name = "x", .bytes = 8}}, .window_bytes = 8});
    expect_error(ErrorCode::kBadArgument, {"'y'", "x"}, [&] { (void)domain.buffer("y"); });
  });
}

TEST_P(WorkerContract, DomainOverTheMemoryLimitIsRefusedWithBothNumbers) {
  constexpr std::uint64_t kLimit = 8U << 20U;
  WorkerOptions limited = options(2);
  limited.memory_limit_bytes = kLimit;
  Worker worker(limited);
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats in{1};
  Floats out{0};
  for (int round = 0; round < 3; ++round) {
    expect_error(
        ErrorCode::kOutOfMemory, {std::to_string(2 * (5U << 20U)), round == 0 ? "8 MiB" : "MiB that may be used"}, [&] {
          worker.run([](Orchestrator& o) { o.allocate_domain({.buffers = {{.name = "window", .bytes = 5U << 20U}}}); });
        });
    // Nothing of it is left: what just fits, fits.
    worker.run([&](Orchestrator& o) {
      const Domain domain = o.allocate_domain({.buffers = {{.name = "window", .bytes = 3U << 20U}}});
      o.submit(callable, 1, behave(Behaviour::kAdd, 1, domain, Tensor::of(in), Tensor::of(out)));
    });
  }
  EXPECT_EQ(out[0], 6);
  expect_error(ErrorCode::kOutOfMemory, {std::to_string(9U << 20U)}, [&] { (void)worker.allocate_tensor(9U << 20U); });
  const SharedMemory fits = worker.allocate_tensor(7U << 20U);
  expect_error(ErrorCode::kOutOfMemory, {}, [&] {
    worker.run([](Orchestrator& o) { o.allocate_domain({.buffers = {{.name = "window", .bytes = 1U << 20U}}}); });
  });
}

TEST_P(WorkerContract, TwoDomainsCountTogetherAgainstTheLimit) {
  WorkerOptions limited = options(2);
  limited.memory_limit_bytes = 8U << 20U;
  Worker worker(limited);
  worker.run([](Orchestrator& o) {
    const DomainOptions domain{.buffers = {{.name = "window", .bytes = 2U << 20U}}};
    o.allocate_domain(domain);
    o.allocate_domain({.ranks = {1}, .buffers = domain.buffers});
    expect_error(ErrorCode::kOutOfMemory, {}, [&] { o.allocate_domain(domain); });
    o.allocate_domain({.ranks = {0}, .buffers = domain.buffers});
  });
}

TEST_P(WorkerContract, WindowLargerThanTheHeapIsRefusedAndTheNextRunIsRight) {
  WorkerOptions small = options(2);
  small.heap_bytes = 1U << 20U;
  Worker worker(small);
  expect_error(ErrorCode::kOutOfMemory, {"1 MiB"}, [&] {
    worker.run([](Orchestrator& o) { o.allocate_domain({.buffers = {{.name = "window", .bytes = 2U << 20U}}}); });
  });
  worker.run([](Orchestrator& o) { o.allocate_domain({.buffers = {{.name = "window", .bytes = 900'000}}}); });
}

TEST_P(WorkerContract, SubmissionErrorsAreFoundBeforeAnythingIsSent) {
  Worker worker(options(2));
  Worker other(options(1));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  other.load(callable_spec("trivial_kernel"));
  const Callable foreign = other.load(callable_spec("trivial_kernel"));
  Floats in{1};
  Floats out{0};
  std::optional<Domain> ended;
  worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.ranks = {0}, .buffers = kWindow});
    ended = domain;
    const TaskArgs args = behave(Behaviour::kAdd, 1, domain, Tensor::of(in), Tensor::of(out));
    const auto refused = [&](const std::vector<std::string>& parts, const auto& submit) {
      expect_error(ErrorCode::kBadArgument, parts, submit);
    };
    refused({"is not of this worker"}, [&] { o.submit(foreign, 0, args); });
    refused({"rank 2"}, [&] { o.submit(callable, 2, TaskArgs()); });
    refused({"rank 0 twice"}, [&] { o.submit_group(callable, {{0, args}, {0, args}}); });
    refused({"0 members"}, [&] { o.submit_group(callable, {}); });
    refused({"0 calls"}, [&] { o.submit(callable, 0, args, {.calls = 0}); });
    refused({"rank 1", "no member"}, [&] { o.submit(callable, 1, args); });
    TaskArgs many;
    for (int i = 0; i < 129; ++i) {
      many.add_scalar(i);
    }
    refused({"129 scalars"}, [&] { o.submit(callable, 0, many); });
    o.submit(callable, 0, args);
  });
  EXPECT_EQ(out[0], 2);
  worker.run([&](Orchestrator& o) {
    expect_error(ErrorCode::kBadArgument, {"names domain "},
                 [&] { o.submit(callable, 0, behave(Behaviour::kAdd, 1, *ended, Tensor::of(in), Tensor::of(out))); });
  });
}

TEST_P(WorkerContract, LoadErrorsComeBeforeAnythingIsLoaded) {
  Worker worker(options(1));
  expect_error(ErrorCode::kNotFound, {"kernels/nowhere.so", "looked at"},
               [&] { worker.load(callable_spec("nowhere")); });
  expect_error(ErrorCode::kMissingSymbol, {"forward_orch.so", "no_such_entry"},
               [&] { worker.load(callable_spec("trivial_kernel", "no_such_entry")); });
  expect_error(ErrorCode::kMissingSymbol, {"kernel_entry"}, [&] { worker.load(callable_spec("forward_orch")); });
  CallableSpec twice = callable_spec("trivial_kernel");
  twice.kernels.push_back(twice.kernels.front());
  expect_error(ErrorCode::kBadArgument, {"func_id 0"}, [&] { worker.load(twice); });
  CallableSpec config = callable_spec("trivial_kernel");
  config.config = "no_such_config";
  expect_error(ErrorCode::kMissingSymbol, {"no_such_config"}, [&] { worker.load(config); });
  worker.load(callable_spec("trivial_kernel"));
}

TEST_P(WorkerContract, ExceptionOfTheProgramCompletesWhatWasSubmitted) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats in{1};
  Floats out{0};
  EXPECT_THROW(worker.run([&](Orchestrator& o) {
    const Domain domain = o.allocate_domain({.buffers = kWindow});
    o.submit(callable, 1, behave(Behaviour::kSlowCopy, 100, domain, Tensor::of(in), Tensor::of(out)));
    throw std::logic_error("mine");
  }),
               std::logic_error);
  EXPECT_EQ(out[0], 2);
  worker.run([](Orchestrator&) {});
}

TEST_P(WorkerContract, RunInsideRunIsRefused) {
  Worker worker(options(1));
  worker.run([&](Orchestrator&) {
    expect_error(ErrorCode::kBadArgument, {"run()"}, [&] { worker.run([](Orchestrator&) {}); });
  });
  worker.run([](Orchestrator&) {});
}

TEST_P(WorkerContract, SeveralWorkersOfOneProcessAreIndependent) {
  Worker first(options(2));
  Worker second(options(3));
  const Callable in_first = first.load(callable_spec("behaviour_kernel"));
  const Callable in_second = second.load(callable_spec("behaviour_kernel"));
  for (int round = 0; round < 3; ++round) {
    for (const auto& [worker, callable] : {std::pair(&first, in_first), std::pair(&second, in_second)}) {
      std::vector<Floats> out(static_cast<std::size_t>(worker->ranks()), Floats(1));
      Floats in{1};
      run_on_all(*worker, callable, kWindow, [&](int rank, const Domain& domain, TaskArgs& args) {
        args = behave(Behaviour::kExchange, 0, domain, Tensor::of(in), Tensor::of(out[static_cast<std::size_t>(rank)]));
      });
      EXPECT_EQ(out[0][0], static_cast<float>(1 + 1000 * (worker->ranks() - 1)));
    }
  }
}

TEST_P(WorkerContract, WaitingDoesNotBurnACore) {
  Worker worker(options(2));
  const Callable callable = worker.load(callable_spec("behaviour_kernel"));
  Floats in{0};
  std::vector<Floats> seconds(2, Floats{0});
  run_on_all(worker, callable, kWindow, [&](int rank, const Domain& domain, TaskArgs& args) {
    args = behave(Behaviour::kLateNotify, 1000, domain, Tensor::of(in),
                  Tensor::of(seconds[static_cast<std::size_t>(rank)]));
  });
  EXPECT_GT(seconds[1][0], 0.0F);
  EXPECT_LT(seconds[1][0], 0.3F) << "processor time of one second of waiting";
}

TEST_P(WorkerContract, NothingIsLeftBehind) {
  const std::set<int> before = children();
  const auto shm = names_in("/dev/shm");
  const auto tmp = names_in("/tmp");
  {
    Worker worker(options(3));
    const Callable callable = worker.load(callable_spec("behaviour_kernel"));
    const SharedMemory memory = worker.allocate_tensor(1000);
    Floats in{1};
    std::vector<Floats> out(3, Floats(1));
    run_on_all(worker, callable, kWindow, [&](int rank, const Domain& domain, TaskArgs& args) {
      args = behave(Behaviour::kExchange, 0, domain, Tensor::of(in), Tensor::of(out[static_cast<std::size_t>(rank)]));
    });
    EXPECT_EQ(names_in("/dev/shm"), shm);
    EXPECT_EQ(names_in("/tmp"), tmp);
  }
  EXPECT_EQ(children(), before);
  EXPECT_EQ(names_in("/dev/shm"), shm);
  EXPECT_EQ(names_in("/tmp"), tmp);
}

TEST_P(WorkerContract, DescriptorsAndMappingsDoNotGrow) {
  const auto count = [](const char* directory) {
    return std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator());
  };
  const auto once = [] {
    Worker worker(options(2));
    worker.load(callable_spec("trivial_kernel"));
    worker.run([](Orchestrator& o) { o.allocate_domain({.buffers = kWindow}); });
  };
  once();
  const auto before = count("/proc/self/fd");
  for (int i = 0; i < 5; ++i) {
    once();
  }
  EXPECT_EQ(count("/proc/self/fd"), before);
}

INSTANTIATE_TEST_SUITE_P(Conformance, WorkerContract, testing::Values(RanksAs::kProcess, RanksAs::kThread), kind_name);

}  // namespace
}  // namespace tileput::test
