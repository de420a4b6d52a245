// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Strided views of global memory (spec section 4): Shape, Stride, GlobalTensor and their helpers.

#include <cstdint>
#include <type_traits>
#include <utility>

#include "pto/common/constants.hpp"
#include "pto/common/type.hpp"

namespace pto {

namespace tileput_detail {

inline constexpr int kTensorDims = GlobalTensorDim::TOTAL_DIM;

/// Re-points tensors and tiles for TASSIGN.
struct Binder;

using DimensionIndices = std::make_integer_sequence<int, kTensorDims>;

/// Fills a Shape or Stride: entries of dynamic dimensions come from the given values, static ones are constants. Used
/// by both, because their construction rules are the same. Written out by packs so that static entries fold everywhere.
template <std::int64_t... kStatic>
struct Extents {
  static constexpr std::int64_t kValues[kTensorDims] = {kStatic...};
  static constexpr int kDynamicCount = (0 + ... + (kStatic == DYNAMIC ? 1 : 0));

  /// How many dimensions before `dim` are dynamic: which of the given values is for `dim`.
  static constexpr int dynamic_before(int dim) noexcept {
    int count = 0;
    for (int d = 0; d < dim; ++d) {
      count += kValues[d] == DYNAMIC ? 1 : 0;
    }
    return count;
  }

  template <int... dims>
  PTO_INTERNAL static constexpr void fill_all(std::int64_t (&to)[kTensorDims],
                                              const std::int64_t (&values)[kTensorDims],
                                              std::integer_sequence<int, dims...> /*dims*/) noexcept {
    ((to[dims] = kStatic == DYNAMIC ? values[dims] : kStatic), ...);
  }

  template <int kCount, int... dims>
  PTO_INTERNAL static constexpr void fill_dynamic(std::int64_t (&to)[kTensorDims], const std::int64_t (&values)[kCount],
                                                  std::integer_sequence<int, dims...> /*dims*/) noexcept {
    static_assert(kCount == kDynamicCount);
    ((to[dims] = pick < kStatic == DYNAMIC ? dynamic_before(dims) : -1 > (values, kStatic)), ...);
  }

 private:
  template <int kIndex, int kCount>
  PTO_INTERNAL static constexpr std::int64_t pick(const std::int64_t (&values)[kCount], std::int64_t fixed) noexcept {
    if constexpr (kIndex >= 0) {
      return values[kIndex];
    } else {
      return fixed;
    }
  }
};

}  // namespace tileput_detail

/// The extents of a tensor in elements; dimension 4 is the innermost. DYNAMIC ones are given at run time.
///
/// Constructors: none (dynamic extents become 1); five values (those of static dimensions are ignored); or exactly as
/// many values as there are dynamic dimensions, in the order of the dimensions. Spec section 4.1.
template <std::int64_t N1 = DYNAMIC, std::int64_t N2 = DYNAMIC, std::int64_t N3 = DYNAMIC, std::int64_t N4 = DYNAMIC,
          std::int64_t N5 = DYNAMIC>
struct Shape {
 private:
  using Extents = tileput_detail::Extents<N1, N2, N3, N4, N5>;

 public:
  static constexpr std::int64_t staticShape[5] = {N1, N2, N3, N4, N5};
  std::int64_t shape[5];

  constexpr Shape() noexcept { Extents::fill_all(shape, {1, 1, 1, 1, 1}, tileput_detail::DimensionIndices()); }
  constexpr Shape(std::int64_t n1, std::int64_t n2, std::int64_t n3, std::int64_t n4, std::int64_t n5) noexcept {
    Extents::fill_all(shape, {n1, n2, n3, n4, n5}, tileput_detail::DimensionIndices());
  }
  constexpr Shape(std::int64_t a) noexcept {  // NOLINT(runtime/explicit)
    static_assert(Extents::kDynamicCount == 1, "Shape: one value needs exactly one DYNAMIC dimension");
    Extents::fill_dynamic(shape, {a}, tileput_detail::DimensionIndices());
  }
  constexpr Shape(std::int64_t a, std::int64_t b) noexcept {
    static_assert(Extents::kDynamicCount == 2, "Shape: two values need exactly two DYNAMIC dimensions");
    Extents::fill_dynamic(shape, {a, b}, tileput_detail::DimensionIndices());
  }
  constexpr Shape(std::int64_t a, std::int64_t b, std::int64_t c) noexcept {
    static_assert(Extents::kDynamicCount == 3, "Shape: three values need exactly three DYNAMIC dimensions");
    Extents::fill_dynamic(shape, {a, b, c}, tileput_detail::DimensionIndices());
  }
  constexpr Shape(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) noexcept {
    static_assert(Extents::kDynamicCount == 4, "Shape: four values need exactly four DYNAMIC dimensions");
    Extents::fill_dynamic(shape, {a, b, c, d}, tileput_detail::DimensionIndices());
  }
};

/// The distance in elements between neighbours of each dimension; built like Shape. Strides say nothing about sizes:
/// those of dimensions with extent 1 are often meaningless.
template <std::int64_t S1 = DYNAMIC, std::int64_t S2 = DYNAMIC, std::int64_t S3 = DYNAMIC, std::int64_t S4 = DYNAMIC,
          std::int64_t S5 = DYNAMIC>
struct Stride {
 private:
  using Extents = tileput_detail::Extents<S1, S2, S3, S4, S5>;

