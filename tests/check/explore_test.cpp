// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/explore.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "check/scheduler.hpp"

namespace tileput::check {
namespace {

constexpr int kWords = 3;  // of random programs
constexpr std::uint64_t kStepsMax = 10'000;

// A small language: each operation touches words, or waits for one, or starts another actor.
struct Op {
  enum class Kind : std::uint8_t { kRead, kAdd, kWrite, kWait, kAwait, kStart };
  Kind kind = Kind::kRead;
  int word = 0;
  int value = 0;
  Compare compare = Compare::kGe;     // kWait
  std::optional<int> also_word = {};  // in the same step `value` is written there, or read by a kRead
};
using Code = std::vector<Op>;
// The first `initial` codes start at once, the others by kStart, whose value is the index.
struct Program {
  std::vector<Code> codes;
  int initial = 0;
};

// Everything an order can make a difference in: the memory, where each code stands, and what it has seen.
struct State {
  std::array<int, 9> words{};
  std::vector<int> next;
  std::vector<std::vector<int>> seen;
  std::vector<bool> started;
  friend auto operator<=>(const State&, const State&) = default;
};

State initial_state(const Program& program) {
  State state;
  state.next.resize(program.codes.size());
  state.seen.resize(program.codes.size());
  state.started.resize(program.codes.size());
  for (int i = 0; i < program.initial; ++i) {
    state.started[i] = true;
  }
  return state;
}

bool waits(const Op& op) { return op.kind == Op::Kind::kWait || op.kind == Op::Kind::kAwait; }

bool can_run(const State& state, const Op& op) {
  return !waits(op) || holds(state.words[op.word], op.compare, op.value);
}

void apply(State& state, int code, const Op& op) {
  state.next[code] += 1;
  switch (op.kind) {
    case Op::Kind::kAwait: break;
    case Op::Kind::kRead:
    case Op::Kind::kWait: state.seen[code].push_back(state.words[op.word]); break;
    case Op::Kind::kAdd: state.words[op.word] += op.value; break;
    case Op::Kind::kWrite: state.words[op.word] = op.value; break;
    case Op::Kind::kStart: state.started[op.value] = true; return;
  }
  if (op.also_word && op.kind == Op::Kind::kRead) {
    state.seen[code].push_back(state.words[*op.also_word]);
  } else if (op.also_word) {
    state.words[*op.also_word] = op.value;
  }
}

Touches touches_of(const State& state, const Op& op) {
  const auto touch = [&op](int word, Touch::Kind kind) {
    return Touch{{static_cast<Address>(word) * 4, 4}, kind, op.value};
  };
  Touches touches;
  switch (op.kind) {
    case Op::Kind::kRead:
    case Op::Kind::kWait: touches.push_back(touch(op.word, Touch::Kind::kRead)); break;
    case Op::Kind::kAdd: touches.push_back(touch(op.word, Touch::Kind::kAdd)); break;
    case Op::Kind::kWrite: touches.push_back(touch(op.word, Touch::Kind::kWrite)); break;
    case Op::Kind::kAwait:
      touches.push_back(touch(op.word, Touch::Kind::kAwait));
      touches.back().seen = state.words[op.word];
      break;
    case Op::Kind::kStart: return touches;
  }
  if (op.also_word) {
    touches.push_back(touch(*op.also_word, op.kind == Op::Kind::kRead ? Touch::Kind::kRead : Touch::Kind::kWrite));
  }
  return touches;
}

// Every order, by brute force: the states in which nobody can go on, and how many orders there are.
struct AllOrders {
  std::set<State> last_states;
  double orders = 0;
};

double walk(const Program& program, const State& state, AllOrders& all, std::map<State, double>& known) {
  const auto found = known.find(state);
  if (found != known.end()) {
    return found->second;
  }
  double orders = 0;
  for (std::size_t code = 0; code < program.codes.size(); ++code) {
    const auto next = static_cast<std::size_t>(state.next[code]);
    if (state.started[code] && next < program.codes[code].size() && can_run(state, program.codes[code][next])) {
      State after = state;
      apply(after, static_cast<int>(code), program.codes[code][next]);
      orders += walk(program, after, all, known);
    }
  }
  if (orders == 0) {
    all.last_states.insert(state);
    orders = 1;
  }
  known.emplace(state, orders);
  return orders;
}

AllOrders all_orders(const Program& program) {
  AllOrders all;
  std::map<State, double> known;
  all.orders = walk(program, initial_state(program), all, known);
  return all;
}

// One run of `program` on fibers; a code that is started later and never waits runs on an engine.
class Run {
 public:
  Run(const Program& program, Strategy& strategy)
      : program_(program), state_(initial_state(program)), scheduler_(strategy, kStepsMax) {
    for (int code = 0; code < program.initial; ++code) {
      start(code);
    }
    for (std::size_t code = static_cast<std::size_t>(program.initial); code < program.codes.size(); ++code) {
      engines_.push_back(scheduler_.add_engine([this, code] {
        perform(static_cast<int>(code));
        set_engine(static_cast<int>(code));
      }));
    }
    outcome_ = scheduler_.run();
  }

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] Scheduler::Outcome outcome() const { return outcome_; }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }

