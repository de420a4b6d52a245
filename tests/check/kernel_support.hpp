// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Kernels of several ranks on one checked machine, in one process and without a worker: memory with names, a
/// CommContext and cores for each rank, calls back to back.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <platform_comm/comm_context.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/source_line.hpp"
#include "check/explore.hpp"
#include "check/finding.hpp"
#include "check/kernel_observer.hpp"
#include "check/machine.hpp"
#include "machine/on_chip.hpp"
#include "tileput/machine/core.hpp"

namespace tileput::check::test {

/// Zeroed memory at a multiple of 4,096 bytes.
class AlignedMemory {
 public:
  static constexpr std::size_t kAlignment = 4096;

  void resize(std::size_t bytes) {
    memory_.reset(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment})));
    bytes_ = bytes;
    clear();
  }
  void clear() { std::memset(memory_.get(), 0, bytes_); }
  [[nodiscard]] std::byte* data() const noexcept { return memory_.get(); }

 private:
  struct Free {
    void operator()(std::byte* memory) const { ::operator delete (memory, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t bytes_ = 0;
};

/// A named buffer that every rank has.
struct Buffer {
  std::string name;
  Memory memory;
  std::size_t offset;
  std::size_t bytes;
};

class Kernel;

/// "kernel.cpp:88" of a program counter in this program.
inline std::string line_of(std::uint64_t place) {
  static base::SourceLines lines;  // opening an object takes milliseconds, looking a line up a tenth of one
  static std::map<std::uint64_t, std::string> found;
  if (const auto known = found.find(place); known != found.end()) {
    return known->second;
  }
  Dl_info object{};
  const auto* const address = reinterpret_cast<const char*>(place);
  if (dladdr(address, &object) == 0 || object.dli_fname == nullptr) {
    return {};
  }
  return found[place] =
             lines.find(object.dli_fname, static_cast<std::uint64_t>(address - static_cast<char*>(object.dli_fbase)));
}

struct WorldOptions {
  int ranks = 2;
  int blocks = 1;
  CoreType type = CoreType::kVector;
};

struct RunOptions {
  std::uint64_t seed = 1;
  int calls = 1;
  bool delay_effects = true;
  Model model = Model::kHardware;
};

/// Buffers are added first; then runs, each from memory that the test has filled.
class World {
 public:
  explicit World(const WorldOptions& options = {}) : options_(options) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// `bytes` in the window of every rank, or private to it, at a multiple of 64 bytes. Unless they follow `directly`, a
  /// line without a name lies before them.
  const Buffer& window(const std::string& name, std::size_t bytes, bool directly = false) {
    return add(name, Memory::kWindow, bytes, directly);
  }
  const Buffer& gm(const std::string& name, std::size_t bytes) { return add(name, Memory::kPrivate, bytes, false); }

  template <class T>
  T* at(const Buffer& buffer, int rank) {
    allocate();
    Rank& memory = ranks_[static_cast<std::size_t>(rank)];
    AlignedMemory& base = buffer.memory == Memory::kWindow ? memory.window : memory.gm;
    return reinterpret_cast<T*>(base.data() + buffer.offset);
  }
  [[nodiscard]] int ranks() const noexcept { return options_.ranks; }
  [[nodiscard]] CommContext& context(int rank) {
    allocate();
    return ranks_[static_cast<std::size_t>(rank)].context;
  }
  machine::Core& core(int rank, int block) {
    allocate();
    return ranks_[static_cast<std::size_t>(rank)].cores[static_cast<std::size_t>(block)]->core;
  }
  /// All memory of all ranks becomes zero.
  void clear() {
    allocate();
    for (Rank& rank : ranks_) {
      rank.window.clear();
      rank.gm.clear();
    }
  }

  /// Runs `calls` calls of the kernel on every block of every rank.
  RunResult run(const RunOptions& options, const std::function<void(Kernel&)>& kernel);

 private:
  struct Block {
    machine::OnChipMemory on_chip;
    machine::Core core;
  };
  struct Rank {
    AlignedMemory window;
    AlignedMemory gm;
    CommContext context{};
    std::vector<std::unique_ptr<Block>> cores;
  };

  const Buffer& add(const std::string& name, Memory memory, std::size_t bytes, bool directly) {
    EXPECT_TRUE(ranks_.empty()) << "buffers come before the first use";
    std::size_t& end = memory == Memory::kWindow ? window_bytes_ : gm_bytes_;
    const std::size_t offset = end + (directly ? 0 : kLineBytes);
    end = (offset + bytes + kLineBytes - 1) / kLineBytes * kLineBytes;
    buffers_.push_back(std::make_unique<Buffer>(Buffer{name, memory, offset, bytes}));
    return *buffers_.back();
  }
  void allocate();

  WorldOptions options_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::size_t window_bytes_ = 0;
  std::size_t gm_bytes_ = 0;
  std::vector<Rank> ranks_;
};

/// One block of one rank in one call.
class Kernel {
 public:
  Kernel(World& world, int rank, int block, int call) : world_(world), rank_(rank), block_(block), call_(call) {}

  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int block() const noexcept { return block_; }
  [[nodiscard]] int call() const noexcept { return call_; }
  [[nodiscard]] int next() const noexcept { return (rank_ + 1) % world_.ranks(); }
  [[nodiscard]] CommContext& context() const { return world_.context(rank_); }

  /// Element 0 of this rank's buffer; of a peer's.
  template <class T = float>
  T* own(const Buffer& buffer) const {
    return world_.at<T>(buffer, rank_);
  }
  template <class T = float>
  T* of(int peer, const Buffer& buffer) const {
    return world_.at<T>(buffer, peer);
  }

 private:
  World& world_;
  int rank_;
  int block_;
  int call_;
};

inline void World::allocate() {
  if (!ranks_.empty()) {
    return;
  }
  ranks_.resize(static_cast<std::size_t>(options_.ranks));
  for (Rank& rank : ranks_) {
    rank.window.resize(window_bytes_ + kLineBytes);
    rank.gm.resize(gm_bytes_ + kLineBytes);
    for (int block = 0; block < options_.blocks; ++block) {
      auto& made = *rank.cores.emplace_back(std::make_unique<Block>());
      made.on_chip.attach(made.core);
      made.core.block_index = block;
      made.core.block_count = options_.blocks;
    }
  }
  for (std::uint32_t rank = 0; rank < ranks_.size(); ++rank) {
    CommContext& context = ranks_[rank].context;
    context.rankId = rank;
    context.rankNum = static_cast<std::uint32_t>(ranks_.size());
    context.winSize = window_bytes_ + kLineBytes;
    for (std::size_t peer = 0; peer < ranks_.size(); ++peer) {
      context.windowsIn[peer] = context.windowsOut[peer] = reinterpret_cast<std::uint64_t>(ranks_[peer].window.data());
    }
  }
}

inline RunResult World::run(const RunOptions& options, const std::function<void(Kernel&)>& kernel) {
  allocate();
  const auto explorer = make_explorer({.mode = ExploreOptions::Mode::kRandom, .seed = options.seed});
  explorer->begin_run();
  Machine machine({.model = options.model, .delay_effects = options.delay_effects, .steps_max = 1'000'000}, *explorer);
  machine.set_place_text(line_of);
  for (int rank = 0; rank < options_.ranks; ++rank) {
    for (const auto& buffer : buffers_) {
      machine.memory().add({.name = buffer->name,
                            .range = {reinterpret_cast<Address>(at<std::byte>(*buffer, rank)), buffer->bytes},
                            .memory = buffer->memory,
                            .rank = rank});
    }
    for (int block = 0; block < options_.blocks; ++block) {
      add_on_chip_regions(machine.memory(), core(rank, block), rank);
    }
  }
  for (int rank = 0; rank < options_.ranks; ++rank) {
    for (int block = 0; block < options_.blocks; ++block) {
      const std::string name = "rank " + std::to_string(rank) + " block " + std::to_string(block);
      const auto body = [&, rank, block](CheckedCore& checked) {
        machine::Core& own = core(rank, block);
        KernelObserver observer(machine, checked, own);
        own.observer = &observer;
        own.async_transfers = 0;
        machine::tileput_current_core = &own;
        for (int call = 0; call < options.calls; ++call) {
          if (call > 0) {
            checked.boundary({0, "launch"});
          }
          Kernel here(*this, rank, block, call);
          kernel(here);
        }
      };
      machine.spawn({.rank = rank, .name = name, .type = options_.type}, body);
    }
  }
  RunResult result = machine.run();
  explorer->end_run(machine.scheduler().actors());
  return result;
}

/// "RW:data" and so on, of the errors.
inline std::set<std::string> errors_of(const Findings& findings) {
  std::set<std::string> result;
  for (const Finding& finding : findings.all()) {
    if (!finding.is_warning) {
      result.insert(std::string(name_of(finding.kind)) + (finding.region.empty() ? "" : ":" + finding.region));
    }
  }
  return result;
}

inline std::string text_of(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings.all()) {
    text += describe(finding) + "\n";
  }
  return text;
}

}  // namespace tileput::check::test
