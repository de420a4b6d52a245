// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// TPUT, TGET, remote TLOAD and remote TSTORE between all pairs of ranks, every byte of every slot compared with a
// model.

#include <cstring>
#include <vector>

#include "conformance/support.hpp"
#include "conformance/transfer_cases.hpp"

namespace tileput::test {
namespace {

using transfer::Case;
using transfer::kCases;

using Bytes = std::vector<std::uint8_t>;

/// A byte that depends on who sends to whom and where, well mixed.
std::uint8_t byte_at(int source, int dest, std::size_t index) {
  std::uint64_t x = (static_cast<std::uint64_t>(source) << 40U) ^ (static_cast<std::uint64_t>(dest) << 32U) ^ index;
  x = (x + 0x9e3779b97f4a7c15U) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 31U)) * 0x94d049bb133111ebU;
  return static_cast<std::uint8_t>(x >> 56U);
}

/// What rank `source` has for rank `dest`.
Bytes slot_of(const Case& c, int source, int dest) {
  Bytes slot(static_cast<std::size_t>(c.slot * c.element_bytes));
  for (std::size_t i = 0; i < slot.size(); ++i) {
    slot[i] = byte_at(source, dest, i);
  }
  return slot;
}

/// The slow model: canaries, then element by element.
Bytes expected_slot(const Case& c, int source, int dest) {
  const Bytes from = slot_of(c, source, dest);
  Bytes to(from.size(), transfer::kCanary);
  const auto offset = [&](const transfer::View& view, const std::int64_t(&i)[5]) {
    std::int64_t element = view.lead;
    for (int d = 0; d < 5; ++d) {
      element += i[d] * view.stride[d];
    }
    return static_cast<std::size_t>(element * c.element_bytes);
  };
  std::int64_t i[5];
  for (i[0] = 0; i[0] < c.shape[0]; ++i[0]) {
    for (i[1] = 0; i[1] < c.shape[1]; ++i[1]) {
      for (i[2] = 0; i[2] < c.shape[2]; ++i[2]) {
        for (i[3] = 0; i[3] < c.shape[3]; ++i[3]) {
          for (i[4] = 0; i[4] < c.shape[4]; ++i[4]) {
            std::memcpy(&to.at(offset(c.target, i)), &from.at(offset(c.source, i)),
                        static_cast<std::size_t>(c.element_bytes));
          }
        }
      }
    }
  }
  return to;
}

class Transfer : public Ranks {
 protected:
  void expect_exchange(transfer::Mode mode) {
    Worker worker(options());
    const Callable callable = worker.load(callable_spec("transfer_kernel"));
    const int n = ranks();
    for (int index = 0; index < transfer::kCaseCount; ++index) {
      const Case& c = kCases[index];
      if ((mode == transfer::kLoadTile || mode == transfer::kStoreTile) && !c.whole_tile) {
        continue;
      }
      SCOPED_TRACE(c.name);
      std::vector<Bytes> in(static_cast<std::size_t>(n));
      const auto slot_bytes = static_cast<std::size_t>(c.slot * c.element_bytes);
      std::vector<Bytes> out(in.size(), Bytes(slot_bytes * in.size(), 0xEE));
      for (int rank = 0; rank < n; ++rank) {
        for (int dest = 0; dest < n; ++dest) {
          const Bytes slot = slot_of(c, rank, dest);
          in[static_cast<std::size_t>(rank)].insert(in[static_cast<std::size_t>(rank)].end(), slot.begin(), slot.end());
        }
      }
      const auto window = static_cast<std::uint64_t>(transfer::slots_bytes(c, n) + transfer::kSignalBytes);
      run_on_all(worker, callable, {{.name = "window", .bytes = window}},
                 [&](int rank, const Domain& domain, TaskArgs& args) {
                   args.add_input(Tensor::of(in[static_cast<std::size_t>(rank)]));
                   args.add_output(Tensor::of(out[static_cast<std::size_t>(rank)]));
                   args.add_inout(domain.buffer("window")).add_scalar(index).add_scalar(mode).add_context(domain);
                 });
      for (int rank = 0; rank < n; ++rank) {
        for (int source = 0; source < n; ++source) {
          const auto begin = out[static_cast<std::size_t>(rank)].begin() +
                             static_cast<std::ptrdiff_t>(static_cast<std::size_t>(source) * slot_bytes);
          EXPECT_TRUE(std::equal(begin, begin + static_cast<std::ptrdiff_t>(slot_bytes),
                                 expected_slot(c, source, rank).begin()))
              << "slot of rank " << source << " at rank " << rank;
        }
      }
    }
  }
};

TEST_P(Transfer, PutMovesTheRegionAndNothingElse) { expect_exchange(transfer::kPut); }
TEST_P(Transfer, GetMovesTheRegionAndNothingElse) { expect_exchange(transfer::kGet); }
TEST_P(Transfer, LoadReadsAPeersWindow) { expect_exchange(transfer::kLoad); }
TEST_P(Transfer, LoadReadsWholeTilesFromAPeersWindow) { expect_exchange(transfer::kLoadTile); }
TEST_P(Transfer, StoreWritesWholeTilesIntoAPeersWindow) { expect_exchange(transfer::kStoreTile); }

INSTANTIATE_TEST_SUITE_P(Conformance, Transfer, every_kind_of_ranks(), ranks_name);

}  // namespace
}  // namespace tileput::test