 private:
  [[nodiscard]] const Op& next_op(int code) const { return program_.codes[code][state_.next[code]]; }

  void perform(int code) {
    const Op op = next_op(code);
    apply(state_, code, op);
    scheduler_.something_changed();
    if (op.kind == Op::Kind::kStart) {
      start(op.value);
    }
  }

  void set_engine(int code) {
    const bool enabled = static_cast<std::size_t>(state_.next[code]) < program_.codes[code].size();
    scheduler_.set_engine(engines_[code - program_.initial], enabled,
                          enabled ? touches_of(state_, next_op(code)) : Touches{});
  }

  void start(int code) {
    const Code& ops = program_.codes[code];
    if (code >= program_.initial && std::none_of(ops.begin(), ops.end(), [](const Op& op) { return waits(op); })) {
      set_engine(code);
      return;
    }
    scheduler_.spawn([this, code, &ops] {
      for (const Op& op : ops) {
        if (waits(op)) {
          scheduler_.park(touches_of(state_, op), [this, &op] { return can_run(state_, op); });
        } else {
          scheduler_.park(touches_of(state_, op));
        }
        perform(code);
      }
    });
  }

  const Program& program_;
  State state_;
  Scheduler scheduler_;
  std::vector<int> engines_;  // of the codes behind the initial ones
  Scheduler::Outcome outcome_{};
};

std::string text_of(const Program& program) {
  static constexpr const char* kNames[] = {"read", "add", "write", "wait", "await", "start"};
  std::string text = "\n";
  for (std::size_t code = 0; code < program.codes.size(); ++code) {
    text += code < static_cast<std::size_t>(program.initial) ? "at once:" : "started:";
    for (const Op& op : program.codes[code]) {
      text += std::string(" ") + kNames[static_cast<int>(op.kind)] + " w" + std::to_string(op.word) + " ";
      text += (waits(op) ? std::string(name_of(op.compare)) + " " : "") + std::to_string(op.value);
      text += op.also_word ? " also w" + std::to_string(*op.also_word) + ";" : ";";
    }
    text += "\n";
  }
  return text;
}

std::string text_of(const std::set<State>& states) {
  std::string text = "\n";
  for (const State& state : states) {
    for (const int word : state.words) {
      text += std::to_string(word) + " ";
    }
    for (std::size_t code = 0; code < state.next.size(); ++code) {
      text += "| at " + std::to_string(state.next[code]) + " saw ";
      for (const int seen : state.seen[code]) {
        text += std::to_string(seen) + " ";
      }
    }
    text += "\n";
  }
  return text;
}

struct Explored {
  std::set<State> last_states;
  std::uint64_t runs = 0;
  std::uint64_t given_up = 0;
  bool is_complete = false;
};

Explored explore(const Program& program, const ExploreOptions& options) {
  Explored explored;
  const auto explorer = make_explorer(options);
  while (explorer->more()) {
    explorer->begin_run();
    const Run run(program, *explorer);
    explorer->end_run(run.scheduler().actors());
    explored.runs += 1;
    if (run.outcome() == Scheduler::Outcome::kRedundant) {
      explored.given_up += 1;
    } else {
      explored.last_states.insert(run.state());
    }
  }
  explored.is_complete = explorer->is_complete();
  return explored;
}

Explored explore_systematically(const Program& program) {
  return explore(program, {.mode = ExploreOptions::Mode::kSystematic, .schedules = 0});
}

// A private generator, so that the programs are the same everywhere.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
  int below(int bound) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<int>((state_ >> 33U) % static_cast<std::uint64_t>(bound));
  }

 private:
  std::uint64_t state_;
};

