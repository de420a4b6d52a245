// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// ChipTensor, the tensor descriptor that hosts, orchestrations and kernels share (spec section 16). C++17, global
/// namespace.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "data_type.h"
#include "tileput/error.hpp"

inline constexpr int MAX_TENSOR_DIMS = 5;

/// Names a submitted task; all-ones names none.
struct PTO2TaskId {
  uint64_t raw = ~uint64_t{0};
};

/// How a task uses a tensor argument.
enum class TensorArgType : int32_t { INPUT = 0, OUTPUT = 1, INOUT = 2, OUTPUT_EXISTING = 3, NO_DEP = 4 };

enum class TensorAddressSpace : uint8_t { HOST = 0, DEVICE = 1 };

/// A strided view of an allocation. Shapes, strides and offsets are in elements of `dtype`; element (i0, i1, ...) lies
/// at buffer.addr + (start_offset + sum of i_k * strides[k]) * element size.
///
///      0 buffer.addr    8 buffer.size   16 owner_task_id   24 start_offset   32 version   36 ndims
///     40 dtype         41 manual_dep    42 is_contiguous   43 address_space  44 shapes
///     64 extent_elements                72 strides         92 padding to 128
struct alignas(64) ChipTensor {
  struct Buffer {
    uint64_t addr = 0;  ///< address of the allocation
    uint64_t size = 0;  ///< bytes
  };

  Buffer buffer;
  PTO2TaskId owner_task_id;
  uint64_t start_offset = 0;
  int32_t version = 0;
  uint32_t ndims = 0;
  DataType dtype = DataType::FLOAT32;
  bool manual_dep = false;
  bool is_contiguous = true;
  TensorAddressSpace address_space = TensorAddressSpace::HOST;
  uint32_t shapes[MAX_TENSOR_DIMS] = {};
  uint64_t extent_elements = 0;  ///< elements from start_offset to the end of the last one; 0 when the tensor is empty
  uint32_t strides[MAX_TENSOR_DIMS] = {};

  /// The number of elements.
  uint64_t numel() const noexcept {
    uint64_t count = ndims == 0 ? 0 : 1;
    for (uint32_t d = 0; d < ndims; ++d) {
      count *= shapes[d];
    }
    return count;
  }

  /// The bytes of all elements, without gaps between them.
  uint64_t nbytes() const noexcept { return numel() * get_element_size(dtype); }

  /// The address of the first element, for T of the size of `dtype`.
  template <class T>
  T* data_as() const noexcept {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(buffer.addr)) + start_offset;
  }

  /// The part of `view_shapes` elements that starts at `offsets`, both with ndims entries. Shares the memory.
  /// Errors: kBadArgument when it does not lie inside this tensor.
  ChipTensor view(const uint32_t* view_shapes, const uint32_t* offsets) const {
    ChipTensor part = *this;
    for (uint32_t d = 0; d < ndims; ++d) {
      if (offsets[d] > shapes[d] || view_shapes[d] > shapes[d] - offsets[d]) {
        fail("ChipTensor::view: the part reaches beyond the tensor", "offsets[d] + shapes[d] is at most the extent");
      }
      part.start_offset += uint64_t{offsets[d]} * strides[d];
      part.shapes[d] = view_shapes[d];
    }
    part.refresh();
    return part;
  }

  /// The same elements in row-major order under another shape. Shares the memory.
  /// Errors: kBadArgument when this tensor is not contiguous or the number of elements differs.
  ChipTensor reshape(const uint32_t* new_shapes, uint32_t new_ndims) const {
    if (!is_contiguous) {
      fail("ChipTensor::reshape: the tensor is not contiguous", "reshape before view and transpose");
    }
    ChipTensor other = *this;
    other.set_dense(new_shapes, new_ndims);
    if (other.numel() != numel()) {
      fail("ChipTensor::reshape: the number of elements differs", "keep the product of the extents");
    }
    return other;
  }

  /// The same elements with dimensions `a` and `b` exchanged. Shares the memory.
  /// Errors: kBadArgument when there is no such dimension.
  ChipTensor transpose(uint32_t a, uint32_t b) const {
    if (a >= ndims || b >= ndims) {
      fail("ChipTensor::transpose: no such dimension", "dimensions are 0 to ndims - 1");
    }
    ChipTensor other = *this;
    other.shapes[a] = shapes[b];
    other.shapes[b] = shapes[a];
    other.strides[a] = strides[b];
    other.strides[b] = strides[a];
    other.refresh();
    return other;
  }

  /// Makes this a dense row-major tensor of the given shape; memory and offset stay.
  /// Errors: kBadArgument for other than 1 to 5 dimensions, or where a stride exceeds 32 bits.
  void set_dense(const uint32_t* new_shapes, uint32_t new_ndims) {
    if (new_ndims < 1 || new_ndims > static_cast<uint32_t>(MAX_TENSOR_DIMS)) {
      fail("ChipTensor: the number of dimensions is not 1 to 5", "fold dimensions together");
    }
    uint64_t stride = 1;
    uint32_t new_strides[MAX_TENSOR_DIMS] = {};
    for (uint32_t d = new_ndims; d-- > 0;) {
      if (stride > UINT32_MAX) {
        fail("ChipTensor: a stride does not fit into 32 bits", "use fewer elements in the inner dimensions");
      }
      new_strides[d] = static_cast<uint32_t>(stride);
      stride *= new_shapes[d] == 0 ? 1 : new_shapes[d];
    }
    ndims = new_ndims;
    for (uint32_t d = 0; d < static_cast<uint32_t>(MAX_TENSOR_DIMS); ++d) {
      shapes[d] = d < new_ndims ? new_shapes[d] : 0;
      strides[d] = new_strides[d];
    }
    refresh();
  }

 private:
  /// Recomputes what follows from shapes and strides.
  void refresh() noexcept {
    uint64_t last = 0;
    uint64_t dense = 1;
    is_contiguous = true;
    for (uint32_t d = ndims; d-- > 0;) {
      is_contiguous = is_contiguous && (shapes[d] <= 1 || strides[d] == dense);
      dense *= shapes[d];
      last += shapes[d] == 0 ? 0 : uint64_t{shapes[d] - 1} * strides[d];
    }
    is_contiguous = is_contiguous || numel() == 0;
    extent_elements = numel() == 0 ? 0 : last + 1;
  }

  [[noreturn]] static void fail(const char* detail, const char* hint) {
    throw tileput::Error(tileput::ErrorCode::kBadArgument, detail, hint);
  }
};

