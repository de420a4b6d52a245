// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Every rank moves one strided region to (or from) every rank, itself included. Slots start as canaries. Cases and
// tiles go by index in transfer::kCases.
//
// Arguments: in [n slots by destination, bytes], out [n slots by source, bytes], window [n slots, barrier words];
// case, mode, CommContext.

#include <pto/pto-inst.hpp>

#include "../transfer_cases.hpp"
#include "kernel_support.hpp"

namespace {

using AnyShape = pto::Shape<>;
using AnyStride = pto::Stride<>;
template <class T, pto::Layout layout = pto::Layout::ND>
using Region = pto::GlobalTensor<T, AnyShape, AnyStride, layout>;

template <class T, pto::Layout layout = pto::Layout::ND>
AICORE Region<T, layout> region(__gm__ T* slot, const transfer::Case& c, const transfer::View& view) {
  return Region<T, layout>(slot + view.lead, AnyShape(c.shape[0], c.shape[1], c.shape[2], c.shape[3], c.shape[4]),
                           AnyStride(view.stride[0], view.stride[1], view.stride[2], view.stride[3], view.stride[4]));
}

/// Remote TLOAD, row by row; TSTORE into the target.
template <class T>
AICORE void load_rows(Region<T>& target, Region<T>& source) {
  constexpr int kCols = 128;
  using Row = pto::Tile<pto::TileType::Vec, T, 1, kCols, pto::BLayout::RowMajor, 1, pto::DYNAMIC>;
  using RowShape = pto::Shape<1, 1, 1, 1, pto::DYNAMIC>;
  using RowStride = pto::Stride<1, 1, 1, 1, pto::DYNAMIC>;
  const int64_t cols = source.GetShape(4);
  if (cols == 0) {
    return;
  }
  Row tile(static_cast<unsigned>(cols));
  TASSIGN(tile, 0x20000);
  for (int64_t i0 = 0; i0 < source.GetShape(0); ++i0) {
    for (int64_t i1 = 0; i1 < source.GetShape(1); ++i1) {
      for (int64_t i2 = 0; i2 < source.GetShape(2); ++i2) {
        for (int64_t i3 = 0; i3 < source.GetShape(3); ++i3) {
          const auto offset = [&](const Region<T>& of) {
            return i0 * of.GetStride(0) + i1 * of.GetStride(1) + i2 * of.GetStride(2) + i3 * of.GetStride(3);
          };
          pto::GlobalTensor<T, RowShape, RowStride> from(source.data() + offset(source), RowShape(cols),
                                                         RowStride(source.GetStride(4)));
          pto::GlobalTensor<T, RowShape, RowStride> to(target.data() + offset(target), RowShape(cols),
                                                       RowStride(target.GetStride(4)));
          TLOAD(tile, from);
          set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
          wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
          TSTORE(to, tile);
          pipe_barrier(PIPE_ALL);
        }
      }
    }
  }
}

/// All of the region by one TLOAD and one TSTORE; one of both is remote.
template <class T, pto::Layout layout, class Tile>
AICORE void move_tile(const transfer::Case& c, Tile& tile, __gm__ T* target, __gm__ T* source) {
  Region<T, layout> from = region<T, layout>(source, c, c.source);
  Region<T, layout> to = region<T, layout>(target, c, c.target);
  TLOAD(tile, from);
  set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
  wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);
  TSTORE(to, tile);
  pipe_barrier(PIPE_ALL);
}

