// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// What instructions between tiles cost beside loops written for this machine, over the same on-chip memory, in turns.
// Only ratios are judged; see docs/benchmarks.md.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "by_hand.hpp"
#include "program.hpp"
#include "pto/pto-inst.hpp"
#include "tileput/error.hpp"

namespace {

using bench::Row;
using bench::Samples;
using bench::Target;
using pto::Tile;
using pto::TileType;

struct Options : bench::ProgramOptions {
  double batch_us = 500;
};

double seconds_of(const std::function<void()>& work, std::uint32_t repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < repeats; ++i) {
    work();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// How often `work` runs in about `batch_us`.
std::uint32_t repeats_for(const std::function<void()>& work, double batch_us) {
  std::uint32_t repeats = 1;
  while (seconds_of(work, repeats) * 1e6 < batch_us && repeats < 1U << 24U) {
    repeats *= 2;
  }
  return repeats;
}

/// Both in turns, a batch of each in every round; each function does `per_call` units of work. Nanoseconds per unit, or
/// where more is better, units per nanosecond.
Row compare(const Options& options, Row head, double per_call, const std::function<void()>& ours,
            const std::function<void()>& bare) {
  const std::uint32_t our_repeats = repeats_for(ours, options.batch_us);
  const std::uint32_t bare_repeats = repeats_for(bare, options.batch_us);
  Samples samples;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    const auto sample = [&](const std::function<void()>& work, std::uint32_t repeats, std::vector<double>& to) {
      const double ns = seconds_of(work, repeats) * 1e9 / repeats / per_call;
      to.push_back(head.target.bound == Target::Bound::kAtLeast ? 1 / ns : ns);
    };
    if (round % 2 == 0) {
      sample(bare, bare_repeats, samples.bare);
    }
    sample(ours, our_repeats, samples.ours);
    if (round % 2 != 0) {
      sample(bare, bare_repeats, samples.bare);
    }
  }
  return row_of(std::move(head), samples);
}

constexpr std::uint64_t kTileBytes = 64U << 10U;

Row head_of(const char* measure, std::uint64_t bytes, double at_most) {
  return {.measure = measure, .bytes = bytes, .unit = "ns", .target = {Target::Bound::kAtMost, at_most}};
}

/// Three tiles of 64 KiB, the operands filled with numbers that stay numbers.
template <class T>
struct Operands {
  static constexpr int kCols = 128;
  static constexpr int kRows = static_cast<int>(kTileBytes / sizeof(T)) / kCols;
  Tile<TileType::Vec, T, kRows, kCols> target;
  Tile<TileType::Vec, T, kRows, kCols> a;
  Tile<TileType::Vec, T, kRows, kCols> b;

