// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

// Overlapping domains: longer chains, what is refused, and that the golden and the checker see what is taken out of the
// kernel.

#include "dual_domain_overlap/dual_domain_overlap.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dual_domain_overlap/kernels/affine_shape.hpp"
#include "reduce_examples.hpp"

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
  use_kernels();
  Worker worker({.ranks = 1, .timeout = std::chrono::seconds(60)});
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

class Mutants : public testing::TestWithParam<Mutant> {};

TEST_P(Mutants, Show) { expect_shown(GetParam()); }

const Mutant kMutants[] = {
    {"affine_no_event_loaded", Mutant::Shows::kFinding, make},
    {"affine_no_event_stored", Mutant::Shows::kFinding, make},
    {"affine_drops_bias", Mutant::Shows::kWrongSum, make},
};

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(kMutants),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tileput::scene
