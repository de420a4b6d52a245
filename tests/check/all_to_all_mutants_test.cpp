// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// The all-to-all kernels of the example are clean, call after call; whatever is taken out of them is reported.

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <tensor.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

#include "all_to_all_window.hpp"
#include "check/kernel_support.hpp"
#include "check/kernels/all_to_all_variants.hpp"

namespace tileput::check::test {
namespace {

using Errors = std::set<std::string>;

constexpr int kCalls = 3;

const KernelVariant& variant(const std::string& name) {
  const auto all = all_to_all_variants();
  const auto found = std::find_if(all.begin(), all.end(), [&](const KernelVariant& v) { return v.name == name; });
  if (found == all.end()) {
    throw std::logic_error("there is no variant " + name);
  }
  return *found;
}

/// Calls of one kernel, back to back on one window. Every call has an input and an output of its own.
class AllToAll {
 public:
  AllToAll(const KernelVariant& kernel, int ranks, std::int64_t words)
      : kernel_(kernel),
        words_(words),
        ranks_(ranks),
        layout_(all_to_all::window_of(kernel.slot_sets, static_cast<std::uint64_t>(ranks),
                                      static_cast<std::uint64_t>(words))),
        world_({.ranks = ranks}) {}

  RunResult run(const RunOptions& options) {
    world_.clear();
    for (int rank = 0; rank < ranks_; ++rank) {
      for (int call = 0; call < kCalls; ++call) {
        for (std::int64_t i = 0; i < ranks_ * words_; ++i) {
          part(in_, rank, call)[i] = word(call, rank, i);
        }
      }
    }
    return world_.run(options, [this](Kernel& k) { call(k); });
  }

  void expect_outputs() {
    for (int rank = 0; rank < ranks_; ++rank) {
      for (int call = 0; call < kCalls; ++call) {
        for (std::int64_t i = 0; i < ranks_ * words_; ++i) {
          const auto source = static_cast<int>(i / words_);
          ASSERT_EQ(part(out_, rank, call)[i], word(call, source, rank * words_ + i % words_))
              << "rank " << rank << " call " << call << " word " << i;
        }
      }
    }
  }

 private:
  /// Word `i` of the input of `rank` in a call; no two are the same, and none is 0.
  static std::uint32_t word(int call, int rank, std::int64_t i) {
    return (static_cast<std::uint32_t>(call * 16 + rank) << 24U) + static_cast<std::uint32_t>(i) + 1;
  }
  std::uint32_t* part(const Buffer& buffer, int rank, int call) {
    return world_.at<std::uint32_t>(buffer, rank) + std::int64_t{call} * ranks_ * words_;
  }
  [[nodiscard]] std::size_t bytes_of_calls() const {
    return static_cast<std::size_t>(words_) * static_cast<std::size_t>(ranks_ * kCalls) * all_to_all::kWordBytes;
  }
  void call(const Kernel& k) {
    const std::uint32_t elements[] = {static_cast<std::uint32_t>(ranks_ * words_)};
    const std::uint32_t scratch_words[] = {static_cast<std::uint32_t>(layout_.bytes / all_to_all::kWordBytes)};
    ChipTensor in = make_tensor_external(part(in_, k.rank(), k.call()), elements, 1);
    ChipTensor out = make_tensor_external(part(out_, k.rank(), k.call()), elements, 1);
    ChipTensor scratch = make_tensor_external(k.own(slots_), scratch_words, 1);
    std::int64_t args[] = {reinterpret_cast<std::int64_t>(&in), reinterpret_cast<std::int64_t>(&out),
                           reinterpret_cast<std::int64_t>(&scratch), ranks_,
                           reinterpret_cast<std::int64_t>(&k.context())};
    kernel_.entry(args);
  }

  const KernelVariant& kernel_;
  std::int64_t words_;
  int ranks_;
  all_to_all::Window layout_;
  World world_;
  const Buffer& slots_ = world_.window("slots", layout_.signals);
  const Buffer& signals_ = world_.window("signals", layout_.epoch - layout_.signals, true);
  const Buffer& epoch_ = world_.window("epoch", layout_.bytes - layout_.epoch, true);
  const Buffer& in_ = world_.gm("in", bytes_of_calls());
  const Buffer& out_ = world_.gm("out", bytes_of_calls());
};

constexpr std::int64_t kWords = 24;

struct Expected {
  const char* name;
  Errors found;  ///< at least these
};

/// Nothing is found and every word arrives, in many orders.
void expect_clean(const std::string& name) {
  for (const int ranks : {2, 3, 4}) {
    AllToAll calls(variant(name), ranks, kWords);
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      SCOPED_TRACE("ranks " + std::to_string(ranks) + " seed " + std::to_string(seed));
      const RunResult result = calls.run({.seed = seed, .calls = kCalls, .delay_effects = seed % 4 != 0});
      ASSERT_TRUE(result.findings.all().empty()) << text_of(result.findings);
      ASSERT_EQ(result.outcome, Scheduler::Outcome::kEnded);
      calls.expect_outputs();
      if (testing::Test::HasFatalFailure()) {
        return;
      }
    }
  }
}

/// It is found in every order, and so in any one.
void expect_reported(const Expected& expected) {
  for (const int ranks : {2, 3, 4}) {
    AllToAll calls(variant(expected.name), ranks, kWords);
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      const RunResult result = calls.run({.seed = seed, .calls = kCalls, .delay_effects = seed != 0});
      const Errors found = errors_of(result.findings);
      ASSERT_TRUE(std::includes(found.begin(), found.end(), expected.found.begin(), expected.found.end()))
          << "ranks " << ranks << " seed " << seed << "\n"
          << text_of(result.findings);
    }
  }
}

