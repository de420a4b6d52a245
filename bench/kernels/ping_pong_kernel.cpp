// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// TNOTIFY and TWAIT between two ranks against plain stores and loads on lines of the same windows.
//
// Arguments: bare_machine::PingPongArgument. A sample is `trips` round trips; one sample of each variant, the first of
// them by turns.

#include "cells.hpp"

namespace {

namespace bm = bare_machine;

/// Rank 0 sends and awaits, rank 1 awaits and sends; both return what `trips` of that took.
template <class Send, class Await>
std::int64_t trips_ns(const bm::Cells& cells, std::int64_t trips, std::uint32_t& count, Send&& send, Await&& await) {
  cells.meet();
  const std::int64_t start = bm::now_ns();
  for (std::int64_t trip = 0; trip < trips; ++trip) {
    ++count;
    if (cells.me() == 0) {
      send(count);
      await(count);
    } else {
      await(count);
      send(count);
    }
  }
  return bm::now_ns() - start;
}

std::int64_t notify_ns(const bm::Cells& cells, std::int64_t trips, pto::comm::NotifyOp op) {
  const std::uint32_t peer = 1 - cells.me();
  pto::comm::Signal there(cells.to(bm::kSignal, peer));
  pto::comm::Signal here(cells.from(bm::kSignal, peer));
  return trips_ns(
      cells, trips, cells.count(bm::kSignal),
      [&](std::uint32_t count) {
        const std::uint32_t value = op == pto::comm::NotifyOp::AtomicAdd ? 1 : count;
        pto::comm::TNOTIFY(there, static_cast<std::int32_t>(value), op);
      },
      [&](std::uint32_t count) { pto::comm::TWAIT(here, static_cast<std::int32_t>(count), pto::comm::WaitCmp::EQ); });
}

std::int64_t bare_ns(const bm::Cells& cells, std::int64_t trips) {
  const std::uint32_t peer = 1 - cells.me();
  std::int32_t* const there = cells.to(bm::kBare, peer);
  const std::int32_t* const here = cells.from(bm::kBare, peer);
  return trips_ns(
      cells, trips, cells.count(bm::kBare),
      [&](std::uint32_t count) { __atomic_store_n(there, static_cast<std::int32_t>(count), __ATOMIC_RELEASE); },
      [&](std::uint32_t count) { bm::Cells::await(here, count); });
}

}  // namespace

extern "C" __aicore__ void kernel_entry(__gm__ int64_t* args) {
  const auto& context = *reinterpret_cast<const CommContext*>(args[bm::kPingContext]);
  const bm::Cells cells(bm::tensor_of(args[bm::kPingCells]), context);
  const std::int64_t first = args[bm::kPingFirstSample];
  auto* const samples = bm::tensor_of(args[bm::kPingSamples]).data_as<std::int64_t>() + first;
  const std::int64_t trips = args[bm::kPingTrips];

  for (int i = 0; i < bm::kPingVariants; ++i) {
    const auto variant = static_cast<bm::PingVariant>((first / bm::kPingVariants + i) % bm::kPingVariants);
    switch (variant) {
      case bm::kPingAdd: samples[variant] = notify_ns(cells, trips, pto::comm::NotifyOp::AtomicAdd); break;
      case bm::kPingSet: samples[variant] = notify_ns(cells, trips, pto::comm::NotifyOp::Set); break;
      default: samples[variant] = bare_ns(cells, trips); break;
    }
  }
}
