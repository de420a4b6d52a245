// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Tensors as a command line describes them: "f32:random:64x64", "f32:64x64", "f32:@x_%r.npy", "f32:@x.bin:64x64".

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tileput/worker.hpp"

namespace tileput::cli {

enum class Role : std::uint8_t { kIn, kInout, kOut };

struct TensorSpec {
  Role role = Role::kIn;
  std::string name;  ///< "in0", "inout0", "out0": by role and order
  std::string text;  ///< as it was written
  DataType type = DataType::kFloat32;
  std::string fill;                  ///< "zeros", "random", a number, ...; empty with `file` and for outputs
  std::string file;                  ///< with %r where the rank's number goes
  std::vector<std::uint32_t> shape;  ///< empty: the file has it
};

/// Errors: kBadArgument with what may be written.
TensorSpec parse_tensor(Role role, std::size_t number, const std::string& text);

/// A tensor of one rank.
struct TensorLayout {
  std::vector<std::uint32_t> shape;
  std::uint64_t bytes = 0;
  std::uint64_t file_offset = 0;  ///< where the elements begin in its file
};

/// Looks at the file of that rank, if it has one. Errors: kNotFound, kBadArgument (size, element type).
TensorLayout layout_of(const TensorSpec& spec, int rank);

struct FillSeed {
  std::uint64_t seed;
  std::uint64_t tensor;  ///< its position among all
  std::uint64_t rank;
};

/// Writes the initial contents; outputs become poison, bytes of 0xcd.
void fill(const TensorSpec& spec, const TensorLayout& layout, const FillSeed& seed, std::span<std::byte> bytes);

/// One line: type, shape, first elements, least and greatest, NaNs, what is still poison.
std::string summary(const TensorSpec& spec, const TensorLayout& layout, std::span<const std::byte> bytes);

/// `pattern` with the rank's number in place of %r.
std::string file_of_rank(const std::string& pattern, int rank);

/// Writes elements; as .npy where the name ends so, else nothing but the elements.
/// bfloat16, which NumPy does not know, is saved as its bits, uint16.
void save(const std::string& file, const TensorSpec& spec, const TensorLayout& layout,
          std::span<const std::byte> bytes);

}  // namespace tileput::cli