  Operands() {
    TASSIGN(target, 0x0);
    TASSIGN(a, 0x10000);
    TASSIGN(b, 0x20000);
    for (std::uint32_t i = 0; i < count(); ++i) {
      a.SetValue(i, static_cast<T>(static_cast<float>(i % 61)));
      b.SetValue(i, static_cast<T>(static_cast<float>(i % 67) / 2));
    }
  }
  static constexpr std::uint32_t count() { return kRows * kCols; }
};

void element_wise(const Options& options, std::vector<Row>& rows) {
  Operands<float> f;
  rows.push_back(compare(
      options, head_of("TADD float / loop", kTileBytes, 1.5), 1, [&] { TADD(f.target, f.a, f.b); },
      [&] { by_hand::add_f32(f.target.data(), f.a.data(), f.b.data(), f.count()); }));
  rows.push_back(compare(
      options, head_of("TMULS float / loop", kTileBytes, 1.5), 1, [&] { TMULS(f.target, f.a, 1.5F); },
      [&] { by_hand::scale_f32(f.target.data(), f.a.data(), 1.5F, f.count()); }));

  const auto bits = [](auto* data) { return reinterpret_cast<std::uint16_t*>(data); };
  if (by_hand::kConvertsF16) {
    Operands<half> h;
    rows.push_back(compare(
        options, head_of("TADD half / loop", kTileBytes, 2.5), 1, [&] { TADD(h.target, h.a, h.b); },
        [&] { by_hand::add_f16(bits(h.target.data()), bits(h.a.data()), bits(h.b.data()), h.count()); }));
  }
  Operands<bfloat16_t> g;
  rows.push_back(compare(
      options, head_of("TADD bfloat16 / loop", kTileBytes, 2.5), 1, [&] { TADD(g.target, g.a, g.b); },
      [&] { by_hand::add_bf16(bits(g.target.data()), bits(g.a.data()), bits(g.b.data()), g.count()); }));
}

void conversion(const Options& options, std::vector<Row>& rows) {
  Operands<float> f;
  Tile<TileType::Vec, bfloat16_t, Operands<float>::kRows, Operands<float>::kCols> narrow;
  TASSIGN(narrow, 0x20000);
  const auto row = [&](const char* measure, pto::RoundMode mode) {
    rows.push_back(compare(
        options, head_of(measure, kTileBytes, 3), 1, [&] { TCVT(narrow, f.a, mode); },
        [&] { by_hand::copy(f.target.data(), f.a.data(), f.count()); }));
  };
  row("TCVT to bfloat16 RINT / copy", pto::RoundMode::CAST_RINT);
  row("TCVT to bfloat16 ROUND / copy", pto::RoundMode::CAST_ROUND);
  row("TCVT to bfloat16 FLOOR / copy", pto::RoundMode::CAST_FLOOR);
  row("TCVT to bfloat16 ODD / copy", pto::RoundMode::CAST_ODD);
}

void fixed_cost(const Options& options, std::vector<Row>& rows) {
  Tile<TileType::Vec, float, 1, 8> target;
  Tile<TileType::Vec, float, 1, 8> a;
  Tile<TileType::Vec, float, 1, 8> b;
  TASSIGN(target, 0x0);
  TASSIGN(a, 0x100);
  TASSIGN(b, 0x200);
  TEXPANDS(a, 1.0F);
  TEXPANDS(b, 2.0F);
  constexpr int kTimes = 64;  // what calling a std::function takes is shared by so many
  rows.push_back(compare(
      options, head_of("TADD 8 floats / two calls", a.GetSizeInBytes(), 7), kTimes,
      [&] {
        for (int i = 0; i < kTimes; ++i) {
          TADD(target, a, b);
        }
      },
      [&] {
        for (int i = 0; i < kTimes; ++i) {
          by_hand::add_half(target.data(), a.data(), b.data());
          by_hand::add_half(target.data() + 4, a.data() + 4, b.data() + 4);
        }
      }));
}

/// Products of kN x kN matrices, in floating-point operations per nanosecond.
template <int kN>
Row product(const Options& options) {
  pto::TileLeft<float, kN, kN> left;
  pto::TileRight<float, kN, kN> right;
  pto::TileAcc<float, kN, kN> acc;
  TASSIGN(left, 0x0);
  TASSIGN(right, 0x0);
  TASSIGN(acc, 0x0);
  std::vector<float> a(kN * kN);
  std::vector<float> b(kN * kN);
  std::vector<float> c(kN * kN);
  for (int row = 0; row < kN; ++row) {
    for (int col = 0; col < kN; ++col) {
      const std::size_t i = static_cast<std::size_t>(row + col * kN);
      left.SetElement(row, col, a[i] = static_cast<float>((row * 7 + col) % 13));
      right.SetElement(row, col, b[i] = static_cast<float>((row + col * 5) % 11));
    }
  }
  Row head{.measure = "TMATMUL float / Eigen",
           .bytes = a.size() * sizeof(float),
           .unit = "GF/s",
           .target = {Target::Bound::kAtLeast, 0.7}};
  const double operations = 2.0 * kN * kN * kN;
  head = compare(
      options, std::move(head), operations, [&] { TMATMUL(acc, left, right); },
      [&] { by_hand::multiply(c.data(), a.data(), b.data(), kN); });
  for (int row = 0; row < kN; ++row) {
    for (int col = 0; col < kN; ++col) {
      if (acc.GetElement(row, col) != c[static_cast<std::size_t>(row + col * kN)]) {
        throw tileput::Error(tileput::ErrorCode::kInternal,
                             fmt::format("element ({}, {}) of a product differs", row, col), "report this");
      }
    }
  }
  return head;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Costs of tile instructions against loops written for this machine, as ratios", "tile_instructions");
  Options options;
  options.csv = "build/bench/tile_instructions.csv";
  app.add_option("--batch-us", options.batch_us, "microseconds of one timed batch")->check(CLI::Range(0.1, 1e6));
  return bench::run_program(argc, argv, app, options, [&] {
    std::vector<Row> rows;
    element_wise(options, rows);
    conversion(options, rows);
    fixed_cost(options, rows);
    rows.push_back(product<64>(options));
    rows.push_back(product<128>(options));
    return rows;
  });
}
