// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// The bytes that dispatch, local expert and combine move, by memcpy between places of the same kinds, without counts,
// weights or arithmetic: what those three kernels could reach at most.
//
// Arguments: bare_machine::MoeArgument. Route m of rank r goes to rank (r + m) % n; what is sent there from r lies in
// the part of the target's rows that belongs to r.

#include <cstring>

#include "cells.hpp"

namespace {

namespace bm = bare_machine;

std::uint8_t* bytes_of(std::int64_t arg) {
  return reinterpret_cast<std::uint8_t*>(bm::tensor_of(arg).data_as<std::int32_t>());
}

}  // namespace

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  const auto& context = *reinterpret_cast<const CommContext*>(args[bm::kMoeContext]);
  const bm::Cells cells(bm::tensor_of(args[bm::kMoeCells]), context);
  std::uint8_t* const x = bytes_of(args[bm::kMoeX]);
  std::uint8_t* const received = bytes_of(args[bm::kMoeReceived]);
  std::uint8_t* const copied = bytes_of(args[bm::kMoeCopied]);
  std::uint8_t* const processed = bytes_of(args[bm::kMoeProcessed]);
  std::uint8_t* const returned = bytes_of(args[bm::kMoeReturned]);
  std::uint8_t* const sums = bytes_of(args[bm::kMoeSums]);
  const auto row_bytes = static_cast<std::size_t>(args[bm::kMoeRowBytes]);
  const auto topk = static_cast<std::size_t>(args[bm::kMoeTopk]);
  const auto tokens = static_cast<std::size_t>(args[bm::kMoeTokens]);
  const std::size_t ranks = context.rankNum;
  const std::size_t routes = tokens * topk;
  alignas(64) static std::uint8_t tile[bm::kMoeRowBytesMax];

  const auto peer_of = [&](std::size_t route) { return static_cast<std::uint32_t>((context.rankId + route) % ranks); };
  // Rows that rank r sends to d, in the order of its routes, lie in part r of d's rows.
  const auto slot_of = [&](std::size_t route) {
    return (context.rankId * ((routes + ranks - 1) / ranks) + route / ranks) * row_bytes;
  };

  for (std::size_t route = 0; route < routes; ++route) {
    std::memcpy(bm::remote(context, received + slot_of(route), peer_of(route)), x + route / topk * row_bytes,
                row_bytes);
  }
  cells.meet();
  std::memcpy(copied, received, routes * row_bytes);
  for (std::size_t row = 0; row < routes; ++row) {
    std::memcpy(processed + row * row_bytes, copied + row * row_bytes, row_bytes);
  }
  for (std::size_t route = 0; route < routes; ++route) {
    std::memcpy(bm::remote(context, returned + slot_of(route), peer_of(route)), processed + route * row_bytes,
                row_bytes);
  }
  cells.meet();
  for (std::size_t token = 0; token < tokens; ++token) {
    for (std::size_t k = 0; k < topk; ++k) {
      std::memcpy(tile, returned + (token * topk + k) * row_bytes, row_bytes);
      __asm__ volatile("" ::"r"(tile) : "memory");  // each row is read, though the next one overwrites it
    }
    // Sums are float, twice as wide as what is summed.
    std::memcpy(sums + 2 * token * row_bytes, tile, row_bytes);
    std::memcpy(sums + (2 * token + 1) * row_bytes, tile, row_bytes);
  }
}
