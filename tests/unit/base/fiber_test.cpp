// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/fiber.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/sanitizer.hpp"

namespace tileput::base {
namespace {

/// Suspends in the deepest of `depth` calls, each with a frame that a wrong stack would spoil.
int suspend_at(int depth) {
  volatile int frame[16] = {};  // volatile: a compiler shall not make a loop of the calls
  frame[0] = depth;
  frame[15] = depth;
  if (depth == 0) {
    Fiber::suspend();
  } else {
    frame[0] = frame[0] + suspend_at(depth - 1);
  }
  return frame[0] + frame[15] - depth;
}

TEST(Fiber, GoesOnWhereItStopped) {
  std::string log;
  Fiber fiber([&] {
    log += 'a';
    Fiber::suspend();
    log += 'b';
    Fiber::suspend();
    log += 'c';
  });
  EXPECT_EQ(log, "");
  fiber.resume();
  fiber.resume();
  EXPECT_EQ(log, "ab");
  EXPECT_FALSE(fiber.is_done());
  fiber.resume();
  EXPECT_EQ(log, "abc");
  EXPECT_TRUE(fiber.is_done());
  EXPECT_THROW(fiber.resume(), std::logic_error);
}

TEST(Fiber, SuspendsInNestedCalls) {
  int sum = 0;
  Fiber fiber([&] { sum = suspend_at(100); });
  fiber.resume();
  EXPECT_EQ(sum, 0);
  fiber.resume();
  EXPECT_EQ(sum, 100 * 101 / 2);
}

TEST(Fiber, RunsOtherFibers) {
  std::vector<const Fiber*> seen;
  Fiber outer([&] {
    Fiber inner([&] {
      seen.push_back(Fiber::current());
      Fiber::suspend();
      seen.push_back(Fiber::current());
    });
    inner.resume();
    seen.push_back(Fiber::current());
    Fiber::suspend();
    inner.resume();
    EXPECT_TRUE(inner.is_done());
  });
  EXPECT_EQ(Fiber::current(), nullptr);
  outer.resume();
  EXPECT_EQ(Fiber::current(), nullptr);
  outer.resume();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_NE(seen[0], &outer);
  EXPECT_EQ(seen[1], &outer);
  EXPECT_EQ(seen[2], seen[0]);
}

TEST(Fiber, ExceptionsComeOutOfResume) {
  Fiber fiber([] {
    Fiber::suspend();
    throw std::runtime_error("of the body");
  });
  fiber.resume();
  try {
    fiber.resume();
    FAIL() << "resume() returned";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "of the body");
  }
  EXPECT_TRUE(fiber.is_done());
}

TEST(Fiber, HandlersOfExceptionsKeepTheirsAcrossSwitches) {
  std::string log;
  const auto body = [&](const char* text) {
    return [&log, text] {
      try {
        throw std::runtime_error(text);
      } catch (const std::exception&) {
        Fiber::suspend();
        try {
          std::rethrow_exception(std::current_exception());
        } catch (const std::exception& error) {
          log += error.what();
        }
      }
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    };
  };
  Fiber first(body("first "));
  Fiber second(body("second "));
  first.resume();
  second.resume();
  EXPECT_EQ(std::current_exception(), nullptr);
  first.resume();
  second.resume();
  EXPECT_EQ(log, "first second ");
}

TEST(Fiber, DestructorUnwindsWhatHasNotReturned) {
  const auto held = std::make_shared<int>(0);
  int suspended_again = 0;
  {
    Fiber never_started([held] {});
    Fiber plain([held] {
      const auto copy = held;
      Fiber::suspend();
      FAIL() << "went on";
    });
    Fiber stubborn([held, &suspended_again] {
      const auto copy = held;
      try {
        suspend_at(3);
      } catch (const std::exception&) {
        FAIL() << "is a std::exception";
      } catch (...) {
        ++suspended_again;
      }
      Fiber::suspend();
      FAIL() << "went on";
    });
    plain.resume();
    stubborn.resume();
    EXPECT_GT(held.use_count(), 4);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(suspended_again, 1);
}

TEST(Fiber, UnwindsWhileAnExceptionIsInFlight) {
  bool unwound = false;
  try {
    Fiber fiber([&] {
      struct Note {
        bool* done;
        ~Note() { *done = true; }
      } note{&unwound};
      Fiber::suspend();
    });
    fiber.resume();
    throw std::runtime_error("outside");
  } catch (const std::runtime_error&) {
  }
  EXPECT_TRUE(unwound);
}

TEST(Fiber, ManyInSequenceAndManyAtOnce) {
  int sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    Fiber fiber([&] {
      ++sum;
      Fiber::suspend();
      ++sum;
    });
    fiber.resume();
    if (i % 2 == 0) {
      fiber.resume();
    }
  }
  EXPECT_EQ(sum, 15'000);

  std::vector<std::unique_ptr<Fiber>> all;  // more than the pool keeps
  for (int i = 0; i < 400; ++i) {
    all.push_back(std::make_unique<Fiber>([&] { sum += suspend_at(5); }));
    all.back()->resume();
  }
  sum = 0;
  for (auto& fiber : all) {
    fiber->resume();
  }
  EXPECT_EQ(sum, 400 * 15);
}

thread_local void* local = nullptr;
[[maybe_unused]] const bool kKept =
    Fiber::keep_local([](void* value) noexcept -> void* { return std::exchange(local, value); });

TEST(Fiber, EachHasItsOwnLocals) {
  int outside = 0;
  int first_value = 0;
  int second_value = 0;
  local = &outside;
  const auto body = [](int* value) {
    return [value] {
      EXPECT_EQ(local, nullptr);
      local = value;
      Fiber::suspend();
      EXPECT_EQ(local, value);
    };
  };
  Fiber first(body(&first_value));
  Fiber second(body(&second_value));
  first.resume();
  second.resume();
  EXPECT_EQ(local, &outside);
  first.resume();
  second.resume();
  EXPECT_EQ(local, &outside);
  local = nullptr;
}

TEST(Fiber, LivesOnAnyThread) {
  int sum = 0;
  std::thread thread([&] {
    for (int i = 0; i < 100; ++i) {
      Fiber fiber([&] { sum += suspend_at(2); });
      fiber.resume();
      fiber.resume();
    }
  });
  thread.join();
  EXPECT_EQ(sum, 300);
}

// A sanitizer reports the fault in its own way.
TEST(FiberDeathTest, RunningOutOfStackIsAFault) {
  if (kAddressSanitizer || kThreadSanitizer) {
    GTEST_SKIP() << "the sanitizer takes the fault";
  }
  EXPECT_EXIT(
      {
        Fiber fiber([] { EXPECT_GT(suspend_at(1'000'000), 0); });
        fiber.resume();
      },
      testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace tileput::base
