// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: a signal is a tensor of int32_t

#include "pto/pto-inst.hpp"

template <class T, pto::Layout layout = pto::Layout::ND>
using Tensor = pto::GlobalTensor<T, pto::Shape<>, pto::Stride<>, layout>;
template <class T>
using Staging = pto::Tile<pto::TileType::Vec, T, 1, 64>;

#ifdef MISTAKE
using Word = int64_t;
#else
using Word = int32_t;
#endif

bool test(Tensor<Word>& signal) { return pto::comm::TTEST(signal, 1, pto::comm::WaitCmp::GE); }
