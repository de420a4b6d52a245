// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The transfers of transfer_test.cpp, as the kernel and the test both see them.

#include <cstdint>

namespace transfer {

/// A strided 5-D region inside a slot that starts `lead` elements in.
struct View {
  int64_t lead;
  int64_t stride[5];
};

struct Case {
  const char* name;
  int64_t shape[5];
  View source;
  View target;
  int64_t slot;  ///< elements of a slot, canaries included; the same for source and target
  int element_bytes;
  bool whole_tile = false;  ///< one tile holds all of it: TLOAD and TSTORE move it at once
};

enum Mode : int { kPut, kGet, kLoad, kLoadTile, kStoreTile };

// clang-format off
inline constexpr Case kCases[] = {
    {"Rows2047By32",      {1, 1, 1, 2047, 32}, {8, {1, 1, 1, 32, 1}},  {16, {1, 1, 1, 32, 1}},   2048 * 32, 4},
    {"Rows65By104",       {1, 1, 1, 65, 104},  {8, {7, 7, 7, 104, 1}}, {16, {1, 1, 1, 104, 1}},  66 * 104, 4},
    {"FiveDimensions",    {2, 2, 1, 32, 32},   {8, {2048, 1024, 1024, 32, 1}}, {16, {2304, 1152, 9, 36, 1}}, 5000, 4, true},
    {"Rows7Of10By5Of7",   {1, 1, 1, 10, 7},    {8, {1, 1, 1, 7, 1}},   {16, {1, 1, 1, 9, 1}},    120, 4, true},
    {"SubRectangle",      {1, 1, 1, 12, 24},   {35, {1, 1, 1, 33, 1}}, {43, {1, 1, 1, 41, 1}},   16 * 41, 4, true},
    {"Column",            {1, 1, 1, 20, 1},    {3, {1, 1, 1, 17, 1}},  {5, {1, 1, 1, 19, 1}},    400, 4, true},
    {"HalfWords",         {1, 1, 3, 9, 20},    {8, {1, 1, 180, 20, 1}}, {16, {1, 1, 230, 25, 1}}, 720, 2, true},
    {"Bytes",             {1, 1, 1, 5, 33},    {8, {1, 1, 1, 33, 1}},  {16, {1, 1, 1, 40, 1}},   240, 1, true},
    {"DenseColumn",       {1, 1, 1, 20, 1},    {3, {1, 1, 1, 1, 1}},   {5, {1, 1, 1, 1, 1}},     64, 4, true},
    {"ColumnMajor",       {2, 1, 3, 13, 2},    {8, {90, 1, 30, 1, 15}}, {9, {120, 7, 40, 1, 20}}, 280, 4, true},
    {"OneElement",        {1, 1, 1, 1, 1},     {8, {1, 1, 1, 1, 1}},   {16, {1, 1, 1, 1, 1}},    32, 4, true},
    {"NoRows",            {1, 1, 1, 0, 8},     {8, {1, 1, 1, 8, 1}},   {16, {1, 1, 1, 8, 1}},    32, 4},
    {"NoColumns",         {2, 1, 1, 3, 0},     {8, {1, 1, 1, 8, 1}},   {16, {1, 1, 1, 8, 1}},    32, 4},
};
// clang-format on
inline constexpr int kCaseCount = sizeof(kCases) / sizeof(kCases[0]);

inline constexpr unsigned char kCanary = 0xA5;
/// Bytes of a window behind the slots: two lines of barrier words.
inline constexpr int64_t kSignalBytes = 512;

/// Bytes of one rank's slots, rounded up so that the barrier words behind them are aligned.
constexpr int64_t slots_bytes(const Case& c, int64_t ranks) {
  return (ranks * c.slot * c.element_bytes + 63) / 64 * 64;
}

}  // namespace transfer
