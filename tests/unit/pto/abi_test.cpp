// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

/// tensor.h and comm_context.h (spec sections 15 and 16).

#include <cstdint>
#include <cstring>
#include <string>

#include "platform_comm/comm_context.h"
#include "support.hpp"
#include "tensor.h"

namespace {

using tileput::ErrorCode;
using tileput::test::error_of;

TEST(DataTypeTest, ValuesSizesNames) {
  static_assert(static_cast<int>(DataType::FLOAT32) == 0 && static_cast<int>(DataType::BFLOAT16) == 6);
  static_assert(static_cast<int>(DataType::BOOL) == 11 && static_cast<int>(DataType::FP4E2M1) == 14);
  static_assert(static_cast<int>(DataType::DATA_TYPE_NUM) == 15 && sizeof(DataType) == 1);
  const uint64_t sizes[] = {4, 2, 4, 2, 1, 1, 2, 8, 8, 2, 4, 1, 1, 1, 1, 0, 0};
  for (int i = 0; i < 17; ++i) {
    EXPECT_EQ(get_element_size(static_cast<DataType>(i)), sizes[i]) << i;
  }
  EXPECT_STREQ(get_dtype_name(DataType::BFLOAT16), "BFLOAT16");
  EXPECT_STREQ(get_dtype_name(static_cast<DataType>(99)), "UNKNOWN");
}

TEST(ChipTensorTest, ExternalMemory) {
  alignas(64) float memory[24];
  const uint32_t shapes[] = {2, 3, 4};
  const ChipTensor tensor = make_tensor_external(memory, shapes, 3);
  EXPECT_EQ(tensor.buffer.addr, reinterpret_cast<uint64_t>(memory));
  EXPECT_EQ(tensor.buffer.size, sizeof(memory));
  EXPECT_EQ(tensor.owner_task_id.raw, ~uint64_t{0});
  EXPECT_EQ(tensor.start_offset, 0U);
  EXPECT_EQ(tensor.ndims, 3U);
  EXPECT_EQ(tensor.dtype, DataType::FLOAT32);
  EXPECT_FALSE(tensor.manual_dep);
  EXPECT_TRUE(tensor.is_contiguous);
  EXPECT_EQ(tensor.address_space, TensorAddressSpace::HOST);
  EXPECT_EQ(tensor.strides[0], 12U);
  EXPECT_EQ(tensor.strides[2], 1U);
  EXPECT_EQ(tensor.shapes[3], 0U);
  EXPECT_EQ(tensor.numel(), 24U);
  EXPECT_EQ(tensor.nbytes(), 96U);
  EXPECT_EQ(tensor.extent_elements, 24U);
  EXPECT_EQ(tensor.data_as<float>(), memory);
  const ChipTensor other =
      make_tensor_external(nullptr, shapes, 1, DataType::INT64, true, 7, TensorAddressSpace::DEVICE);
  EXPECT_EQ(other.nbytes(), 16U);
  EXPECT_TRUE(other.manual_dep);
  EXPECT_EQ(other.version, 7);
  EXPECT_EQ(other.address_space, TensorAddressSpace::DEVICE);
}

TEST(ChipTensorTest, KernelsReadItAtItsOffsets) {
  const uint32_t shapes[] = {9};
  ChipTensor tensor = make_tensor_external(reinterpret_cast<void*>(0x1000), shapes, 1, DataType::UINT8);
  tensor.start_offset = 5;
  unsigned char bytes[128];
  std::memcpy(bytes, &tensor, 128);
  uint64_t word = 0;
  std::memcpy(&word, bytes, 8);
  EXPECT_EQ(word, 0x1000U);
  std::memcpy(&word, bytes + 24, 8);
  EXPECT_EQ(word, 5U);
  uint32_t half_word = 0;
  std::memcpy(&half_word, bytes + 44, 4);
  EXPECT_EQ(half_word, 9U);
  EXPECT_EQ(bytes[40], 5);
  EXPECT_EQ(tensor.data_as<uint8_t>(), reinterpret_cast<uint8_t*>(0x1005));
}

TEST(ChipTensorTest, ViewsShareMemory) {
  float memory[24];
  const uint32_t shapes[] = {4, 6};
  const ChipTensor tensor = make_tensor_external(memory, shapes, 2);
  const uint32_t part_shapes[] = {2, 3};
  const uint32_t offsets[] = {1, 2};
  const ChipTensor part = tensor.view(part_shapes, offsets);
  EXPECT_EQ(part.data_as<float>(), memory + 8);
  EXPECT_EQ(part.numel(), 6U);
  EXPECT_FALSE(part.is_contiguous);
  EXPECT_EQ(part.extent_elements, 9U);
  const uint32_t row_shapes[] = {2, 6};
  const uint32_t row_offsets[] = {2, 0};
  EXPECT_TRUE(tensor.view(row_shapes, row_offsets).is_contiguous);
  const uint32_t empty_shapes[] = {0, 6};
  const uint32_t end_offsets[] = {4, 0};
  const ChipTensor empty = tensor.view(empty_shapes, end_offsets);
  EXPECT_EQ(empty.numel(), 0U);
  EXPECT_EQ(empty.extent_elements, 0U);
  const uint32_t beyond[] = {3, 0xFFFFFFFF};
  EXPECT_EQ(error_of([&] { tensor.view(row_shapes, beyond); }), ErrorCode::kBadArgument);
}

TEST(ChipTensorTest, ReshapeAndTranspose) {
  const uint32_t shapes[] = {4, 6};
  const ChipTensor tensor = make_tensor_external(nullptr, shapes, 2, DataType::FLOAT16);
  const uint32_t flat_shape[] = {24};
  const ChipTensor flat = tensor.reshape(flat_shape, 1);
  EXPECT_EQ(flat.ndims, 1U);
  EXPECT_EQ(flat.shapes[0], 24U);
  EXPECT_EQ(flat.shapes[1], 0U);
  const uint32_t wrong_shape[] = {23};
  EXPECT_EQ(error_of([&] { tensor.reshape(wrong_shape, 1); }), ErrorCode::kBadArgument);
  EXPECT_EQ(error_of([&] { tensor.reshape(flat_shape, 0); }), ErrorCode::kBadArgument);
  const ChipTensor turned = tensor.transpose(0, 1);
  EXPECT_EQ(turned.shapes[0], 6U);
  EXPECT_EQ(turned.strides[0], 1U);
  EXPECT_EQ(turned.strides[1], 6U);
  EXPECT_FALSE(turned.is_contiguous);
  EXPECT_EQ(turned.extent_elements, 24U);
  EXPECT_EQ(error_of([&] { turned.reshape(flat_shape, 1); }), ErrorCode::kBadArgument);
  EXPECT_EQ(error_of([&] { tensor.transpose(0, 2); }), ErrorCode::kBadArgument);
}

TEST(ChipTensorTest, RefusesWhatItCannotDescribe) {
  const uint32_t shapes[] = {2, 65536, 65536, 2, 2, 2};
  EXPECT_EQ(error_of([&] { make_tensor_external(nullptr, shapes, 0); }), ErrorCode::kBadArgument);
  EXPECT_EQ(error_of([&] { make_tensor_external(nullptr, shapes, 6); }), ErrorCode::kBadArgument);
  EXPECT_EQ(error_of([&] { make_tensor_external(nullptr, shapes, 4); }), ErrorCode::kBadArgument);
  EXPECT_EQ(error_of([&] { make_tensor_external(nullptr, shapes, 1, DataType::DATA_TYPE_NUM); }),
            ErrorCode::kBadArgument);
}

template <class T>
void expect_round_trip(T value) {
  const T back = from_u64<T>(to_u64(value));
  EXPECT_EQ(std::memcmp(&back, &value, sizeof(T)), 0);
}

TEST(Scalars, TravelThroughSixtyFourBits) {
  enum class Color : int16_t { kRed = -3 };
  expect_round_trip(1.5F);
  expect_round_trip(-2.25);
  expect_round_trip(int32_t{-7});
  expect_round_trip(uint32_t{0xFFFFFFFF});
  expect_round_trip(int8_t{-1});
  expect_round_trip(INT64_MIN);
  expect_round_trip(true);
  expect_round_trip(Color::kRed);
  int object = 0;
  expect_round_trip(&object);
  EXPECT_EQ(to_u64(1.0F), 0x3F800000U);
  EXPECT_EQ(static_cast<int64_t>(to_u64(int32_t{-7})), -7) << "sign-extended";
  EXPECT_EQ(to_u64(uint32_t{0xFFFFFFFF}), 0xFFFFFFFFU);
}

TEST(CommContextTest, Layout) {
  static_assert(COMM_MAX_RANK_NUM == 64);
  CommContext context{};
  context.windowsOut[63] = 7;
  uint64_t last = 0;
  std::memcpy(&last, reinterpret_cast<const char*>(&context) + 1048, 8);
  EXPECT_EQ(last, 7U);
}

TEST(TensorArgTypeTest, Values) {
  static_assert(static_cast<int>(TensorArgType::INPUT) == 0 && static_cast<int>(TensorArgType::OUTPUT) == 1);
  static_assert(static_cast<int>(TensorArgType::INOUT) == 2 && static_cast<int>(TensorArgType::OUTPUT_EXISTING) == 3);
  static_assert(static_cast<int>(TensorArgType::NO_DEP) == 4 && MAX_TENSOR_DIMS == 5);
}

}  // namespace
