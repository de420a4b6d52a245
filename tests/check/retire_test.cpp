// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Memory that is used for one thing after the other in a run.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "check/explore.hpp"
#include "check/machine.hpp"

namespace tileput::check {
namespace {

constexpr std::uint64_t kBytes = 4 * kLineBytes;  // a line each of data, of scalars, of signals, of nothing

class Retire : public testing::Test {
 protected:
  Retire() {
    explorer_->begin_run();
    writer_ = &machine_.add_core({0, "rank 0", CoreType::kVector});
    reader_ = &machine_.add_core({1, "rank 1", CoreType::kVector});
  }

  [[nodiscard]] Address at(int line) const {
    return reinterpret_cast<Address>(memory_) + static_cast<Address>(line) * kLineBytes;
  }

  /// The writer tells the reader of what it has stored. `with_clean`: in the portable way.
  void use(const std::string& name, bool with_clean) {
    std::memset(memory_, 0, sizeof(memory_));
    since_ = machine_.now();
    machine_.memory().add({.name = name, .range = {at(0), kBytes}, .rank = 1});
    machine_.scheduler().spawn([this, with_clean] {
      writer_->issue({1, "TSTORE"}, Pipe::kMte3, {{{at(0), 32}, AccessKind::kWrite}});
      writer_->store({2, "ST"}, {at(1), 4});
      if (with_clean) {
        writer_->clean({3, "dcci"}, {at(1), kLineBytes});
      }
      writer_->barrier({4, "pipe_barrier"}, Pipe::kAll);
      writer_->fence({5, "dsb"});
      writer_->notify({6, "TNOTIFY"}, at(2), SignalOp::kAdd, 1);
      writer_->end({});
    });
    machine_.scheduler().spawn([this] {
      reader_->wait({7, "TWAIT"}, {at(2)}, Compare::kGe, 1);
      reader_->issue({8, "TLOAD"}, Pipe::kMte2, {{{at(0), 32}, AccessKind::kRead}});
      reader_->clean({9, "dcci"}, {at(1), kLineBytes});
      reader_->load({10, "LD"}, {at(1), 4});
      reader_->end({});
    });
    ASSERT_EQ(machine_.scheduler().run(), Scheduler::Outcome::kEnded);
  }
  void retire() { machine_.retire({at(0), kBytes}, since_); }
  std::vector<Finding> findings() { return machine_.finish(Scheduler::Outcome::kEnded).findings.all(); }

  alignas(kLineBytes) std::byte memory_[kBytes] = {};
  std::unique_ptr<Explorer> explorer_ =
      make_explorer({.mode = ExploreOptions::Mode::kRandom, .seed = 1, .schedules = 1});
  Machine machine_{MachineOptions{}, *explorer_};
  CheckedCore* writer_ = nullptr;
  CheckedCore* reader_ = nullptr;
  Machine::Moment since_;
};

TEST_F(Retire, WhatWasOrderedStaysSo) {
  use("first", true);
  retire();
  use("second", true);
  retire();
  use("third", true);
  for (const Finding& finding : findings()) {
    ADD_FAILURE() << describe(finding);
  }
}

TEST_F(Retire, FindingsKeepTheirName) {
  use("first", false);
  retire();
  use("second", true);
  retire();
  use("third", false);
  const std::vector<Finding> found = findings();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].region, "first");
  EXPECT_EQ(found[0].accesses[0].access, "writes first@1[64:68]");
  EXPECT_EQ(found[1].region, "third");
  EXPECT_EQ(found[1].accesses[0].access, "writes third@1[64:68]");
}

}  // namespace
}  // namespace tileput::check
