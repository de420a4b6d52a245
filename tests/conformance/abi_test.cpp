// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What a kernel is handed: CommContext, windows, the argument array.

#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "conformance/support.hpp"

namespace tileput::test {
namespace {

class Abi : public Ranks {};

using Report = std::array<std::int64_t, 16>;

std::vector<Report> report_context(Worker& worker, const Callable& callable, std::uint64_t a_bytes,
                                   std::uint64_t b_bytes, bool dirty) {
  std::vector<Report> out(static_cast<std::size_t>(worker.ranks()));
  run_on_all(worker, callable,
             {{.name = "a", .bytes = a_bytes, .type = DataType::kUint8},
              {.name = "b", .bytes = b_bytes, .type = DataType::kFloat32, .elements = 3}},
             [&](int rank, const Domain& domain, TaskArgs& args) {
               args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
               args.add_inout(domain.buffer("a")).add_inout(domain.buffer("b"));
               args.add_scalar(dirty).add_context(domain);
             });
  return out;
}

TEST_P(Abi, ContextDescribesWindowsOfOneSizeAndLayout) {
  Worker worker(options());
  const Callable callable = worker.load(callable_spec("context_kernel"));
  for (const std::uint64_t a_bytes : {64ULL, 100ULL, 4096ULL, 10000ULL}) {
    SCOPED_TRACE(a_bytes);
    const std::vector<Report> out = report_context(worker, callable, a_bytes, 4096, true);
    for (int rank = 0; rank < ranks(); ++rank) {
      const Report& seen = out[static_cast<std::size_t>(rank)];
      EXPECT_EQ(seen[0], rank);
      EXPECT_EQ(seen[1], ranks());
      EXPECT_EQ(seen[2], static_cast<std::int64_t>(a_bytes + 4096));
      EXPECT_EQ(seen[3], 1) << "remote(p, me) == p";
      EXPECT_EQ(seen[4], 1) << "the first buffer starts the own window";
      EXPECT_EQ(seen[5], static_cast<std::int64_t>(a_bytes)) << "buffers are adjacent";
      EXPECT_EQ(seen[7], 0) << "windows start at pages";
      EXPECT_EQ(seen[8], 0) << "windows do not overlap";
      EXPECT_EQ(seen[9], 0) << "windowsOut == windowsIn";
      EXPECT_EQ(seen[10], static_cast<std::int64_t>(a_bytes));
      EXPECT_EQ(seen[11], 4096) << "buffer.size is all of the buffer, whatever it declares";
      EXPECT_EQ(seen[12], 0);
      EXPECT_EQ(seen[13], 3) << "declared elements";
    }
  }
}

TEST_P(Abi, EveryWindowIsZeroAtTheStartAlsoAfterDirtyRuns) {
  Worker worker(options());
  const Callable callable = worker.load(callable_spec("context_kernel"));
  for (int round = 0; round < 4; ++round) {
    for (const Report& seen : report_context(worker, callable, 70'000, 512, false)) {
      EXPECT_EQ(seen[6], 0) << "bytes that are not zero, in round " << round;
    }
    report_context(worker, callable, 70'000, 512, true);
  }
}

TEST_P(Abi, TwoDomainsOfOneRunDoNotShareMemory) {
  Worker worker(options());
  const Callable callable = worker.load(callable_spec("context_kernel"));
  std::vector<Report> first(static_cast<std::size_t>(ranks()));
  std::vector<Report> second(first.size());
  worker.run([&](Orchestrator& o) {
    const std::vector<BufferSpec> buffers{{.name = "a", .bytes = 4096}, {.name = "b", .bytes = 100}};
    const auto submit = [&](const Domain& domain, std::vector<Report>& out, bool dirty) {
      std::vector<RankTask> group;
      for (int rank = 0; rank < ranks(); ++rank) {
        TaskArgs args;
        args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
        args.add_inout(domain.buffer("a")).add_inout(domain.buffer("b")).add_scalar(dirty).add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable, group);
    };
    const Domain x = o.allocate_domain({.buffers = buffers});
    const Domain y = o.allocate_domain({.buffers = buffers});
    submit(x, first, true);
    submit(y, second, false);
  });
  for (const Report& seen : second) {
    EXPECT_EQ(seen[6], 0);
  }
}

TEST_P(Abi, ArgumentsArriveInOrderWithTheirBits) {
  Worker worker(options());
  const Callable callable = worker.load(callable_spec("abi_kernel"));
  std::vector<std::int16_t> in{1, 2, 3, 4, 5, 6, -7, 8};
  std::vector<std::array<std::int64_t, 24>> out(static_cast<std::size_t>(ranks()));
  run_on_all(worker, callable, {{.name = "window", .bytes = 64}}, [&](int rank, const Domain& domain, TaskArgs& args) {
    args.add_input(Tensor(in.data(), DataType::kInt16, {2, 4}));
    args.add_output(tensor_of(out[static_cast<std::size_t>(rank)]));
    args.add_inout(domain.buffer("window"));
    args.add_scalar(std::int8_t{-5}).add_scalar(std::uint8_t{250}).add_scalar(std::int16_t{-300});
    args.add_scalar(std::numeric_limits<std::int32_t>::min()).add_scalar(std::numeric_limits<std::uint32_t>::max());
    args.add_scalar(std::numeric_limits<std::int64_t>::min()).add_scalar(std::numeric_limits<std::uint64_t>::max());
    args.add_scalar(1.5F).add_scalar(-2.25).add_scalar(true).add_context(domain);
  });
  for (int rank = 0; rank < ranks(); ++rank) {
    const auto& seen = out[static_cast<std::size_t>(rank)];
    float f = 0;
    double d = 0;
    std::memcpy(&f, &seen[7], sizeof(f));
    std::memcpy(&d, &seen[8], sizeof(d));
    EXPECT_EQ(seen[0], -5);
    EXPECT_EQ(seen[1], 250);
    EXPECT_EQ(seen[2], -300);
    EXPECT_EQ(seen[3], std::numeric_limits<std::int32_t>::min());
    EXPECT_EQ(seen[4], std::int64_t{0xffffffff});
    EXPECT_EQ(seen[5], std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(seen[6], -1);
    EXPECT_EQ(f, 1.5F);
    EXPECT_EQ(seen[7] >> 32, 0);
    EXPECT_EQ(d, -2.25);
    EXPECT_EQ(seen[9], 1);
    EXPECT_EQ(seen[10], rank) << "the context is the last scalar";
    EXPECT_EQ(seen[11], 1) << "the window tensor has the address of the own window";
    EXPECT_EQ(seen[12], 2);
    EXPECT_EQ(seen[13], 2);
    EXPECT_EQ(seen[21], 4);
    EXPECT_EQ(seen[14], static_cast<std::int64_t>(DataType::kInt16));
    EXPECT_EQ(seen[15], 16);
    EXPECT_EQ(seen[16], -7);
    EXPECT_EQ(seen[17], 0) << "block index";
    EXPECT_EQ(seen[18], 1) << "block count";
    EXPECT_EQ(seen[19], 0) << "sub-block";
    EXPECT_EQ(seen[20], 1) << "args[48] and args[49]";
  }
}

INSTANTIATE_TEST_SUITE_P(Conformance, Abi, every_kind_of_ranks(), ranks_name);

}  // namespace
}  // namespace tileput::test