class Clean : public testing::TestWithParam<std::string> {};

TEST_P(Clean, AndRightInEveryOrder) { expect_clean(GetParam()); }

/// Transfers of more than one chunk.
TEST_P(Clean, AlsoInChunks) {
  AllToAll calls(variant(GetParam()), 2, all_to_all::kTileWords + 8);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const RunResult result = calls.run({.seed = seed, .calls = kCalls});
    ASSERT_TRUE(result.findings.all().empty()) << text_of(result.findings);
    ASSERT_NO_FATAL_FAILURE(calls.expect_outputs());
  }
}

// The other variants lack what the start and the end of a task do as well: caches are clean, pipes drained, stores
// fenced.
INSTANTIATE_TEST_SUITE_P(Kernels, Clean,
                         testing::Values("push", "pull", "push_without_cleaning", "pull_without_cleaning",
                                         "push_without_last_fence", "pull_without_last_fence",
                                         "push_without_last_drain"),
                         [](const auto& test) { return test.param; });

class Mutant : public testing::TestWithParam<Expected> {};

TEST_P(Mutant, IsReported) { expect_reported(GetParam()); }

const Expected kMutants[] = {
    {"push_no_drain", {"RW:slots"}},
    {"push_no_fence", {"RW:slots"}},
    {"push_no_drain_no_fence", {"RW:slots"}},
    {"push_fence_before_drain", {"RW:slots"}},
    {"push_drain_of_another_pipe", {"RW:slots"}},
    {"push_no_notify", {"DEADLOCK"}},
    {"push_notify_sets", {"DEADLOCK"}},
    {"push_no_wait", {"RW:slots"}},
    {"push_waits_for_one_less", {"RW:slots"}},
    {"push_wait_compares_weakly", {"RW:slots"}},
    {"push_constant_epoch", {"RW:slots"}},
    {"push_one_slot_set", {"RW:slots"}},
    {"push_one_slot_for_all", {"WW:slots"}},
    {"push_no_event_loaded", {"RW:Vec"}},
    {"push_no_set_loaded", {"DEADLOCK"}},
    {"push_no_wait_loaded", {"FLAG", "RW:Vec"}},
    {"push_no_event_stored", {"RW:Vec"}},
    {"push_no_set_stored", {"DEADLOCK"}},
    {"push_no_wait_stored", {"FLAG", "RW:Vec"}},
    {"pull_no_drain", {"RW:slots"}},
    {"pull_no_fence", {"RW:slots"}},
    {"pull_no_drain_no_fence", {"RW:slots"}},
    {"pull_fence_before_drain", {"RW:slots"}},
    {"pull_drain_of_another_pipe", {"RW:slots"}},
    {"pull_no_notify", {"DEADLOCK"}},
    {"pull_notify_sets", {"DEADLOCK"}},
    {"pull_no_wait", {"RW:slots"}},
    {"pull_waits_for_one_less", {"RW:slots"}},
    {"pull_wait_compares_weakly", {"RW:slots"}},
    {"pull_no_first_barrier", {"RW:slots"}},
    {"pull_no_second_barrier", {"RW:slots"}},
    {"pull_constant_epoch", {"RW:slots"}},
    {"pull_counts_one_barrier", {"RW:slots"}},
    {"pull_no_event_loaded", {"RW:Vec"}},
    {"pull_no_set_loaded", {"DEADLOCK"}},
    {"pull_no_wait_loaded", {"FLAG", "RW:Vec"}},
    {"pull_no_event_stored", {"RW:Vec"}},
    {"pull_no_set_stored", {"DEADLOCK"}},
    {"pull_no_wait_stored", {"FLAG", "RW:Vec"}},
};

INSTANTIATE_TEST_SUITE_P(All, Mutant, testing::ValuesIn(kMutants),
                         [](const auto& test) { return std::string(test.param.name); });

/// No variant that is built goes without a test.
TEST(Variants, AreAllTested) {
  constexpr std::size_t kClean = 7;
  EXPECT_EQ(all_to_all_variants().size(), kClean + std::size(kMutants));
}

/// These tests can fail.
TEST(Canary, AMutantIsNotClean) { EXPECT_FATAL_FAILURE(expect_clean("push_no_drain"), "RW slots"); }
TEST(Canary, TheOriginalIsNotReported) {
  EXPECT_FATAL_FAILURE(expect_reported({"push", {"RW:slots"}}), "ranks 2 seed 0");
}

void expect_words_of_a_mutant() {
  AllToAll calls(variant("push_one_slot_for_all"), 3, kWords);
  calls.run({.calls = kCalls, .delay_effects = false});
  calls.expect_outputs();
}
TEST(Canary, WrongWordsAreSeen) { EXPECT_FATAL_FAILURE(expect_words_of_a_mutant(), "word"); }

}  // namespace
}  // namespace tileput::check::test
