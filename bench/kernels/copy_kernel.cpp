// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// TPUT into the next rank's window against memcpy between the same addresses, all ranks at the same time.
//
// Arguments: bare_machine::CopyArgument. A sample is `repeats` transfers of the whole source. Each round takes one
// sample of each variant, in turns; before each, all ranks meet.

#include <cstring>
#include <utility>

#include "cells.hpp"

namespace {

namespace bm = bare_machine;

constexpr int kTileWords = 16384;
using WordShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
using WordStride = pto::Stride<1, 1, 1, 1, 1>;
using Words = pto::GlobalTensor<std::int32_t, WordShape, WordStride>;
using WordTile = pto::Tile<pto::TileType::Vec, std::int32_t, 1, kTileWords>;

/// Copies the same source to the same target, again and again.
class Copy {
 public:
  Copy(std::int32_t* target, std::int32_t* source, std::int64_t words)
      : target_(target), source_(source), words_(words) {
    TASSIGN(tile_, 0x0);
  }

  void put(std::int64_t repeats) {
    for (std::int64_t i = 0; i < repeats; ++i) {
      Words target(target_, WordShape(words_));
      Words source(source_, WordShape(words_));
      pto::comm::TPUT(target, source, tile_);
      __asm__ volatile("" ::: "memory");  // the compiler must not merge them
    }
  }

  /// As put(), on a core that knows no bounds.
  void put_unchecked(std::int64_t repeats) {
    tileput::machine::Core& core = tileput::machine::current_core();
    tileput::machine::KnownRange* const known = std::exchange(core.known, nullptr);
    put(repeats);
    core.known = known;
  }

  void memcpy(std::int64_t repeats) {
    auto bytes = static_cast<std::size_t>(words_) * sizeof(std::int32_t);
    __asm__("" : "+r"(bytes));  // a size that is unknown: the library's memcpy, as with TPUT
    for (std::int64_t i = 0; i < repeats; ++i) {
      std::memcpy(target_, source_, bytes);
      __asm__ volatile("" ::: "memory");
    }
  }

 private:
  std::int32_t* target_;
  std::int32_t* source_;
  std::int64_t words_;
  WordTile tile_;
};

}  // namespace

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  const auto& context = *reinterpret_cast<const CommContext*>(args[bm::kCopyContext]);
  const bm::Cells cells(bm::tensor_of(args[bm::kCopyCells]), context);
  const ChipTensor& whole = bm::tensor_of(args[bm::kCopySource]);
  const std::int64_t words = whole.shapes[0];
  auto* const source = whole.data_as<std::int32_t>();
  auto* const window = bm::tensor_of(args[bm::kCopyTarget]).data_as<std::int32_t>();
  auto* const samples = bm::tensor_of(args[bm::kCopySamples]).data_as<std::int64_t>();
  const std::int64_t repeats = args[bm::kCopyRepeats];
  Copy copy(bm::remote(context, window, (context.rankId + 1) % context.rankNum), source, words);

  // Once unmeasured: pages are mapped, and what arrived is compared. All sources hold the same.
  copy.put(1);
  cells.meet();
  for (std::int64_t i = 0; i < words; ++i) {
    samples[0] += window[i] != source[i] ? std::int64_t{sizeof(std::int32_t)} : 0;
  }
  cells.meet();
  copy.memcpy(1);

  for (std::int64_t round = 0; round < args[bm::kCopyRounds]; ++round) {
    for (int i = 0; i < bm::kCopyVariants; ++i) {
      const auto variant = static_cast<bm::CopyVariant>((round + i) % bm::kCopyVariants);
      cells.meet();
      const std::int64_t start = bm::now_ns();
      if (variant == bm::kCopyOurs) {
        copy.put(repeats);
      } else if (variant == bm::kCopyUnchecked) {
        copy.put_unchecked(repeats);
      } else {
        copy.memcpy(repeats);
      }
      samples[bm::kCopyFirstSample + round * bm::kCopyVariants + variant] = bm::now_ns() - start;
    }
  }
}