 public:
  static constexpr std::int64_t staticStride[5] = {S1, S2, S3, S4, S5};
  std::int64_t stride[5];

  constexpr Stride() noexcept { Extents::fill_all(stride, {1, 1, 1, 1, 1}, tileput_detail::DimensionIndices()); }
  constexpr Stride(std::int64_t s1, std::int64_t s2, std::int64_t s3, std::int64_t s4, std::int64_t s5) noexcept {
    Extents::fill_all(stride, {s1, s2, s3, s4, s5}, tileput_detail::DimensionIndices());
  }
  constexpr Stride(std::int64_t a) noexcept {  // NOLINT(runtime/explicit)
    static_assert(Extents::kDynamicCount == 1, "Stride: one value needs exactly one DYNAMIC dimension");
    Extents::fill_dynamic(stride, {a}, tileput_detail::DimensionIndices());
  }
  constexpr Stride(std::int64_t a, std::int64_t b) noexcept {
    static_assert(Extents::kDynamicCount == 2, "Stride: two values need exactly two DYNAMIC dimensions");
    Extents::fill_dynamic(stride, {a, b}, tileput_detail::DimensionIndices());
  }
  constexpr Stride(std::int64_t a, std::int64_t b, std::int64_t c) noexcept {
    static_assert(Extents::kDynamicCount == 3, "Stride: three values need exactly three DYNAMIC dimensions");
    Extents::fill_dynamic(stride, {a, b, c}, tileput_detail::DimensionIndices());
  }
  constexpr Stride(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) noexcept {
    static_assert(Extents::kDynamicCount == 4, "Stride: four values need exactly four DYNAMIC dimensions");
    Extents::fill_dynamic(stride, {a, b, c, d}, tileput_detail::DimensionIndices());
  }
};

/// A non-owning strided 5-D view of global memory: element (i0..i4) is data()[sum of i_k * stride_k].
///
/// Only dynamic dimensions are taken from the run-time shape and stride. Copying a tensor copies the view.
template <class Element, class ShapeType, class StrideType, Layout kLayout = Layout::ND>
class GlobalTensor {
 public:
  using Shape = ShapeType;
  using Stride = StrideType;
  using RawDType = Element;
  using DType = Element;
  static constexpr Layout layout = kLayout;
  static constexpr std::int64_t staticShape[5] = {ShapeType::staticShape[0], ShapeType::staticShape[1],
                                                  ShapeType::staticShape[2], ShapeType::staticShape[3],
                                                  ShapeType::staticShape[4]};
  static constexpr std::int64_t staticStride[5] = {StrideType::staticStride[0], StrideType::staticStride[1],
                                                   StrideType::staticStride[2], StrideType::staticStride[3],
                                                   StrideType::staticStride[4]};

  /// A view of nothing, to be assigned later.
  constexpr GlobalTensor() noexcept : GlobalTensor(nullptr) {}
  constexpr GlobalTensor(DType* data, const ShapeType& shape = ShapeType(),  // NOLINT(runtime/explicit)
                         const StrideType& stride = StrideType()) noexcept
      : data_(data),
        shape_{given<0>(staticShape, shape.shape), given<1>(staticShape, shape.shape),
               given<2>(staticShape, shape.shape), given<3>(staticShape, shape.shape),
               given<4>(staticShape, shape.shape)},
        stride_{given<0>(staticStride, stride.stride), given<1>(staticStride, stride.stride),
                given<2>(staticStride, stride.stride), given<3>(staticStride, stride.stride),
                given<4>(staticStride, stride.stride)} {}

  /// The extent (stride) of dimension `dim`; -1 when there is no such dimension.
  constexpr std::int64_t GetShape(int dim) const noexcept { return has(dim) ? shape_[dim] : -1; }
  constexpr std::int64_t GetStride(int dim) const noexcept { return has(dim) ? stride_[dim] : -1; }

  /// The compile-time extent (stride) of a static dimension.
  template <int dim>
  static constexpr std::int64_t GetShape() noexcept {
    static_assert(has(dim), "GlobalTensor::GetShape: dimensions are 0 to 4");
    static_assert(staticShape[dim] != DYNAMIC, "GlobalTensor::GetShape<dim>() needs a static dimension");
    return staticShape[dim];
  }
  template <int dim>
  static constexpr std::int64_t GetStride() noexcept {
    static_assert(has(dim), "GlobalTensor::GetStride: dimensions are 0 to 4");
    static_assert(staticStride[dim] != DYNAMIC, "GlobalTensor::GetStride<dim>() needs a static dimension");
    return staticStride[dim];
  }