Op random_op(Numbers& numbers) {
  Op op;
  op.word = numbers.below(kWords);
  switch (numbers.below(8)) {
    case 0: op.kind = Op::Kind::kRead; break;
    case 1:
    case 2:
    case 3:
      op.kind = Op::Kind::kAdd;
      op.value = numbers.below(4) == 0 ? -1 : 1;
      break;
    case 4:
      op.kind = Op::Kind::kWrite;
      op.value = numbers.below(3);
      break;
    default:
      op.kind = Op::Kind::kWait;
      op.compare = numbers.below(2) == 0 ? Compare::kGe : static_cast<Compare>(numbers.below(6));
      op.value = numbers.below(3);
      if (op.compare == Compare::kGe && numbers.below(4) != 0) {
        op.kind = Op::Kind::kAwait;
      }
      break;
  }
  if (numbers.below(6) == 0) {
    op.also_word = (op.word + 1 + numbers.below(kWords - 1)) % kWords;
  }
  return op;
}

// Makes it so that one code adds to each word, and never less than 0.
void make_monotone(Program& program) {
  for (std::size_t code = 0; code < program.codes.size(); ++code) {
    for (Op& op : program.codes[code]) {
      if (op.kind == Op::Kind::kAdd) {
        op.kind = code < kWords ? Op::Kind::kAdd : Op::Kind::kRead;
        op.word = static_cast<int>(code) % kWords;
        op.value = 1;
        op.also_word.reset();
      }
    }
  }
}

Program random_program(std::uint64_t seed) {
  Numbers numbers(seed);
  Program program;
  program.initial = 2 + numbers.below(3);
  for (int i = 0; i < program.initial; ++i) {
    Code& code = program.codes.emplace_back();
    for (int ops = 1 + numbers.below(program.initial == 4 ? 2 : 4); ops > 0; --ops) {
      code.push_back(random_op(numbers));
    }
  }
  for (int starts = numbers.below(3); starts > 0; --starts) {
    Code& starter = program.codes[static_cast<std::size_t>(numbers.below(program.initial))];
    starter.insert(starter.begin() + numbers.below(static_cast<int>(starter.size()) + 1),
                   Op{.kind = Op::Kind::kStart, .value = static_cast<int>(program.codes.size())});
    Code& started = program.codes.emplace_back();
    for (int ops = 1 + numbers.below(2); ops > 0; --ops) {
      started.push_back(random_op(numbers));
    }
  }
  if (seed % 2 == 0) {
    make_monotone(program);
  }
  return program;
}

bool has_ended(const Program& program, const State& state) {
  for (std::size_t code = 0; code < program.codes.size(); ++code) {
    if (state.started[code] && static_cast<std::size_t>(state.next[code]) < program.codes[code].size()) {
      return false;
    }
  }
  return true;
}

TEST(SystematicExplorer, ReachesExactlyWhatAllOrdersReach) {
  double orders = 0;
  double runs = 0;
  int deadlocks = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const Program program = random_program(seed);
    const AllOrders all = all_orders(program);
    const Explored explored = explore_systematically(program);
    ASSERT_TRUE(explored.is_complete);
    ASSERT_EQ(text_of(explored.last_states), text_of(all.last_states)) << "seed " << seed << text_of(program);
    orders += all.orders;
    runs += static_cast<double>(explored.runs);
    for (const State& state : all.last_states) {
      deadlocks += has_ended(program, state) ? 0 : 1;
    }
  }
  EXPECT_GT(deadlocks, 50);  // the programs do wait for ever in some orders
  EXPECT_LT(runs * 100, orders);
}

Op add(int word, int value = 1) { return {.kind = Op::Kind::kAdd, .word = word, .value = value}; }
Op write(int word, int value) { return {.kind = Op::Kind::kWrite, .word = word, .value = value}; }
Op read(int word) { return {.kind = Op::Kind::kRead, .word = word}; }
Op wait(int word, Compare compare, int value) {
  return {.kind = Op::Kind::kWait, .word = word, .value = value, .compare = compare};
}

TEST(SystematicExplorer, RunsIndependentWritersOnce) {
  const Program program{{{write(0, 1), write(0, 2)}, {write(1, 1), write(1, 2)}}, 2};
  EXPECT_EQ(explore_systematically(program).runs, 1U);
}

TEST(SystematicExplorer, RunsAdditionsOnce) {
  const Program program{{{add(0)}, {add(0)}, {add(0)}}, 3};
  EXPECT_EQ(explore_systematically(program).runs, 1U);
}

