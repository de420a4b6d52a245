// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/explore.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "check/scheduler.hpp"

namespace tileput::check {
namespace {

constexpr int kWords = 3;
constexpr std::uint64_t kStepsMax = 10'000;

// A small language: each operation touches words, or waits for one, or starts another actor.
struct Op {
  enum class Kind : std::uint8_t { kRead, kAdd, kWrite, kWait, kStart };
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
  std::array<int, kWords> words{};
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

bool can_run(const State& state, const Op& op) {
  return op.kind != Op::Kind::kWait || holds(state.words[op.word], op.compare, op.value);
}

void apply(State& state, int code, const Op& op) {
  state.next[code] += 1;
  switch (op.kind) {
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

Touches touches_of(const Op& op) {
  const auto touch = [](int word, Touch::Kind kind) { return Touch{{static_cast<Address>(word) * 4, 4}, kind}; };
  Touches touches;
  switch (op.kind) {
    case Op::Kind::kRead:
    case Op::Kind::kWait: touches.push_back(touch(op.word, Touch::Kind::kRead)); break;
    case Op::Kind::kAdd: touches.push_back(touch(op.word, Touch::Kind::kAdd)); break;
    case Op::Kind::kWrite: touches.push_back(touch(op.word, Touch::Kind::kWrite)); break;
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

// One run of `program` on fibers.
class Run {
 public:
  Run(const Program& program, Strategy& strategy)
      : program_(program), state_(initial_state(program)), scheduler_(strategy, kStepsMax) {
    for (int code = 0; code < program.initial; ++code) {
      start(code);
    }
    outcome_ = scheduler_.run();
  }

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] Scheduler::Outcome outcome() const { return outcome_; }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }

 private:
  void start(int code) {
    scheduler_.spawn([this, code] {
      for (const Op& op : program_.codes[code]) {
        scheduler_.park(touches_of(op), [this, &op] { return can_run(state_, op); });
        apply(state_, code, op);
        scheduler_.something_changed();
        if (op.kind == Op::Kind::kStart) {
          start(op.value);
        }
      }
    });
  }

  const Program& program_;
  State state_;
  Scheduler scheduler_;
  Scheduler::Outcome outcome_{};
};

std::string text_of(const Program& program) {
  static constexpr const char* kNames[] = {"read", "add", "write", "wait", "start"};
  std::string text = "\n";
  for (std::size_t code = 0; code < program.codes.size(); ++code) {
    text += code < static_cast<std::size_t>(program.initial) ? "at once:" : "started:";
    for (const Op& op : program.codes[code]) {
      text += std::string(" ") + kNames[static_cast<int>(op.kind)] + " w" + std::to_string(op.word) + " ";
      text += (op.kind == Op::Kind::kWait ? std::string(name_of(op.compare)) + " " : "") + std::to_string(op.value);
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
  std::uint64_t redundant = 0;
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
      explored.redundant += 1;
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
      op.compare = static_cast<Compare>(numbers.below(6));
      op.value = numbers.below(3);
      break;
  }
  if (numbers.below(6) == 0) {
    op.also_word = (op.word + 1 + numbers.below(kWords - 1)) % kWords;
  }
  return op;
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
    program.codes.push_back({random_op(numbers)});
  }
  return program;
}

TEST(SystematicExplorer, ReachesExactlyWhatAllOrdersReach) {
  double orders = 0;
  std::uint64_t runs = 0;
  std::uint64_t redundant = 0;
  std::uint64_t stuck = 0;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const Program program = random_program(seed);
    const AllOrders all = all_orders(program);
    const Explored explored = explore_systematically(program);
    ASSERT_TRUE(explored.is_complete);
    ASSERT_EQ(text_of(explored.last_states), text_of(all.last_states)) << "seed " << seed << text_of(program);
    orders += all.orders;
    runs += explored.runs;
    redundant += explored.redundant;
    for (const State& state : all.last_states) {
      bool ended = true;
      for (std::size_t i = 0; i < program.codes.size(); ++i) {
        ended = ended && (!state.started[i] || static_cast<std::size_t>(state.next[i]) == program.codes[i].size());
      }
      stuck += ended ? 0 : 1;
    }
  }
  std::printf("orders %.0f runs %lu redundant %lu stuck %lu\n", orders, runs, redundant, stuck);
}

}  // namespace
}  // namespace tileput::check
