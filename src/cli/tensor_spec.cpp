// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/tensor_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "base/system.hpp"
#include "cli/npy.hpp"
#include "tileput/error.hpp"
#include "tileput/machine/float16.hpp"

namespace tileput::cli {

namespace {

using std::string_view;

constexpr std::array<std::pair<const char*, DataType>, 12> kTypes = {{{"f32", DataType::kFloat32},
                                                                      {"f16", DataType::kFloat16},
                                                                      {"bf16", DataType::kBfloat16},
                                                                      {"i32", DataType::kInt32},
                                                                      {"i16", DataType::kInt16},
                                                                      {"i8", DataType::kInt8},
                                                                      {"u8", DataType::kUint8},
                                                                      {"u16", DataType::kUint16},
                                                                      {"u32", DataType::kUint32},
                                                                      {"i64", DataType::kInt64},
                                                                      {"u64", DataType::kUint64},
                                                                      {"bool", DataType::kBool}}};
constexpr std::array<const char*, 5> kFills = {"zeros", "ones", "iota", "random", "rank"};
constexpr std::size_t kDimensionsMax = 5;
constexpr auto kPoison = std::byte{0xcd};

const char* name_of(DataType type) {
  return std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& entry) { return entry.second == type; })->first;
}

const char* option_of(Role role) { return role == Role::kIn ? "--in" : role == Role::kInout ? "--inout" : "--out"; }

bool is_float(DataType type) {
  return type == DataType::kFloat32 || type == DataType::kFloat16 || type == DataType::kBfloat16;
}

bool is_signed(DataType type) {
  return type == DataType::kInt8 || type == DataType::kInt16 || type == DataType::kInt32 || type == DataType::kInt64;
}

/// One value for every type: `real` for floating point, the low bytes of `integer` for all others.
struct Number {
  double real = 0;
  std::uint64_t integer = 0;
};

Number number_of(std::uint64_t value) { return {static_cast<double>(value), value}; }

void store(DataType type, std::byte* target, const Number& value) {
  if (type == DataType::kFloat32) {
    const auto element = static_cast<float>(value.real);
    std::memcpy(target, &element, sizeof(element));
  } else if (is_float(type)) {
    const auto single = static_cast<float>(value.real);
    const std::uint16_t element =
        type == DataType::kFloat16 ? machine::half_bits_of(single) : machine::bfloat16_bits_of(single);
    std::memcpy(target, &element, sizeof(element));
  } else {
    const std::uint64_t element = type == DataType::kBool ? std::uint64_t{value.integer != 0} : value.integer;
    std::memcpy(target, &element, element_bytes(type));  // the low bytes come first on the machines that tileput knows
  }
}

/// Exact for every type: the mantissa has 64 bits or more.
long double load(DataType type, const std::byte* source) {
  if (type == DataType::kFloat32) {
    float element = 0;
    std::memcpy(&element, source, sizeof(element));
    return element;
  }
  std::uint64_t element = 0;
  std::memcpy(&element, source, element_bytes(type));
  if (is_float(type)) {
    const auto bits = static_cast<std::uint16_t>(element);
    return type == DataType::kFloat16 ? machine::float_of_half(bits) : machine::float_of_bfloat16(bits);
  }
  if (is_signed(type)) {
    const auto unused = static_cast<unsigned>(64 - 8 * element_bytes(type));
    return static_cast<std::int64_t>(element << unused) >> unused;
  }
  return element;
}

std::string text_of(DataType type, long double value) {
  return is_float(type) ? fmt::format("{:.6g}", static_cast<double>(value)) : fmt::format("{:.0f}", value);
}

/// The constant that `text` is, if it is one that elements of this type can hold.
std::optional<Number> constant_of(DataType type, const std::string& text) {
  const char* const end = text.data() + text.size();
  if (is_float(type)) {
    double real = 0;
    const auto [next, error] = std::from_chars(text.data(), end, real);
    if (error != std::errc() || next != end) {
      return std::nullopt;
    }
    std::array<std::byte, sizeof(float)> element{};
    store(type, element.data(), {real, 0});
    const bool fits = !std::isfinite(real) || std::isfinite(load(type, element.data()));
    return fits ? std::optional<Number>({real, 0}) : std::nullopt;
  }
  const unsigned bits = type == DataType::kBool ? 1U : static_cast<unsigned>(8 * element_bytes(type));
  if (is_signed(type)) {
    std::int64_t integer = 0;
    const auto [next, error] = std::from_chars(text.data(), end, integer);
    const std::int64_t greatest = std::numeric_limits<std::int64_t>::max() >> (64U - bits);
    const bool fits = integer <= greatest && integer >= -greatest - 1;
    return error == std::errc() && next == end && fits ? std::optional<Number>({0, static_cast<std::uint64_t>(integer)})
                                                       : std::nullopt;
  }
  std::uint64_t integer = 0;
  const auto [next, error] = std::from_chars(text.data(), end, integer);
  const bool fits = integer <= std::numeric_limits<std::uint64_t>::max() >> (64U - bits);
  return error == std::errc() && next == end && fits ? std::optional<Number>({0, integer}) : std::nullopt;
}

