// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "check/litmus/agents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tileput::check::litmus {

namespace {

bool is_in(const Line& line, Variant variant) {
  return line.mark == Mark::kBoth || (line.mark == Mark::kBuggy) == (variant == Variant::kBuggy);
}

class DeclarationReader {
 public:
  DeclarationReader(const Listing& listing, Variant variant) : listing_(listing), variant_(variant) {}

  Declarations read() {
    for (const Line& line : listing_.lines) {
      const auto* const ranks = std::get_if<Ranks>(&line.content);
      if (ranks != nullptr && is_in(line, variant_)) {
        if (out_.ranks != 0) {
          fail_at(listing_.file, line.position, "the number of ranks is given twice", "expected one line 'ranks N'");
        }
        const Environment none{listing_.file, 0, 0, false};
        out_.ranks = static_cast<int>(ranks->count.evaluate_within(none, 1, kRanksMax, "the number of ranks"));
      }
    }
    if (out_.ranks == 0) {
      fail_at(listing_.file, {1, 1}, fmt::format("the {} variant has no line 'ranks N'", name_of(variant_)),
              "expected one before the code");
    }
    each<Regions>([this](const Line& line, const Regions& regions) { declare(line, regions); });
    each<Uninitialised>([this](const Line&, const Uninitialised& line) {
      for (const Name& name : line.names) {
        region(name).initialised = false;
      }
    });
    each<Initials>([this](const Line&, const Initials& line) {
      for (const Initial& initial : line.values) {
        region(initial.target.name);
        out_.initials.push_back(&initial);
      }
    });
    each<SharedLine>([this](const Line&, const SharedLine& line) { join(line); });
    each<Slots>([this](const Line& line, const Slots& slots) {
      if (out_.places != 0) {
        fail_at(listing_.file, line.position, "the number of slots is given twice", "expected one line 'slots K'");
      }
      out_.places = static_cast<int>(
          slots.places.evaluate_within(environment(), 1, std::numeric_limits<int>::max(), "the number of slots"));
      out_.in_order = slots.in_order;
    });
    return std::move(out_);
  }

 private:
  template <typename Content, typename Function>
  void each(const Function& function) {
    for (const Line& line : listing_.lines) {
      if (const auto* const content = std::get_if<Content>(&line.content);
          content != nullptr && is_in(line, variant_)) {
        function(line, *content);
      }
    }
  }

  [[nodiscard]] Environment environment() const { return {listing_.file, 0, out_.ranks, false}; }

  int index_of(const Name& name) {
    const int index = out_.find(name.text);
    if (index < 0) {
      fail_at(listing_.file, name.position,
              fmt::format("'{}' is not declared in the {} variant", name.text, name_of(variant_)),
              "expected a region of a line 'win' or 'gm'");
    }
    return index;
  }
  DeclaredRegion& region(const Name& name) { return out_.regions[static_cast<std::size_t>(index_of(name))]; }

  void declare(const Line& line, const Regions& regions) {
    for (const RegionDeclaration& declared : regions.regions) {
      if (const int other = out_.find(declared.name.text); other >= 0) {
        fail_at(listing_.file, declared.name.position,
                fmt::format("'{}' is declared in line {} already", declared.name.text,
                            out_.regions[static_cast<std::size_t>(other)].line),
                "expected another name");
      }
      const std::int64_t cells = declared.cells.evaluate_within(environment(), 1, kCellsMax, "the number of cells");
      cells_ += cells * out_.ranks;
      if (cells_ > kCellsMax) {
        fail_at(listing_.file, declared.name.position, "the regions of all ranks are too large together",
                fmt::format("expected at most {} cells", kCellsMax));
      }
      out_.regions.push_back({declared.name.text, regions.memory, cells, true, -1, line.position.line});
    }
  }

  void join(const SharedLine& line) {
    for (std::size_t i = 1; i < line.names.size(); ++i) {
      const int front = index_of(line.names[i - 1]);
      const int back = index_of(line.names[i]);
      const auto fail = [&](const char* why) {
        fail_at(listing_.file, line.names[i].position, fmt::format("'{}' {}", line.names[i].text, why),
                "expected regions that can lie one directly behind the other");
      };
      for (const DeclaredRegion& other : out_.regions) {
        if (other.behind == front) {
          fail(other.name == line.names[i].text ? "is on that line already" : "has no room there");
        }
      }
      if (out_.regions[static_cast<std::size_t>(back)].behind >= 0) {
        fail("lies behind another region already");
      }
      for (int at = front; at >= 0; at = out_.regions[static_cast<std::size_t>(at)].behind) {
        if (at == back) {
          fail("cannot lie behind itself");
        }
      }
      out_.regions[static_cast<std::size_t>(back)].behind = front;
    }
  }

  const Listing& listing_;
  Variant variant_;
  Declarations out_;
  std::int64_t cells_ = 0;
};

/// The core or task that code is for: "" is a core.
struct AgentKey {
  int rank = 0;
  int core = 0;
  std::string task;

