// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "by_hand.hpp"

#include <Eigen/Core>
#include <cstring>

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace by_hand {

namespace {

// Vectors of 64 bytes, at any address; the compiler splits them where the machine's are shorter.
typedef float F32 __attribute__((vector_size(64)));
typedef std::uint32_t U32 __attribute__((vector_size(64)));
typedef std::uint16_t U16 __attribute__((vector_size(32)));
constexpr std::size_t kLanes = 16;

template <class V, class T>
V load(const T* from) {
  V v;
  std::memcpy(&v, from, sizeof(V));
  return v;
}
template <class V, class T>
void store(T* to, const V& v) {
  std::memcpy(to, &v, sizeof(V));
}

F32 widen(const U16& bits) { return reinterpret_cast<F32>(__builtin_convertvector(bits, U32) << 16); }
U16 narrow(const F32& value) {
  const auto bits = reinterpret_cast<U32>(value);
  return __builtin_convertvector((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16, U16);
}

}  // namespace

void add_f32(float* target, const float* a, const float* b, std::size_t count) {
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    store(target + i, load<F32>(a + i) + load<F32>(b + i));
  }
}

void scale_f32(float* target, const float* a, float factor, std::size_t count) {
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    store(target + i, load<F32>(a + i) * factor);
  }
}

void add_bf16(std::uint16_t* target, const std::uint16_t* a, const std::uint16_t* b, std::size_t count) {
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    store(target + i, narrow(widen(load<U16>(a + i)) + widen(load<U16>(b + i))));
  }
}

#if defined(__AVX512F__)
const bool kConvertsF16 = true;
void add_f16(std::uint16_t* target, const std::uint16_t* a, const std::uint16_t* b, std::size_t count) {
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    const __m512 sum = _mm512_cvtph_ps(load<__m256i>(a + i)) + _mm512_cvtph_ps(load<__m256i>(b + i));
    store(target + i, _mm512_cvtps_ph(sum, _MM_FROUND_TO_NEAREST_INT));
  }
}
#elif defined(__F16C__)
const bool kConvertsF16 = true;
void add_f16(std::uint16_t* target, const std::uint16_t* a, const std::uint16_t* b, std::size_t count) {
  for (std::size_t i = 0; i + kLanes / 2 <= count; i += kLanes / 2) {
    const __m256 sum = _mm256_cvtph_ps(load<__m128i>(a + i)) + _mm256_cvtph_ps(load<__m128i>(b + i));
    store(target + i, _mm256_cvtps_ph(sum, _MM_FROUND_TO_NEAREST_INT));
  }
}
#else
const bool kConvertsF16 = false;
void add_f16(std::uint16_t*, const std::uint16_t*, const std::uint16_t*, std::size_t) {}
#endif

void copy(float* target, const float* source, std::size_t count) {
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    store(target + i, load<F32>(source + i));
  }
}

void add_half(float* target, const float* a, const float* b) {
  typedef float Half __attribute__((vector_size(16)));
  store(target, load<Half>(a) + load<Half>(b));
}

void multiply(float* c, const float* a, const float* b, int n) {
  using Matrix = Eigen::MatrixXf;
  Eigen::Map<Matrix>(c, n, n).noalias() = Eigen::Map<const Matrix>(a, n, n) * Eigen::Map<const Matrix>(b, n, n);
}

}  // namespace by_hand
