// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: destination and source must have the same element type

#include "pto/pto-inst.hpp"

template <class T>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>>;

#ifdef MISTAKE
using Source = Tensor<int32_t>;
#else
using Source = Tensor<float>;
#endif

void put(Tensor<float>& target, Source& source, pto::comm::AsyncSession& session) {
  pto::comm::TPUT_ASYNC(target, source, session);
}