TEST(SystematicExplorer, RunsDependentWritersInEveryOrder) {
  const Program program{{{write(0, 1)}, {write(0, 2)}, {write(0, 3)}}, 3};
  const Explored explored = explore_systematically(program);
  EXPECT_EQ(explored.runs - explored.given_up, 6U);
  EXPECT_LE(explored.given_up, 1U);
}

TEST(SystematicExplorer, FindsTheOrderInWhichAWaitIsMissed) {
  const Program program{{{add(0)}, {add(0)}, {wait(0, Compare::kEq, 1)}}, 3};
  const Explored explored = explore_systematically(program);
  int missed = 0;
  for (const State& state : explored.last_states) {
    missed += has_ended(program, state) ? 0 : 1;
  }
  EXPECT_EQ(missed, 1);
  EXPECT_TRUE(explored.is_complete);
}

// Everybody adds to the others' words, then waits for its own, round after round; with a word for each pair or with one
// for each code.
Program barriers(int codes, int rounds, bool has_word_for_pair) {
  Program program;
  program.initial = codes;
  for (int self = 0; self < codes; ++self) {
    Code& code = program.codes.emplace_back();
    for (int round = 1; round <= rounds; ++round) {
      for (int peer = 0; peer < codes; ++peer) {
        if (peer != self) {
          code.push_back(add(has_word_for_pair ? peer * codes + self : peer));
        }
      }
      for (int peer = 0; peer < codes; ++peer) {
        if (peer != self && (has_word_for_pair || peer == (self + 1) % codes)) {
          code.push_back({.kind = Op::Kind::kAwait,
                          .word = has_word_for_pair ? self * codes + peer : self,
                          .value = has_word_for_pair ? round : round * (codes - 1),
                          .compare = Compare::kGe});
        }
      }
    }
  }
  return program;
}

TEST(SystematicExplorer, RunsABarrierOverWordsOfOneAdderOnce) {
  const Explored explored = explore_systematically(barriers(3, 3, true));
  EXPECT_EQ(explored.runs, 1U);
  EXPECT_TRUE(explored.is_complete);
}

TEST(SystematicExplorer, CoversABarrierOverWordsOfManyAdders) {
  const Program program = barriers(3, 2, false);
  const Explored explored = explore_systematically(program);
  EXPECT_TRUE(explored.is_complete);
  EXPECT_GT(explored.runs, 1U);
  EXPECT_EQ(explored.last_states, all_orders(program).last_states);
}

TEST(SystematicExplorer, StopsAtItsBound) {
  const Program program{{{write(0, 1)}, {write(0, 2)}, {write(0, 3)}}, 3};
  const Explored explored = explore(program, {.mode = ExploreOptions::Mode::kSystematic, .schedules = 4});
  EXPECT_EQ(explored.runs, 4U);
  EXPECT_FALSE(explored.is_complete);
}

// Keeps what another strategy chooses.
class Recorder final : public Strategy {
 public:
  explicit Recorder(Strategy& strategy) : strategy_(strategy) {}
  void begin_run() override { strategy_.begin_run(); }
  int choose(const Actors& actors) override {
    const int actor = strategy_.choose(actors);
    if (actor >= 0) {
      choices_.push_back(actor);
    }
    return actor;
  }
  void end_run(const Actors& actors) override { strategy_.end_run(actors); }
  [[nodiscard]] const std::vector<int>& choices() const { return choices_; }

 private:
  Strategy& strategy_;
  std::vector<int> choices_;
};

struct Recorded {
  std::vector<int> choices;
  State state;
  std::string replay_options;
  std::uint64_t seed = 0;
};

std::vector<Recorded> record(const Program& program, const ExploreOptions& options) {
  std::vector<Recorded> runs;
  const auto explorer = make_explorer(options);
  while (explorer->more()) {
    Recorder recorder(*explorer);
    recorder.begin_run();
    const Run run(program, recorder);
    recorder.end_run(run.scheduler().actors());
    runs.push_back({recorder.choices(), run.state(), explorer->replay_options(), explorer->seed()});
  }
  return runs;
}

// What the command line makes of the options; numbers only.
ExploreOptions parse(const std::string& text) {
  ExploreOptions options;
  std::istringstream words(text);
  std::string name;
  std::string value;
  while (words >> name >> value) {
    if (name == "--seed") {
      options.seed = std::stoull(value);
    } else if (name == "--schedules") {
      options.schedules = std::stoull(value);
    } else if (name == "--mode") {
      EXPECT_EQ(value, "priority");
      options.mode = ExploreOptions::Mode::kPriority;
    } else if (name == "--depth") {
      options.depth = std::stoi(value);
    } else if (name == "--steps") {
      options.steps_expected = std::stoull(value);
    } else if (name == "--replay") {
      options.mode = ExploreOptions::Mode::kReplay;
      std::istringstream choices(value);
      for (std::string choice; std::getline(choices, choice, '.');) {
        options.choices.push_back(std::stoi(choice));
      }
    } else {
      ADD_FAILURE() << "unknown option " << name;
    }
  }
  return options;
}

