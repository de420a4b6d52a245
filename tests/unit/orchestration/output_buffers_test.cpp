// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/output_buffers.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "orchestration/pending_tasks.hpp"
#include "orchestration/task_memory.hpp"
#include "pto_orchestration_api.h"
#include "rank/control.hpp"
#include "tileput/error.hpp"

namespace tileput::orchestration {
namespace {

class OutputBuffersOf : public testing::Test {
 protected:
  OutputBuffersOf() { buffers_.use(memory_, nullptr, 0); }

  /// A tensor of `count` floats for task `id`.
  const ChipTensor& make(std::uint64_t id, std::uint32_t count) {
    const TensorCreateInfo info(&count, 1);
    CoreTaskArgs args;
    args.add_output(info);
    return buffers_.allocate(id, 0, args)[0];
  }
  /// Task `id`, which was given `tensor`, waits for `counter`.
  void defer(std::uint64_t id, const ChipTensor& tensor, const std::int32_t* counter) {
    CoreTaskArgs args;
    args.add_no_dep(tensor);
    const ChipTensor* const tensors[] = {&tensor};
    const CompletionCondition condition{counter, 1, nullptr};
    pending_.add(id, {args, tensors}, {&condition, 1}, team_.waiting(), 0);
  }
  [[nodiscard]] bool is_known(const ChipTensor& tensor) const { return memory_.find(tensor.buffer.addr).has_value(); }

  base::UniqueFd fd_ = rank::Control::create(1);
  rank::Control control_{fd_.get(), 1};
  BlockTeam team_{control_, 0, 1, {0, 0}, machine::Core{}};
  TaskMemory memory_{team_, false};
  PendingTasks pending_;
  OutputBuffers buffers_;
};

TEST_F(OutputBuffersOf, LiveUntilTheirScopeEnds) {
  const ChipTensor outer = make(0, 10);
  buffers_.begin_scope();
  const ChipTensor inner = make(1, 10);
  EXPECT_EQ(memory_.describe(inner.buffer.addr + 4), "they begin at byte 4 of output 0 of task 1, which has 40");
  buffers_.begin_scope();
  const ChipTensor innermost = make(2, 10);
  buffers_.end_scope(pending_);
  EXPECT_FALSE(is_known(innermost));
  EXPECT_TRUE(is_known(inner));
  buffers_.end_scope(pending_);
  EXPECT_FALSE(is_known(inner));
  EXPECT_TRUE(is_known(outer));
  EXPECT_EQ(buffers_.size(), 1U);
  EXPECT_NO_THROW(buffers_.require_live(outer));
  EXPECT_THROW(buffers_.require_live(inner), Error);
  buffers_.end_call(pending_);
  EXPECT_EQ(buffers_.size(), 0U);
  EXPECT_THROW(buffers_.require_live(outer), Error);
}

TEST_F(OutputBuffersOf, KeepTheirMemoryWhileAPendingTaskHasThem) {
  std::int32_t counter = 0;
  buffers_.begin_scope();
  const ChipTensor used = make(0, 10);
  const ChipTensor unused = make(1, 10);
  defer(2, used, &counter);
  buffers_.end_scope(pending_);
  EXPECT_TRUE(is_known(used));
  EXPECT_FALSE(is_known(unused));
  EXPECT_THROW(buffers_.require_live(used), Error) << "no further task may name it";
  buffers_.collect(pending_);
  EXPECT_EQ(buffers_.size(), 1U);
  counter = 1;
  pending_.await_all(team_.waiting(), 0);
  buffers_.collect(pending_);
  EXPECT_EQ(buffers_.size(), 0U);
  EXPECT_FALSE(is_known(used));
}

TEST_F(OutputBuffersOf, KeepTheirMemoryWhileACounterLiesInThem) {
  buffers_.begin_scope();
  const ChipTensor counters = make(0, 16);
  auto* const counter = counters.data_as<std::int32_t>();
  counter[3] = 0;
  const ChipTensor other = make(1, 1);
  defer(2, other, counter + 3);
  buffers_.end_scope(pending_);
  EXPECT_TRUE(is_known(counters));
  counter[3] = 1;
  pending_.await_all(team_.waiting(), 0);
  buffers_.end_call(pending_);
  EXPECT_FALSE(is_known(counters));
}

TEST(AllocateOutput, IsAlignedAndPoisonedOrZero) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, kPoisonedBytesMax, kPoisonedBytesMax + 1}) {
    const std::shared_ptr<std::byte> memory = allocate_output(bytes, "a buffer");
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.get()) % 64, 0U);
    const auto expected = bytes > kPoisonedBytesMax ? std::byte{0} : std::byte{0xcd};
    EXPECT_TRUE(bytes == 0 || (memory.get()[0] == expected && memory.get()[bytes - 1] == expected)) << bytes;
  }
  EXPECT_THROW(allocate_output(~std::uint64_t{0}, "a buffer"), Error);
}

}  // namespace
}  // namespace tileput::orchestration