  friend bool operator==(const AgentKey&, const AgentKey&) = default;
};

class AgentReader {
 public:
  AgentReader(const Listing& listing, const Declarations& declarations)
      : listing_(listing), environment_{listing.file, 0, declarations.ranks, false} {}

  void begin(const Block& block) {
    current_.clear();
    std::vector<int> ranks = values(block.ranks, environment_.ranks - 1, "the rank");
    if (block.ranks.empty()) {
      for (int rank = 0; rank < environment_.ranks; ++rank) {
        ranks.push_back(rank);
      }
    }
    std::vector<int> cores = values(block.cores, 1023, "the core");
    if (cores.empty()) {
      cores.push_back(0);
    }
    for (const int rank : ranks) {
      for (const int core : cores) {
        current_.push_back(index_of({rank, core, block.task}));
      }
    }
    has_begun_ = true;
  }

  void add(const Line& line, const Statement& statement) {
    if (!has_begun_) {
      fail_at(listing_.file, line.position, fmt::format("'{}' is in no block", statement.instruction),
              "expected 'rank 0:' or 'all:' before the first statement");
    }
    for (const std::size_t agent : current_) {
      agents_[agent].statements.push_back({line.position, &statement});
    }
  }

  std::vector<Agent> finish() {
    std::vector<std::size_t> order(keys_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::stable_sort(order.begin(), order.end(),
                     [this](std::size_t a, std::size_t b) { return keys_[a].rank < keys_[b].rank; });
    std::vector<Agent> out;
    for (const std::size_t i : order) {
      const AgentKey& key = keys_[i];
      const auto is_of_rank = [&](const AgentKey& other) { return other.rank == key.rank; };
      const bool is_alone = std::count_if(keys_.begin(), keys_.end(), is_of_rank) == 1;
      Agent& agent = agents_[i];
      agent.spec.rank = key.rank;
      agent.spec.name = !key.task.empty()           ? fmt::format("rank {} task {}", key.rank, key.task)
                        : is_alone && key.core == 0 ? fmt::format("rank {}", key.rank)
                                                    : fmt::format("rank {} core {}", key.rank, key.core);
      out.push_back(std::move(agent));
    }
    return out;
  }

 private:
  [[nodiscard]] std::vector<int> values(const std::vector<Expression>& expressions, int most, const char* what) const {
    std::vector<int> out;
    for (const Expression& expression : expressions) {
      const int value = static_cast<int>(expression.evaluate_within(environment_, 0, most, what));
      if (std::find(out.begin(), out.end(), value) != out.end()) {
        fail_at(listing_.file, expression.position(), fmt::format("{} {} is named twice", what, value),
                "expected each once");
      }
      out.push_back(value);
    }
    return out;
  }

  std::size_t index_of(const AgentKey& key) {
    const auto found = std::find(keys_.begin(), keys_.end(), key);
    if (found != keys_.end()) {
      return static_cast<std::size_t>(found - keys_.begin());
    }
    keys_.push_back(key);
    agents_.emplace_back();
    return keys_.size() - 1;
  }

  const Listing& listing_;
  Environment environment_;
  bool has_begun_ = false;
  std::vector<AgentKey> keys_;
  std::vector<Agent> agents_;
  std::vector<std::size_t> current_;
};

/// A cube kernel is known by its work.
CoreType type_of(const std::vector<PlacedStatement>& statements) {
  bool is_cube = false;
  bool is_vector = false;
  for (const auto& [position, statement] : statements) {
    const bool is_work = statement->verb == Verb::kStore || statement->verb == Verb::kCompute;
    is_cube |=
        is_work && (statement->pipe == Pipe::kFix || statement->pipe == Pipe::kM || statement->pipe == Pipe::kMte1);
    is_vector |= is_work && statement->pipe == Pipe::kV;
  }
  return !is_cube ? CoreType::kVector : is_vector ? CoreType::kMixed : CoreType::kCube;
}

}  // namespace

int Declarations::find(const std::string& name) const noexcept {
  const auto found =
      std::find_if(regions.begin(), regions.end(), [&](const DeclaredRegion& region) { return region.name == name; });
  return found == regions.end() ? -1 : static_cast<int>(found - regions.begin());
}

Declarations declarations_of(const Listing& listing, Variant variant) {
  return DeclarationReader(listing, variant).read();
}

std::vector<Agent> agents_of(const Listing& listing, Variant variant, const Declarations& declarations) {
  AgentReader reader(listing, declarations);
  for (const Line& line : listing.lines) {
    if (!is_in(line, variant)) {
      continue;
    }
    if (const auto* const block = std::get_if<Block>(&line.content)) {
      reader.begin(*block);
    } else if (const auto* const statement = std::get_if<Statement>(&line.content)) {
      reader.add(line, *statement);
    }
  }
  std::vector<Agent> agents = reader.finish();
  for (Agent& agent : agents) {
    agent.spec.type = type_of(agent.statements);
  }
  return agents;
}

}  // namespace tileput::check::litmus
