// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The example's kernels with payloads of 8 and of 2 bytes: every byte of every slot, and those around them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "example_run.hpp"

namespace tileput::scene {
namespace {

/// One rank's elements between two guards, in memory that the rank uses in place.
template <class T>
class Guarded {
 public:
  Guarded(Worker& worker, std::size_t elements)
      : memory_(worker.allocate_tensor((elements + 2 * kGuard) * sizeof(T))), elements_(elements) {
    std::memset(memory_.data(), 0xA5, memory_.bytes());
  }

  [[nodiscard]] std::span<T> data() const { return memory_.as<T>().subspan(kGuard, elements_); }
  [[nodiscard]] std::vector<T> all() const { return {memory_.as<T>().begin(), memory_.as<T>().end()}; }

 private:
  static constexpr std::size_t kGuard = 64;
  SharedMemory memory_;
  std::size_t elements_;
};

class Payloads : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  Payloads() : worker_(example_options(ranks())), callable_(load_example(worker_, variant())) {}

  static const std::string& variant() { return std::get<0>(GetParam()); }
  static int ranks() { return std::get<1>(GetParam()); }

  /// One call with random elements, `count` for each destination.
  template <class T>
  void exchange(std::size_t count) {
    SCOPED_TRACE(count);
    const auto n = static_cast<std::size_t>(ranks());
    std::mt19937_64 random(count * 64 + n);
    std::vector<Guarded<T>> in;
    std::vector<Guarded<T>> out;
    std::vector<std::vector<T>> in_before;
    std::vector<std::vector<T>> expected;
    for (std::size_t rank = 0; rank < n; ++rank) {
      in.emplace_back(worker_, n * count);
      out.emplace_back(worker_, n * count);
      for (T& element : in.back().data()) {
        element = static_cast<T>(random());
      }
      in_before.push_back(in.back().all());
    }
    for (std::size_t rank = 0; rank < n; ++rank) {
      expected.push_back(out[rank].all());  // guards, and poison where the slots will be
      T* const slots = expected.back().data() + (expected.back().size() - n * count) / 2;
      for (std::size_t source = 0; source < n; ++source) {
        const T* const sent = in[source].data().data() + rank * count;
        std::copy(sent, sent + count, slots + source * count);
      }
    }
    worker_.run([&](Orchestrator& o) {
      const std::uint64_t words = count * sizeof(T) / all_to_all::kWordBytes;
      const Domain domain = o.allocate_domain(
          {.buffers = {{.name = "scratch", .bytes = all_to_all::window_of(slot_sets_of(variant()), n, words).bytes}}});
      std::vector<RankTask> group;
      for (std::size_t rank = 0; rank < n; ++rank) {
        TaskArgs args;
        args.add_input(Tensor::of(in[rank].data())).add_output(Tensor::of(out[rank].data()));
        args.add_inout(domain.buffer("scratch")).add_scalar(domain.size()).add_context(domain);
        group.push_back({static_cast<int>(rank), args});
      }
      o.submit_group(callable_, group);
    });
    for (std::size_t rank = 0; rank < n; ++rank) {
      EXPECT_TRUE(out[rank].all() == expected[rank]) << "slots or guards of rank " << rank;
      EXPECT_TRUE(in[rank].all() == in_before[rank]) << "the input of rank " << rank << " has changed";
    }
  }

  Worker worker_;
  Callable callable_;
};

TEST_P(Payloads, Of64Bits) {
  for (const std::size_t count : {0, 1, 63, 64, 65, 4096}) {
    exchange<std::int64_t>(count);
  }
}

/// Each rank's share is whole 4-byte words: an even count.
TEST_P(Payloads, Of16Bits) {
  for (const std::size_t count : {0, 2, 62, 64, 66, 4096}) {
    exchange<std::int16_t>(count);
  }
}

std::string payload_name(const testing::TestParamInfo<Payloads::ParamType>& info) {
  return std::get<0>(info.param) + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Variants, Payloads,
                         testing::Combine(testing::Values("push", "pull"), testing::Values(1, 2, 3, 4, 8, 16)),
                         payload_name);

}  // namespace
}  // namespace tileput::scene
