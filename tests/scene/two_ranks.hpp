// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Submissions to two ranks by hand, of what the host of an example would not submit: in, out, scratch; n, more
/// scalars, CommContext.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "expect_examples.hpp"

namespace tileput::scene {

/// What each of two ranks is given; a test makes one that is right and changes one thing of it.
struct Submission {
  std::vector<std::uint32_t> in_shape{64};
  std::vector<std::uint32_t> out_shape{64};
  DataType in_type = DataType::kFloat32;
  DataType out_type = DataType::kFloat32;
  std::int64_t ranks = 2;
  std::vector<std::uint64_t> scalars = {};
  std::uint64_t scratch_bytes = 0;
  std::uint64_t scratch_offset = 0;  ///< bytes of another buffer before it
};

/// A worker with two ranks and one callable. use_example_kernels() comes before.
class TwoRanks {
 public:
  static constexpr std::size_t kElementsMax = 256;
  using Outputs = std::vector<std::vector<float>>;

  /// Every element of in is 1 on rank 0 and 2 on rank 1, and of out -1 before each submission.
  TwoRanks(const CallableSpec& spec, Submission right)
      : worker_(example_worker(2)), callable_(worker_.load(spec)), right_(std::move(right)) {}

  const Outputs& submit(const Submission& what) {
    out_.assign(2, std::vector<float>(kElementsMax, -1));
    worker_.run([&](Orchestrator& o) {
      std::vector<BufferSpec> buffers{{.name = "scratch", .bytes = what.scratch_bytes}};
      if (what.scratch_offset != 0) {
        buffers.insert(buffers.begin(), {.name = "other", .bytes = what.scratch_offset, .type = DataType::kInt8});
      }
      const Domain domain = o.allocate_domain({.buffers = buffers});
      std::vector<RankTask> group;
      for (int rank = 0; rank < 2; ++rank) {
        const auto r = static_cast<std::size_t>(rank);
        TaskArgs args;
        args.add_input({in_[r].data(), what.in_type, what.in_shape});
        args.add_output({out_[r].data(), what.out_type, what.out_shape});
        args.add_inout(domain.buffer("scratch")).add_scalar(what.ranks);
        for (const std::uint64_t scalar : what.scalars) {
          args.add_scalar(scalar);
        }
        args.add_context(domain);
        group.push_back({rank, args});
      }
      o.submit_group(callable_, group);
    });
    return out_;
  }

  /// `change(submission)` makes the right submission one that is refused with this text, before anything is written.
  template <class Change>
  void expect_refused(const std::string& text, const Change& change) {
    Submission wrong = right_;
    change(wrong);
    scene::expect_refused(text, [&] { submit(wrong); });
    EXPECT_EQ(out_, Outputs(2, std::vector<float>(kElementsMax, -1))) << text;
  }

  /// What all of these orchestrations refuse alike.
  void expect_common_refusals() {
    expect_refused("0 ranks; a CommContext has room for 1 to 64", [](Submission& s) { s.ranks = 0; });
    expect_refused("65 ranks; a CommContext has room for 1 to 64", [](Submission& s) { s.ranks = 65; });
    expect_refused("a CommContext has room for 1 to 64", [](Submission& s) { s.ranks = -1; });
    expect_refused("1 ranks in a domain of 2", [](Submission& s) { s.ranks = 1; });
    expect_refused("3 ranks in a domain of 2", [](Submission& s) { s.ranks = 3; });
    const std::string needed = std::to_string(right_.scratch_bytes);
    expect_refused("scratch has " + std::to_string(right_.scratch_bytes - 1) + " bytes and needs " + needed,
                   [](Submission& s) { s.scratch_bytes -= 1; });
    expect_refused("scratch has 64 bytes and needs " + needed, [](Submission& s) { s.scratch_bytes = 64; });
    expect_refused("scratch is not aligned to 64 bytes", [](Submission& s) { s.scratch_offset = 4; });
  }

  /// The worker is still good: the right submission gives the first elements of each rank.
  void expect_right(const std::vector<std::vector<float>>& first) {
    const Outputs& out = submit(right_);
    for (std::size_t rank = 0; rank < first.size(); ++rank) {
      EXPECT_EQ(
          std::vector<float>(out[rank].begin(), out[rank].begin() + static_cast<std::ptrdiff_t>(first[rank].size())),
          first[rank])
          << "rank " << rank;
    }
  }

 private:
  Worker worker_;
  Callable callable_;
  Submission right_;
  Outputs in_{std::vector<float>(kElementsMax, 1), std::vector<float>(kElementsMax, 2)};
  Outputs out_;
};

}  // namespace tileput::scene