template <class T, pto::Layout layout = pto::Layout::ND, class Tile>
AICORE void exchange(const transfer::Case& c, int mode, Tile& tile, int64_t* args) {
  __gm__ T* in = reinterpret_cast<__gm__ T*>(test_kernel::data_of<uint8_t>(args[0]));
  __gm__ T* out = reinterpret_cast<__gm__ T*>(test_kernel::data_of<uint8_t>(args[1]));
  __gm__ uint8_t* base = test_kernel::data_of<uint8_t>(args[2]);
  __gm__ CommContext* ctx = test_kernel::context_of(args[5]);
  const int n = static_cast<int>(ctx->rankNum);
  const int me = static_cast<int>(ctx->rankId);
  __gm__ T* slots = reinterpret_cast<__gm__ T*>(base);
  __gm__ int32_t* words = reinterpret_cast<__gm__ int32_t*>(base + transfer::slots_bytes(c, n));
  const int64_t all = n * c.slot;
  TASSIGN(tile, 0x0);

  if (mode == transfer::kPut || mode == transfer::kStoreTile) {
    std::memset(static_cast<void*>(slots), transfer::kCanary, static_cast<std::size_t>(all) * sizeof(T));
    test_kernel::barrier(ctx, words, 1);
    for (int i = 0; i < n; ++i) {
      const int dest = (me + i) % n;
      __gm__ T* slot = test_kernel::remote(ctx, slots + me * c.slot, dest);
      if (mode == transfer::kStoreTile) {
        move_tile<T, layout>(c, tile, slot, in + dest * c.slot);
        continue;
      }
      Region<T> target = region(slot, c, c.target);
      Region<T> source = region(in + dest * c.slot, c, c.source);
      pto::comm::TPUT(target, source, tile);
    }
    test_kernel::barrier(ctx, words, 2);
    std::memcpy(static_cast<void*>(out), slots, static_cast<std::size_t>(all) * sizeof(T));
    return;
  }
  std::memset(static_cast<void*>(out), transfer::kCanary, static_cast<std::size_t>(all) * sizeof(T));
  std::memcpy(static_cast<void*>(slots), in, static_cast<std::size_t>(all) * sizeof(T));
  test_kernel::barrier(ctx, words, 1);
  for (int i = 0; i < n; ++i) {
    const int from = (me + i) % n;
    __gm__ T* slot = test_kernel::remote(ctx, slots + me * c.slot, from);
    if (mode == transfer::kLoadTile) {
      move_tile<T, layout>(c, tile, out + from * c.slot, slot);
      continue;
    }
    Region<T> target = region(out + from * c.slot, c, c.target);
    Region<T> source = region(slot, c, c.source);
    if (mode == transfer::kGet) {
      pto::comm::TGET(target, source, tile);
    } else {
      load_rows(target, source);
    }
  }
  test_kernel::barrier(ctx, words, 2);
}

template <class T, int kRows, int kCols, int kValidRows = kRows, int kValidCols = kCols>
using VecTile = pto::Tile<pto::TileType::Vec, T, kRows, kCols, pto::BLayout::RowMajor, kValidRows, kValidCols>;

/// Whole-tile modes through a `Whole`, the others through a `Staging`.
template <class T, class Staging, class Whole, pto::Layout layout = pto::Layout::ND>
AICORE void exchange(const transfer::Case& c, int mode, int64_t* args) {
  if (mode == transfer::kLoadTile || mode == transfer::kStoreTile) {
    Whole tile;
    exchange<T, layout>(c, mode, tile, args);
  } else {
    Staging tile;
    exchange<T>(c, mode, tile, args);
  }
}

template <class T, int kRows, int kCols, int kValidRows, int kValidCols>
using ColumnMajorTile = pto::Tile<pto::TileType::Vec, T, kRows, kCols, pto::BLayout::ColMajor, kValidRows, kValidCols>;

}  // namespace

extern "C" __aicore__ __attribute__((always_inline)) void kernel_entry(__gm__ int64_t* args) {
  const auto index = static_cast<int>(args[3]);
  const int mode = static_cast<int>(args[4]);
  const transfer::Case& c = transfer::kCases[index];
  switch (index) {
    case 0: {
      using Dynamic = VecTile<float, 64, 32, pto::DYNAMIC, pto::DYNAMIC>;
      Dynamic tile(64, 32);
      exchange<float>(c, mode, tile, args);
      break;
    }
    case 1: {
      VecTile<float, 16, 32, pto::DYNAMIC, pto::DYNAMIC> tile;
      exchange<float>(c, mode, tile, args);
      break;
    }
    case 2: exchange<float, VecTile<float, 32, 32>, VecTile<float, 128, 32>>(c, mode, args); break;
    case 3: exchange<float, VecTile<float, 5, 8, 5, 7>, VecTile<float, 16, 8, 10, 7>>(c, mode, args); break;
    case 4: exchange<int32_t, VecTile<int32_t, 4, 8>, VecTile<int32_t, 12, 24>>(c, mode, args); break;
    case 5:
      exchange<float, VecTile<float, 4, 8, pto::DYNAMIC, pto::DYNAMIC>, ColumnMajorTile<float, 24, 1, 20, 1>,
               pto::Layout::DN>(c, mode, args);
      break;
    case 6:
      exchange<int16_t, VecTile<int16_t, 3, 16, pto::DYNAMIC, pto::DYNAMIC>, VecTile<int16_t, 27, 32, 27, 20>>(c, mode,
                                                                                                               args);
      break;
    case 7:
      exchange<uint8_t, VecTile<uint8_t, 2, 32, pto::DYNAMIC, pto::DYNAMIC>, VecTile<uint8_t, 5, 64, 5, 33>>(c, mode,
                                                                                                             args);
      break;
    case 8:
      exchange<float, VecTile<float, 8, 8>, ColumnMajorTile<float, 32, 1, 20, 1>, pto::Layout::DN>(c, mode, args);
      break;
    case 9:
      exchange<float, VecTile<float, 4, 8>, ColumnMajorTile<float, 16, 12, 13, 12>, pto::Layout::DN>(c, mode, args);
      break;
    default: exchange<float, VecTile<float, 8, 8>, VecTile<float, 1, 8, 1, 1>>(c, mode, args); break;
  }
}