TEST(Explorer, RepeatsAnyRunByItsReplayOptions) {
  const Program program{{{write(0, 1), read(1)}, {write(1, 1), read(0)}, {add(0), wait(1, Compare::kNe, 0)}}, 3};
  using Mode = ExploreOptions::Mode;
  for (const Mode mode : {Mode::kRandom, Mode::kPriority, Mode::kSystematic}) {
    const std::vector<Recorded> runs = record(program, {.mode = mode, .seed = 17, .schedules = 30});
    ASSERT_GT(runs.size(), 10U);
    std::set<std::vector<int>> different;
    for (const Recorded& run : runs) {
      const std::vector<Recorded> again = record(program, parse(run.replay_options));
      ASSERT_EQ(again.size(), 1U) << run.replay_options;
      // A run that was given up goes on when it is replayed.
      const std::vector<int>& choices = again.front().choices;
      ASSERT_GE(choices.size(), run.choices.size());
      EXPECT_TRUE(std::equal(run.choices.begin(), run.choices.end(), choices.begin())) << run.replay_options;
      if (mode != Mode::kSystematic) {
        EXPECT_EQ(choices, run.choices);
        EXPECT_EQ(again.front().seed, run.seed);
      }
      different.insert(run.choices);
    }
    EXPECT_GT(different.size(), 5U);
  }
}

TEST(Explorer, DrawsTheSameNumbersEverywhere) {
  const Program program{{{add(0), add(0), add(0)}, {add(1), add(1), add(1)}, {add(2), add(2), add(2)}}, 3};
  const std::vector<Recorded> runs = record(program, {.mode = ExploreOptions::Mode::kRandom, .seed = 1});
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs.front().choices, (std::vector<int>{1, 1, 2, 2, 2, 1, 2, 1, 0, 0, 0, 0}));
}

TEST(RandomExplorer, ReachesEveryLastState) {
  const Program program = random_program(9);
  EXPECT_EQ(explore(program, {.mode = ExploreOptions::Mode::kRandom, .schedules = 2000}).last_states,
            all_orders(program).last_states);
}

// The reader sees 1 only between two adjacent writes: a bug of depth 2.
Program program_with_bug_of_depth_2() {
  return {{{add(1), add(1), write(0, 1), write(0, 2), add(1), add(1)}, {add(2), add(2), add(2), read(0), add(2)}}, 2};
}

TEST(PriorityExplorer, FindsABugOfDepthTwoAsOftenAsItsBoundSays) {
  const Program program = program_with_bug_of_depth_2();
  constexpr std::uint64_t kRuns = 2000;
  constexpr std::uint64_t kActors = 2;
  constexpr std::uint64_t kSteps = 13;  // with the first step of each fiber
  for (const std::uint64_t steps_expected : {kSteps, std::uint64_t{0}}) {
    std::uint64_t found = 0;
    for (const Recorded& run : record(program, {.mode = ExploreOptions::Mode::kPriority,
                                               .schedules = kRuns,
                                               .depth = 2,
                                               .steps_expected = steps_expected})) {
      ASSERT_EQ(run.choices.size(), kSteps);
      found += run.state.seen[1].front() == 1 ? 1 : 0;
    }
    EXPECT_GE(found * kActors * kSteps, kRuns);
  }
}

TEST(PriorityExplorer, WithoutChangePointsRunsOneActorAfterTheOther) {
  const Program program = program_with_bug_of_depth_2();
  std::set<std::vector<int>> different;
  for (const Recorded& run : record(program, {.mode = ExploreOptions::Mode::kPriority, .schedules = 100, .depth = 1})) {
    different.insert(run.choices);
  }
  EXPECT_EQ(different.size(), 2U);
}

TEST(ReplayExplorer, GoesOnWithTheFirstActor) {
  const Program program{{{add(0)}, {add(0)}}, 2};
  const std::vector<Recorded> runs = record(program, {.mode = ExploreOptions::Mode::kReplay, .choices = {1, 7, 1}});
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs.front().choices, (std::vector<int>{1, 0, 1, 0}));
}

}  // namespace
}  // namespace tileput::check