/// splitmix64: neighbours have nothing in common.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// Any integer; floating point in [-1, 1), a multiple of 2^-23.
Number random_number(std::uint64_t bits) {
  return {static_cast<double>(bits >> 40U) / static_cast<double>(1U << 23U) - 1, bits};
}

/// None if `text` is no shape: extents separated by x.
std::optional<std::vector<std::uint32_t>> shape_of(string_view text) {
  std::vector<std::uint32_t> shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    std::uint32_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc() || (next != end && *next != 'x')) {
      return std::nullopt;
    }
    shape.push_back(extent);
    if (next == end) {
      return shape.size() <= kDimensionsMax ? std::optional(shape) : std::nullopt;
    }
    at = next + 1;
  }
}

std::uint64_t bytes_of(const TensorSpec& spec, const std::vector<std::uint32_t>& shape) {
  constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 62U;
  std::uint64_t bytes = element_bytes(spec.type);
  for (const std::uint32_t extent : shape) {
    if (extent != 0 && bytes > kBytesMax / extent) {
      throw Error(ErrorCode::kBadArgument, fmt::format("{} {}: too many elements", option_of(spec.role), spec.text),
                  "use a smaller shape");
    }
    bytes *= extent;
  }
  return bytes;
}

}  // namespace

TensorSpec parse_tensor(Role role, std::size_t number, const std::string& text) {
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    return Error(ErrorCode::kBadArgument, fmt::format("{} {}: {}", option_of(role), text, why), hint);
  };
  const char* const form = role == Role::kOut
                               ? "write TYPE:SHAPE, for example f32:64x64"
                               : "write TYPE:FILL:SHAPE, for example f32:random:64x64, TYPE:@FILE.npy or "
                                 "TYPE:@FILE:SHAPE";
  TensorSpec spec;
  spec.role = role;
  spec.name = fmt::format("{}{}", option_of(role) + 2, number);
  spec.text = text;
  const std::size_t colon = text.find(':');
  const std::string type = text.substr(0, colon);
  const auto* const known =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& entry) { return entry.first == type; });
  if (known == kTypes.end()) {
    std::vector<const char*> names;
    names.reserve(std::size(kTypes));
    for (const auto& entry : kTypes) {
      names.push_back(entry.first);
    }
    throw refuse(fmt::format("no element type '{}'", type), fmt::format("there are {}", fmt::join(names, " ")));
  }
  spec.type = known->second;
  if (colon == std::string::npos) {
    throw refuse("a type alone", form);
  }
  const std::string rest = text.substr(colon + 1);
  const std::size_t last = rest.rfind(':');
  const std::string tail = last == std::string::npos ? rest : rest.substr(last + 1);
  const std::optional<std::vector<std::uint32_t>> shape = shape_of(tail);
  if (role != Role::kOut && rest.starts_with('@')) {
    spec.file = rest.substr(1, shape && last != std::string::npos ? last - 1 : std::string::npos);
    if (shape && last != std::string::npos) {
      spec.shape = *shape;
    } else if (!spec.file.ends_with(".npy")) {
      throw refuse("a raw file without a shape", form);
    }
    return spec;
  }
  if (!shape) {
    throw refuse(fmt::format("'{}' is no shape", tail),
                 "write 1 to 5 extents below 2^32 separated by x, like 256 or 64x64");
  }
  spec.shape = *shape;
  bytes_of(spec, spec.shape);
  if ((role == Role::kOut) != (last == std::string::npos)) {
    throw refuse(role == Role::kOut ? "an output has no contents" : "no contents", form);
  }
  if (role != Role::kOut) {
    spec.fill = rest.substr(0, last);
    if (std::find(kFills.begin(), kFills.end(), spec.fill) == kFills.end() && !constant_of(spec.type, spec.fill)) {
      throw refuse(fmt::format("'{}' is no contents of type {}", spec.fill, type),
                   fmt::format("there are {}, a number that fits, and @FILE", fmt::join(kFills, " ")));
    }
  }
  return spec;
}

std::string file_of_rank(const std::string& pattern, int rank) {
  std::string file;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern.compare(i, 2, "%r") == 0) {
      file += std::to_string(rank);
      ++i;
    } else {
      file += pattern[i];
    }
  }
  return file;
}

