// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: the destination's elements are const

#include "pto/pto-inst.hpp"

template <class T>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>>;

#ifdef MISTAKE
using Target = Tensor<const float>;
#else
using Target = Tensor<float>;
#endif

void get(Target& target, Tensor<const float>& source, pto::comm::AsyncSession& session) {
  pto::comm::TGET_ASYNC(target, source, session);
}