  /// Changes the extents (strides) of the given dynamic dimensions.
  template <int... dims, class... Values>
  constexpr void SetShape(Values... values) noexcept {
    static_assert(sizeof...(dims) == sizeof...(Values), "GlobalTensor::SetShape: one value for each dimension");
    static_assert(sizeof...(dims) >= 1 && sizeof...(dims) <= 5, "GlobalTensor::SetShape takes 1 to 5 dimensions");
    static_assert((is_dynamic(staticShape, dims) && ...), "GlobalTensor::SetShape: the dimension is not DYNAMIC");
    ((shape_[dims] = static_cast<std::int64_t>(values)), ...);
  }
  template <int... dims, class... Values>
  constexpr void SetStride(Values... values) noexcept {
    static_assert(sizeof...(dims) == sizeof...(Values), "GlobalTensor::SetStride: one value for each dimension");
    static_assert(sizeof...(dims) >= 1 && sizeof...(dims) <= 5, "GlobalTensor::SetStride takes 1 to 5 dimensions");
    static_assert((is_dynamic(staticStride, dims) && ...), "GlobalTensor::SetStride: the dimension is not DYNAMIC");
    ((stride_[dims] = static_cast<std::int64_t>(values)), ...);
  }

  constexpr DType* data() const noexcept { return data_; }

 private:
  friend struct tileput_detail::Binder;

  static constexpr bool has(int dim) noexcept { return dim >= 0 && dim < tileput_detail::kTensorDims; }
  template <int dim>
  static constexpr std::int64_t given(const std::int64_t (&fixed)[5], const std::int64_t (&values)[5]) noexcept {
    return fixed[dim] == DYNAMIC ? values[dim] : fixed[dim];
  }
  static constexpr bool is_dynamic(const std::int64_t (&extents)[5], int dim) noexcept {
    return has(dim) && extents[dim] == DYNAMIC;
  }

  DType* data_;
  std::int64_t shape_[5];
  std::int64_t stride_[5];
};

/// The Shape (1, 1, 1, rows, cols).
template <class T, std::int64_t rows = DYNAMIC, std::int64_t cols = DYNAMIC, Layout layout = Layout::ND>
struct TileShape2D : Shape<1, 1, 1, rows, cols> {
  static_assert(layout == Layout::ND || layout == Layout::DN, "TileShape2D: only Layout::ND and Layout::DN");
  using Base = Shape<1, 1, 1, rows, cols>;
  using Base::Base;
  constexpr TileShape2D() noexcept = default;
  constexpr TileShape2D(std::int64_t row_count, std::int64_t col_count) noexcept
      : Base(1, 1, 1, row_count, col_count) {}
};

namespace tileput_detail {

/// Dimensions of a dense rows x cols matrix as strides; a product with a dynamic factor is dynamic.
template <std::int64_t rows, std::int64_t cols, Layout layout>
struct DenseStride {
  static constexpr std::int64_t kPlane = rows == DYNAMIC || cols == DYNAMIC ? DYNAMIC : rows * cols;
  using type = Stride<kPlane, kPlane, kPlane, layout == Layout::DN ? 1 : cols, layout == Layout::DN ? rows : 1>;
};

}  // namespace tileput_detail

/// The Stride of a dense rows x cols matrix: ND is row-major, DN is column-major.
template <class T, std::int64_t rows = DYNAMIC, std::int64_t cols = DYNAMIC, Layout layout = Layout::ND>
struct BaseShape2D : tileput_detail::DenseStride<rows, cols, layout>::type {
  static_assert(layout == Layout::ND || layout == Layout::DN, "BaseShape2D: only Layout::ND and Layout::DN");
  using Base = typename tileput_detail::DenseStride<rows, cols, layout>::type;
  constexpr BaseShape2D() noexcept = default;
  constexpr BaseShape2D(std::int64_t row_count, std::int64_t col_count) noexcept
      : Base(plane(row_count, col_count), plane(row_count, col_count), plane(row_count, col_count),
             layout == Layout::DN ? 1 : value(cols, col_count), layout == Layout::DN ? value(rows, row_count) : 1) {}

 private:
  static constexpr std::int64_t value(std::int64_t fixed, std::int64_t given) noexcept {
    return fixed == DYNAMIC ? given : fixed;
  }
  static constexpr std::int64_t plane(std::int64_t row_count, std::int64_t col_count) noexcept {
    return value(rows, row_count) * value(cols, col_count);
  }
};

namespace tileput_detail {

template <class E, class Sh, class St, Layout layout>
std::true_type is_global(const volatile GlobalTensor<E, Sh, St, layout>*);
std::false_type is_global(...);

}  // namespace tileput_detail

/// Whether T is a GlobalTensor or derives from one (Signal2D does).
template <class T>
inline constexpr bool is_global_data_v =
    decltype(tileput_detail::is_global(static_cast<std::remove_reference_t<T>*>(nullptr)))::value;

}  // namespace pto

#include "pto/common/address_space.hpp"