TensorLayout layout_of(const TensorSpec& spec, int rank) {
  TensorLayout layout{spec.shape, 0, 0};
  if (spec.file.empty()) {
    layout.bytes = bytes_of(spec, layout.shape);
    return layout;
  }
  const std::string file = file_of_rank(spec.file, rank);
  std::error_code error;
  std::ifstream in(file, std::ios::binary);
  const std::uint64_t file_bytes = std::filesystem::file_size(file, error);
  if (!in || error) {
    throw Error(ErrorCode::kNotFound, fmt::format("{} {}: no file '{}'", option_of(spec.role), spec.text, file),
                "name a file that can be read; %r in its name is the rank's number");
  }
  if (file.ends_with(".npy")) {
    const NpyHead head = read_npy_head(in, file);
    if (!is_npy_type(head.type, spec.type)) {
      throw Error(ErrorCode::kBadArgument,
                  fmt::format("{} has elements of type '{}', not {}", file, head.type, name_of(spec.type)),
                  "name its type, or convert it");
    }
    if (!spec.shape.empty() && spec.shape != head.shape) {
      throw Error(
          ErrorCode::kBadArgument,
          fmt::format("{} has the shape {}, not {}", file, fmt::join(head.shape, "x"), fmt::join(spec.shape, "x")),
          "leave the shape out, or correct it");
    }
    layout.shape = head.shape;
    layout.file_offset = head.bytes;
  }
  layout.bytes = bytes_of(spec, layout.shape);
  if (file_bytes < layout.file_offset || file_bytes - layout.file_offset != layout.bytes) {
    throw Error(
        ErrorCode::kBadArgument,
        fmt::format("{} has {} bytes; {} elements of type {} in the shape {} have {}", file,
                    file_bytes - std::min(file_bytes, layout.file_offset), layout.bytes / element_bytes(spec.type),
                    name_of(spec.type), fmt::join(layout.shape, "x"), layout.bytes),
        "correct the shape or the type, or name another file");
  }
  return layout;
}

void fill(const TensorSpec& spec, const TensorLayout& layout, const FillSeed& seed, std::span<std::byte> bytes) {
  const std::span<std::byte> data = bytes.first(layout.bytes);
  if (spec.role == Role::kOut) {
    std::fill(data.begin(), data.end(), kPoison);
    return;
  }
  if (!spec.file.empty()) {
    const std::string file = file_of_rank(spec.file, static_cast<int>(seed.rank));
    std::ifstream in(file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(layout.file_offset));
    in.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(data.size()));
    if (!in) {
      base::throw_errno("reading " + file, "check the file; it has changed since the run began, or cannot be read");
    }
    return;
  }
  const std::size_t width = element_bytes(spec.type);
  const std::uint64_t stream = mixed(mixed(mixed(seed.seed) ^ seed.tensor) ^ seed.rank);
  const std::optional<Number> constant = constant_of(spec.type, spec.fill);
  for (std::uint64_t i = 0; i < data.size() / width; ++i) {
    const Number value = spec.fill == "random"  ? random_number(mixed(stream + i))
                         : spec.fill == "iota"  ? number_of(i)
                         : spec.fill == "rank"  ? number_of(seed.rank)
                         : spec.fill == "ones"  ? number_of(1)
                         : spec.fill == "zeros" ? number_of(0)
                                                : *constant;
    store(spec.type, data.data() + i * width, value);
  }
}

std::string summary(const TensorSpec& spec, const TensorLayout& layout, std::span<const std::byte> bytes) {
  constexpr std::uint64_t kShown = 8;
  const std::size_t width = element_bytes(spec.type);
  const std::uint64_t elements = layout.bytes / width;
  long double least = std::numeric_limits<long double>::infinity();
  long double greatest = -least;
  std::uint64_t nans = 0;
  std::uint64_t poison = 0;
  std::vector<std::string> first;
  for (std::uint64_t i = 0; i < elements; ++i) {
    const std::span<const std::byte> element = bytes.subspan(i * width, width);
    const long double value = load(spec.type, element.data());
    if (i < kShown) {
      first.push_back(text_of(spec.type, value));
    }
    nans += std::isnan(value) ? 1 : 0;
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
    poison += std::all_of(element.begin(), element.end(), [](std::byte b) { return b == kPoison; }) ? 1 : 0;
  }
  std::string text = fmt::format("{} {}[{}]: {}{}", spec.name, name_of(spec.type), fmt::join(layout.shape, "x"),
                                 fmt::join(first, " "), elements > kShown ? " ..." : "");
  if (elements == 0) {
    return text + "no elements";
  }
  if (nans != elements) {
    text += fmt::format("; min {}, max {}", text_of(spec.type, least), text_of(spec.type, greatest));
  }
  if (is_float(spec.type)) {
    text += fmt::format(", {} NaN", nans);
  }
  // A single byte may well be 0xcd.
  if (spec.role == Role::kOut && width > 1 && poison != 0) {
    text += fmt::format(", {} of {} still poison (0xcd)", poison, elements);
  }
  return text;
}

void save(const std::string& file, const TensorSpec& spec, const TensorLayout& layout,
          std::span<const std::byte> bytes) {
  std::ofstream out(file, std::ios::binary);
  if (file.ends_with(".npy")) {
    out << npy_head(spec.type, layout.shape);
  }
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(layout.bytes));
  out.close();
  if (!out) {
    base::throw_errno("writing " + file, "name a file that can be written, in a directory that is there, with --save");
  }
}

}  // namespace tileput::cli
