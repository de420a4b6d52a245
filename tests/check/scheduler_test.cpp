// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tileput/error.hpp"

namespace tileput::check {
namespace {

constexpr std::uint64_t kStepsMax = 1'000'000;

Touches touch(Address word, Touch::Kind kind = Touch::Kind::kWrite) { return {{{word * 4, 4}, kind}}; }

// Picks the actors it is told to, then always the first; keeps what it saw.
class Script final : public Strategy {
 public:
  explicit Script(std::deque<int> choices = {}) : choices_(std::move(choices)) {}
  void begin_run() override { FAIL() << "the scheduler does not begin runs"; }
  void end_run(const Actors& /*actors*/) override { FAIL() << "the scheduler does not end runs"; }
  int choose(const Actors& actors) override {
    EXPECT_FALSE(actors.enabled().empty());
    EXPECT_TRUE(std::is_sorted(actors.enabled().begin(), actors.enabled().end()));
    EXPECT_TRUE(std::is_sorted(actors.parked().begin(), actors.parked().end()));
    EXPECT_TRUE(std::includes(actors.parked().begin(), actors.parked().end(), actors.enabled().begin(),
                              actors.enabled().end()));
    int actor = actors.enabled().front();
    if (!choices_.empty()) {
      actor = choices_.front();
      choices_.pop_front();
    }
    chosen.push_back(actor);
    return actor;
  }
  std::vector<int> chosen;

 private:
  std::deque<int> choices_;
};

std::vector<int> list_of(std::span<const int> actors) { return {actors.begin(), actors.end()}; }

TEST(Scheduler, RunsFibersInTheOrderOfTheStrategy) {
  Script script({1, 0, 1, 0});
  Scheduler scheduler(script, kStepsMax);
  std::string text;
  for (const char* name : {"a", "b"}) {
    scheduler.spawn([&scheduler, &text, name] {
      text += name;
      scheduler.park(touch(1));
      text += name;
    });
  }
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_EQ(text, "baba");
  EXPECT_EQ(scheduler.steps(), 4U);
  EXPECT_EQ(scheduler.current(), -1);
  EXPECT_TRUE(scheduler.actors().parked().empty());
}

TEST(Scheduler, ShowsTheNextStepOfAParkedFiber) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  const int waiting = scheduler.spawn([&] { scheduler.park(touch(3, Touch::Kind::kRead), [] { return false; }); });
  EXPECT_TRUE(scheduler.actors().step_of(waiting).empty());
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kStuck);
  ASSERT_EQ(scheduler.actors().step_of(waiting).size(), 1U);
  EXPECT_EQ(scheduler.actors().step_of(waiting).front().range, (Range{12, 4}));
  EXPECT_EQ(scheduler.actors().step_of(waiting).front().kind, Touch::Kind::kRead);
  EXPECT_TRUE(scheduler.actors().is_conditional(waiting));
  EXPECT_EQ(list_of(scheduler.actors().parked()), std::vector<int>{waiting});
}

TEST(Scheduler, AsksConditionsOnlyAfterAChange) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  bool ready = false;
  int asked = 0;
  bool passed = false;
  scheduler.spawn([&] {
    scheduler.park({}, [&] {
      asked += 1;
      return ready;
    });
    passed = true;
  });
  scheduler.spawn([&] {
    for (int i = 0; i < 100; ++i) {
      scheduler.park({});
    }
    EXPECT_EQ(asked, 1);
    ready = true;
    scheduler.something_changed();
  });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_TRUE(passed);
  EXPECT_EQ(asked, 2);
}

TEST(Scheduler, DisablesAFiberWhoseConditionCeasesToHold) {
  Script script({0, 1, 1});
  Scheduler scheduler(script, kStepsMax);
  int word = 0;
  scheduler.spawn([&] {
    scheduler.park(touch(0, Touch::Kind::kRead), [&] { return word == 0; });
    ADD_FAILURE() << "word is " << word;
  });
  scheduler.spawn([&] {
    scheduler.park(touch(0));
    word = 1;
    scheduler.something_changed();
  });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kStuck);
  EXPECT_EQ(list_of(scheduler.actors().parked()), std::vector<int>{0});
}

TEST(Scheduler, GoesOnAfterAChangeFromOutside) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  bool ready = false;
  scheduler.spawn([&] { scheduler.park({}, [&] { return ready; }); });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kStuck);
  ready = true;
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kStuck);
  scheduler.something_changed();
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  bool ran = false;
  scheduler.spawn([&ran] { ran = true; });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_TRUE(ran);
}

TEST(Scheduler, RunsEnginesAsLongAsTheyAreEnabled) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  int left = 3;
  int engine = -1;
  engine = scheduler.add_engine([&] {
    EXPECT_EQ(scheduler.current(), engine);
    left -= 1;
    scheduler.set_engine(engine, left > 0, left > 0 ? touch(1) : Touches{});
  });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_EQ(left, 3);
  const int fiber = scheduler.spawn([&] { scheduler.set_engine(engine, true, touch(1)); });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_EQ(left, 0);
  EXPECT_EQ(script.chosen, (std::vector<int>{fiber, engine, engine, engine}));
}

