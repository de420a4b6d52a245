// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/machine/reduce.hpp"

#include <algorithm>

#include "tileput/machine/transfer.hpp"

namespace tileput::machine {

namespace {

/// A block of the target takes on all members before the next block, so it stays in the first-level cache, which has
/// room for it and for one member's part beside it.
constexpr std::int64_t kBlockBytes = std::int64_t{8} << 10U;

/// Cuts tensors of one shape into blocks. The inner dimensions that are contiguous in all of them are one run; the next
/// outer one counts runs. A block is a few whole runs, or a part of one.
class Blocks {
 public:
  explicit Blocks(const GlobalRegion& first) : shape_(first) { include(first); }

  void include(const GlobalRegion& region) {
    std::int64_t run = 1;
    int outer = kDims;
    while (outer > 0 && (shape_.shape[outer - 1] == 1 || region.stride[outer - 1] == run)) {
      run *= shape_.shape[--outer];
    }
    if (outer >= outer_) {
      outer_ = outer;
      run_ = run;
    }
  }

  struct Block {
    std::int64_t index[kDims] = {};  ///< of its first run
    std::int64_t in_run = 0;         ///< elements of the run before it
    std::int64_t runs = 0;
    std::int64_t length = 0;
  };

  /// Makes `region` operand `operand` of the block's runs.
  void put(Runs& runs, int operand, const Block& block, const GlobalRegion& region) const {
    const auto bytes = static_cast<std::int64_t>(region.element_bytes);
    std::int64_t offset = block.in_run;
    for (int d = 0; d < outer_; ++d) {
      offset += block.index[d] * region.stride[d];
    }
    runs.address[operand] = region.address + offset * bytes;
    runs.pitch_bytes[operand] = outer_ > 0 ? region.stride[outer_ - 1] * bytes : 0;
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    if (shape_.elements() <= 0) {
      return;
    }
    const std::int64_t block_elements = kBlockBytes / shape_.element_bytes;
    const std::int64_t all_runs = outer_ > 0 ? shape_.shape[outer_ - 1] : 1;
    const std::int64_t runs = std::max<std::int64_t>(1, block_elements / run_);
    Block block;
    do {
      for (std::int64_t run = 0; run < all_runs; run += runs) {
        block.runs = std::min(runs, all_runs - run);
        if (outer_ > 0) {
          block.index[outer_ - 1] = run;
        }
        for (block.in_run = 0; block.in_run < run_; block.in_run += block_elements) {
          block.length = std::min(block_elements, run_ - block.in_run);
          visit(block);
        }
      }
    } while (next(block));
  }

 private:
  /// Advances the dimensions outside of a run count; false after the last.
  [[nodiscard]] bool next(Block& block) const {
    int d = outer_ - 2;
    while (d >= 0 && ++block.index[d] == shape_.shape[d]) {
      block.index[d--] = 0;
    }
    return d >= 0;
  }

  const GlobalRegion& shape_;
  int outer_ = 0;  ///< dimensions [0, outer_) are walked, the rest is one run
  std::int64_t run_ = 1;
};

Runs runs_of(const Blocks::Block& block) {
  Runs runs;
  runs.count = block.runs;
  runs.length = block.length;
  return runs;
}

}  // namespace

void combine_global(VectorOp op, const GlobalRegion& target, const GlobalRegion& source) {
  Blocks blocks(target);
  blocks.include(source);
  blocks.for_each([&](const Blocks::Block& block) {
    Runs runs = runs_of(block);
    blocks.put(runs, 0, block, target);
    blocks.put(runs, 1, block, target);
    blocks.put(runs, 2, block, source);
    combine(op, target.element, runs);
  });
}

void reduce(VectorOp op, const GlobalRegion& target, const Members& members) {
  const GlobalRegion own = members.at(members.tensors, members.root);
  if (members.count == 1) {
    copy_unless_same(target, own);
    return;
  }
  Blocks blocks(target);
  for (int rank = 0; rank < members.count; ++rank) {
    blocks.include(members.at(members.tensors, rank));
  }
  const int first = members.root == 0 ? 1 : 0;
  blocks.for_each([&](const Blocks::Block& block) {
    Runs runs = runs_of(block);
    blocks.put(runs, 0, block, target);
    blocks.put(runs, 1, block, own);  // the first step reads what the target would be a copy of
    for (int rank = first; rank < members.count; ++rank) {
      if (rank != members.root) {
        blocks.put(runs, 2, block, members.at(members.tensors, rank));
        combine(op, target.element, runs);
        blocks.put(runs, 1, block, target);
      }
    }
  });
}

}  // namespace tileput::machine