// offsetof of a class with private functions only is well-defined: the type has standard layout.
static_assert(std::is_standard_layout_v<ChipTensor> && std::is_trivially_copyable_v<ChipTensor>);
static_assert(sizeof(ChipTensor) == 128 && alignof(ChipTensor) == 64);
static_assert(offsetof(ChipTensor, buffer) == 0 && offsetof(ChipTensor::Buffer, size) == 8);
static_assert(offsetof(ChipTensor, owner_task_id) == 16 && sizeof(PTO2TaskId) == 8);
static_assert(offsetof(ChipTensor, start_offset) == 24);
static_assert(offsetof(ChipTensor, version) == 32 && offsetof(ChipTensor, ndims) == 36);
static_assert(offsetof(ChipTensor, dtype) == 40 && offsetof(ChipTensor, manual_dep) == 41);
static_assert(offsetof(ChipTensor, is_contiguous) == 42 && offsetof(ChipTensor, address_space) == 43);
static_assert(offsetof(ChipTensor, shapes) == 44 && offsetof(ChipTensor, extent_elements) == 64);
static_assert(offsetof(ChipTensor, strides) == 72);

/// Describes `ndims` dimensions of dense row-major memory at `addr` that somebody else owns.
/// Errors: kBadArgument as ChipTensor::set_dense, and for a dtype that is none.
inline ChipTensor make_tensor_external(void* addr, const uint32_t* shapes, uint32_t ndims,
                                       DataType dtype = DataType::FLOAT32, bool manual_dep = false, int32_t version = 0,
                                       TensorAddressSpace address_space = TensorAddressSpace::HOST) {
  if (get_element_size(dtype) == 0) {
    throw tileput::Error(tileput::ErrorCode::kBadArgument, "make_tensor_external: not a data type",
                         "use a DataType below DATA_TYPE_NUM");
  }
  ChipTensor tensor;
  tensor.buffer.addr = reinterpret_cast<uintptr_t>(addr);
  tensor.dtype = dtype;
  tensor.manual_dep = manual_dep;
  tensor.version = version;
  tensor.address_space = address_space;
  tensor.set_dense(shapes, ndims);
  tensor.buffer.size = tensor.nbytes();
  return tensor;
}

/// A scalar of up to 8 bytes as a task argument: signed integers are sign-extended, everything else is copied into the
/// low-order bytes.
template <class T>
uint64_t to_u64(T value) noexcept {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_trivially_copyable_v<T>,
                "to_u64: a scalar argument has at most 8 bytes");
  if constexpr (std::is_integral_v<T>) {
    return static_cast<uint64_t>(value);
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<uint64_t>(static_cast<std::underlying_type_t<T>>(value));
  } else {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
  }
}

/// The scalar of type T that to_u64 packed.
template <class T>
T from_u64(uint64_t bits) noexcept {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_trivially_copyable_v<T>,
                "from_u64: a scalar argument has at most 8 bytes");
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "scalars travel in the low-order bytes");
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