TEST(Scheduler, AnEngineThatIsDisabledIsParkedWhenItHasTouches) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  const int engine = scheduler.add_engine([] { FAIL(); });
  scheduler.set_engine(engine, false, touch(1));
  EXPECT_EQ(list_of(scheduler.actors().parked()), std::vector<int>{engine});
  EXPECT_TRUE(scheduler.actors().enabled().empty());
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  scheduler.set_engine(engine, false);
  EXPECT_TRUE(scheduler.actors().parked().empty());
}

TEST(Scheduler, ActorsMayBeAddedByThoseThatRun) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  int ended = 0;
  std::function<void(int)> start = [&](int depth) {
    scheduler.spawn([&, depth] {
      for (int i = 0; depth < 6 && i < 2; ++i) {
        start(depth + 1);
        scheduler.park({});
      }
      ended += 1;
    });
  };
  const int engine = scheduler.add_engine([&] {
    scheduler.set_engine(scheduler.current(), false);
    start(5);
  });
  start(0);
  scheduler.set_engine(engine, true);
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_EQ(ended, 127 + 3);
}

TEST(Scheduler, StopsAtTheLimitOfSteps) {
  Script script;
  Scheduler scheduler(script, 100);
  scheduler.spawn([&] {
    for (;;) {
      scheduler.park({});
    }
  });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kTooLong);
  EXPECT_EQ(scheduler.steps(), 100U);
}

TEST(Scheduler, GivesUpWhenTheStrategyDoes) {
  Script script({0, -1});
  Scheduler scheduler(script, kStepsMax);
  scheduler.spawn([&] { scheduler.park({}); });
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kRedundant);
}

TEST(Scheduler, LetsOutWhatAnActorThrows) {
  Script script;
  Scheduler scheduler(script, kStepsMax);
  bool other_ended = false;
  scheduler.spawn([&] {
    scheduler.park({});
    throw std::runtime_error("from a fiber");
  });
  scheduler.spawn([&other_ended] { other_ended = true; });
  const int engine = scheduler.add_engine([&] {
    scheduler.set_engine(scheduler.current(), false);
    throw std::out_of_range("from an engine");
  });
  scheduler.set_engine(engine, true);
  EXPECT_THROW(scheduler.run(), std::runtime_error);
  EXPECT_EQ(scheduler.current(), -1);
  EXPECT_THROW(scheduler.run(), std::out_of_range);
  EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kEnded);
  EXPECT_TRUE(other_ended);
}

TEST(Scheduler, UnwindsFibersThatHaveNotReturned) {
  struct Mark {
    std::string& text;
    char name;
    ~Mark() { text += name; }
  };
  std::string text;
  {
    Script script;
    Scheduler scheduler(script, kStepsMax);
    for (const char name : {'a', 'b', 'c'}) {
      scheduler.spawn([&scheduler, &text, name] {
        const Mark mark{text, name};
        scheduler.park({}, [name] { return name == 'b'; });
      });
    }
    scheduler.spawn([&] { scheduler.park({}, [] { return false; }); });
    EXPECT_EQ(scheduler.run(), Scheduler::Outcome::kStuck);
    EXPECT_EQ(text, "b");
    scheduler.spawn([&text] { text += "never"; });
  }
  EXPECT_EQ(text, "bac");
}

TEST(Scheduler, RefusesWhatBreaksItsContract) {
  Script script({5});
  Scheduler scheduler(script, kStepsMax);
  scheduler.spawn([] {});
  EXPECT_THROW(scheduler.run(), Error);
  EXPECT_THROW(scheduler.park({}), Error);
}

TEST(AreDependent, WhatOverlapsAndDoesNotCommute) {
  using Kind = Touch::Kind;
  constexpr Kind kKinds[] = {Kind::kRead, Kind::kAdd, Kind::kWrite};
  for (const Kind a : kKinds) {
    for (const Kind b : kKinds) {
      EXPECT_EQ(are_dependent(touch(1, a), touch(1, b)), a != b || a == Kind::kWrite);
      EXPECT_FALSE(are_dependent(touch(1, a), touch(2, b)));
    }
  }
  const Touches await = touch(1, Kind::kAwait);
  EXPECT_FALSE(are_dependent(await, await));
  EXPECT_FALSE(are_dependent(await, touch(1, Kind::kRead)));
  EXPECT_TRUE(are_dependent(await, touch(1, Kind::kWrite)));
  for (const std::int64_t amount : {-1, 0, 1}) {
    const Touches addition = {{{4, 4}, Kind::kAdd, amount}};
    EXPECT_EQ(are_dependent(await, addition), amount < 0);
    EXPECT_EQ(are_dependent(addition, await), amount < 0);
  }
  EXPECT_TRUE(are_dependent({{{0, 64}, Kind::kWrite}}, touch(15)));
  EXPECT_FALSE(are_dependent({{{0, 64}, Kind::kWrite}}, touch(16)));
  EXPECT_TRUE(are_dependent({{{0, 4}, Kind::kRead}, {{8, 4}, Kind::kAdd}}, touch(2, Kind::kRead)));
  EXPECT_FALSE(are_dependent({}, touch(1)));
}

}  // namespace
}  // namespace tileput::check
