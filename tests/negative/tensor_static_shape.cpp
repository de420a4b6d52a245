// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// expect: GetShape<dim>() needs a static dimension

#include "pto/common/pto_tile.hpp"

using Tensor = pto::GlobalTensor<float, pto::Shape<1, 1, 1, pto::DYNAMIC, 8>, pto::Stride<>>;
static_assert(Tensor::GetShape<4>() == 8);
#ifdef MISTAKE
constexpr auto kRows = Tensor::GetShape<3>();
#endif
