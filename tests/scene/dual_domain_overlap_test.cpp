// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Overlapping domains: longer chains, and what is refused.

#include "dual_domain_overlap/dual_domain_overlap.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dual_domain_overlap/kernels/affine_shape.hpp"
#include "expect_examples.hpp"

namespace tileput::scene {
namespace {

using example::Payload;

std::unique_ptr<example::Scene> make(int ranks) {
  return example::make_dual_domain_overlap({.ranks = ranks, .payload = Payload::kRandom});
}

TEST(Chain, CanBeLong) {
  const auto scene = make(16);
  expect_golden(*scene, RanksAs::kThread);
}

TEST(Options, AreRefused) {
  EXPECT_THROW(make(1), Error);
  EXPECT_THROW(make(65), Error);
}

TEST(Affine, RefusesOtherShapes) {
  use_example_kernels();
  Worker worker(example_worker(1));
  const Callable affine = worker.load({.orchestration = "kernels/affine_orch.so",
                                       .entry = "affine_map",
                                       .kernels = {{0, Core::kAiv, "kernels/affine_kernel.so"}}});
  using Shape = std::vector<std::uint32_t>;
  std::vector<float> in(affine::kElements, 3);
  std::vector<float> out(affine::kElements, -1);
  const auto submit = [&](const Shape& scale, DataType type, const Shape& result) {
    worker.run([&](Orchestrator& o) {
      TaskArgs args;
      args.add_input(Tensor::of(in)).add_input(Tensor(in.data(), type, scale)).add_input(Tensor::of(in));
      args.add_output(Tensor(out.data(), DataType::kFloat32, result));
      o.submit(affine, 0, args);
    });
  };
  const Shape right{affine::kRows, affine::kColumns};
  expect_refused("scale has 255 elements", [&] { submit({255}, DataType::kFloat32, right); });
  expect_refused("scale has 256 elements of INT32", [&] { submit(right, DataType::kInt32, right); });
  expect_refused("out has 128 elements", [&] { submit(right, DataType::kFloat32, {8, 16}); });
  EXPECT_EQ(out, std::vector<float>(affine::kElements, -1));
  submit(right, DataType::kFloat32, right);
  EXPECT_EQ(out, std::vector<float>(affine::kElements, 12));
}

}  // namespace
}  // namespace tileput::scene
