// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The head of .npy files, versions 1 to 3, row-major and little-endian.

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "tileput/worker.hpp"

namespace tileput::cli {

struct NpyHead {
  std::string type;  ///< "<f4"
  std::vector<std::uint32_t> shape;
  std::uint64_t bytes = 0;  ///< of the head itself
};

/// Errors: kBadArgument for what is no such file, is column-major, or has other than 1 to 5 dimensions.
NpyHead read_npy_head(std::ifstream& in, const std::string& file);

/// The head that goes before the elements, a multiple of 64 bytes.
std::string npy_head(DataType type, const std::vector<std::uint32_t>& shape);

/// Whether elements of that description are of this type. bfloat16 is uint16 or two bytes of no type there.
bool is_npy_type(const std::string& npy, DataType type);

}  // namespace tileput::cli
