// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "tileput/worker.hpp"

namespace tileput {

namespace {

constexpr std::size_t kDimsMax = 5;

/// What the kernel ABI can express: dense strides have 32 bits.
void check_shape(DataType type, const std::vector<std::uint32_t>& shape) {
  if (type > DataType::kBool) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a tensor of element type {}", static_cast<int>(type)),
                "use a value of DataType");
  }
  if (shape.empty() || shape.size() > kDimsMax) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a tensor of {} dimensions", shape.size()),
                fmt::format("tensors have 1 to {}", kDimsMax));
  }
  std::uint64_t stride = 1;
  for (std::size_t d = shape.size() - 1; d > 0; --d) {
    stride *= std::max<std::uint32_t>(shape[d], 1);
    if (stride > std::numeric_limits<std::uint32_t>::max()) {
      throw Error(ErrorCode::kBadArgument, fmt::format("a tensor of shape ({})", fmt::join(shape, ", ")),
                  "the kernel ABI has 32-bit strides: the product of all dimensions but the first is below 2^32");
    }
  }
  if (stride * shape.front() > std::numeric_limits<std::uint64_t>::max() / 16) {  // elements of up to 8 bytes
    throw Error(ErrorCode::kBadArgument, fmt::format("a tensor of shape ({})", fmt::join(shape, ", ")),
                "its bytes do not fit into 63 bits");
  }
}

}  // namespace

std::size_t element_bytes(DataType type) noexcept {
  switch (type) {
    case DataType::kInt8:
    case DataType::kUint8:
    case DataType::kBool: return 1;
    case DataType::kFloat16:
    case DataType::kBfloat16:
    case DataType::kInt16:
    case DataType::kUint16: return 2;
    case DataType::kFloat32:
    case DataType::kInt32:
    case DataType::kUint32: return 4;
    case DataType::kInt64:
    case DataType::kUint64: return 8;
  }
  return 1;
}

Tensor::Tensor(void* data, DataType type, std::vector<std::uint32_t> shape)
    : data_(data), type_(type), writable_(true), shape_(std::move(shape)) {
  check_shape(type_, shape_);
}

Tensor::Tensor(const void* data, DataType type, std::vector<std::uint32_t> shape)
    : data_(data), type_(type), writable_(false), shape_(std::move(shape)) {
  check_shape(type_, shape_);
}

std::uint64_t Tensor::elements() const noexcept {
  return std::accumulate(shape_.begin(), shape_.end(), std::uint64_t{1}, std::multiplies<>());
}

std::uint32_t Tensor::extent(std::size_t elements) {
  if (elements > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorCode::kBadArgument, fmt::format("a dimension of {} elements", elements),
                "the kernel ABI has 32-bit shapes; use more dimensions");
  }
  return static_cast<std::uint32_t>(elements);
}

WindowBuffer Domain::buffer(std::string_view name) const {
  WindowBuffer found;
  found.domain = id_;
  std::vector<std::string> names;
  for (const BufferSpec& spec : buffers_) {
    if (spec.name == name) {
      found.bytes = spec.bytes;
      found.type = spec.type;
      found.elements = *spec.elements;
      return found;
    }
    names.push_back(spec.name);
    found.offset_bytes += spec.bytes;
  }
  throw Error(ErrorCode::kBadArgument, fmt::format("domain {} has no buffer '{}'", id_, name),
              fmt::format("its buffers are: {}", fmt::join(names, ", ")));
}

TaskArgs& TaskArgs::add(const Tensor& tensor, Direction direction) {
  if (direction != Direction::kInput && !tensor.is_writable()) {
    throw Error(ErrorCode::kBadArgument,
                fmt::format("tensor argument {} is an output in read-only memory", tensors_.size()),
                "pass mutable memory, or add it as an input");
  }
  if (!scalars_.empty()) {
    throw Error(ErrorCode::kBadArgument, fmt::format("tensor argument {} after a scalar", tensors_.size()),
                "add all tensors first");
  }
  tensors_.push_back({direction, tensor, {}});
  return *this;
}

TaskArgs& TaskArgs::add_inout(const WindowBuffer& buffer) {
  if (!scalars_.empty()) {
    throw Error(ErrorCode::kBadArgument, fmt::format("tensor argument {} after a scalar", tensors_.size()),
                "add all tensors first");
  }
  tensors_.push_back({Direction::kInout, std::nullopt, buffer});
  return *this;
}

TaskArgs& TaskArgs::add_context(const Domain& domain) {
  scalars_.push_back({true, domain.id()});
  return *this;
}

TaskArgs& TaskArgs::add_bits(std::uint64_t bits) {
  scalars_.push_back({false, bits});
  return *this;
}

std::string_view version() noexcept { return TILEPUT_VERSION; }

}  // namespace tileput
