// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "tileput/error.hpp"

namespace tileput::cli {

namespace {

constexpr std::size_t kMagicBytes = 8;  // "\x93NUMPY", two of the version
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kHeadMax = 65536;
constexpr std::size_t kDimensionsMax = 5;

const char* npy_type(DataType type) {
  switch (type) {
    case DataType::kFloat32: return "<f4";
    case DataType::kFloat16: return "<f2";
    case DataType::kInt32: return "<i4";
    case DataType::kInt16: return "<i2";
    case DataType::kInt8: return "|i1";
    case DataType::kUint8: return "|u1";
    case DataType::kInt64: return "<i8";
    case DataType::kUint64: return "<u8";
    case DataType::kBfloat16:
    case DataType::kUint16: return "<u2";
    case DataType::kUint32: return "<u4";
    case DataType::kBool: return "|b1";
  }
  return "";
}

Error refuse(const std::string& file, const std::string& why) {
  return Error(ErrorCode::kBadArgument, fmt::format("{}: {}", file, why),
               "save a row-major array of 1 to 5 dimensions with numpy.save(), or use a raw file and a shape");
}

std::vector<std::uint32_t> shape_of(const std::string& text, const std::string& file) {
  std::vector<std::uint32_t> shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::uint32_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc()) {
      throw refuse(file, fmt::format("the shape ({}) is not one of numbers below 2^32", text));
    }
    shape.push_back(extent);
    at = next;
  }
  if (shape.empty() || shape.size() > kDimensionsMax) {
    throw refuse(file, fmt::format("an array of {} dimensions", shape.size()));
  }
  return shape;
}

/// What stands between `open` and the next `close` in the value of that key of the head, a dictionary of Python;
/// nullopt: no such value. `open` empty: from its start.
std::optional<std::string> value_of(const std::string& head, std::string_view key, std::string_view open, char close) {
  const std::string quoted = fmt::format("'{}'", key);
  std::size_t at = head.find(quoted);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  at = head.find_first_not_of(' ', at + quoted.size());
  if (at == std::string::npos || head[at] != ':') {
    return std::nullopt;
  }
  at = head.find_first_not_of(' ', at + 1);
  if (at == std::string::npos || head.compare(at, open.size(), open) != 0) {
    return std::nullopt;
  }
  at += open.size();
  const std::size_t end = head.find(close, at);
  return end == std::string::npos ? std::nullopt : std::optional(head.substr(at, end - at));
}

}  // namespace

NpyHead read_npy_head(std::ifstream& in, const std::string& file) {
  std::string magic(kMagicBytes, '\0');
  in.read(magic.data(), static_cast<std::streamsize>(magic.size()));
  const int version = in ? static_cast<unsigned char>(magic[6]) : 0;
  if (!in || magic.compare(0, 6, "\x93NUMPY") != 0 || version < 1 || version > 3) {
    throw refuse(file, "no .npy file of version 1 to 3");
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::string length(length_bytes, '\0');
  in.read(length.data(), static_cast<std::streamsize>(length_bytes));
  std::size_t head_bytes = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) {
    head_bytes |= static_cast<std::size_t>(static_cast<unsigned char>(length[i])) << (8 * i);
  }
  if (!in || head_bytes > kHeadMax) {
    throw refuse(file, "its head is cut off, or too long");
  }
  std::string head(head_bytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head_bytes));
  const std::optional<std::string> type = value_of(head, "descr", "'", '\'');
  const std::optional<std::string> order = value_of(head, "fortran_order", "", ',');
  const std::optional<std::string> shape = value_of(head, "shape", "(", ')');
  if (!in || !type || !order || !shape || (*order != "True" && *order != "False")) {
    throw refuse(file, "its head is none of a plain array");
  }
  NpyHead out{*type, shape_of(*shape, file), kMagicBytes + length_bytes + head_bytes};
  if (*order == "True" && out.shape.size() > 1) {
    throw refuse(file, "the array is column-major");
  }
  return out;
}

std::string npy_head(DataType type, const std::vector<std::uint32_t>& shape) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", npy_type(type),
                                 fmt::join(shape, ", "));
  constexpr std::size_t kFixed = kMagicBytes + 2 + 1;  // and the newline at its end
  const std::size_t padding = (kLineBytes - (kFixed + text.size()) % kLineBytes) % kLineBytes;
  text += std::string(padding, ' ') + "\n";
  std::string head("\x93NUMPY\x01\x00", kMagicBytes);
  head += static_cast<char>(text.size() & 0xffU);
  head += static_cast<char>(text.size() >> 8U);
  return head + text;
}

bool is_npy_type(const std::string& npy, DataType type) {
  return npy == npy_type(type) || (type == DataType::kBfloat16 && (npy == "<V2" || npy == "|V2"));
}

}  // namespace tileput::cli
