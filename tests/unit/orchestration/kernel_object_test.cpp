// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "orchestration/kernel_object.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tileput/error.hpp"

namespace tileput::orchestration {
namespace {

namespace fs = std::filesystem;

const fs::path kCounter = TILEPUT_TEST_OBJECT;

/// A directory that is removed again.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "kernel_object_test.XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Scratch() { fs::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

template <class Action>
void expect_error(ErrorCode code, const std::string& part, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << "'" << part << "' in: " << error.what();
  }
}

TEST(FindObject, NamesEveryPlaceItLookedAt) {
  const Scratch scratch;
  setenv("TILEPUT_KERNEL_PATH", ("/nowhere/at/all::" + scratch.path().string()).c_str(), 1);
  const auto directories = object_directories();
  EXPECT_GE(directories.size(), 3U);
  for (const fs::path& directory : directories) {
    expect_error(ErrorCode::kNotFound, (directory / "x/missing.so").string(), [] { find_object("x/missing.so"); });
  }
  expect_error(ErrorCode::kNotFound, "/absolutely/missing.so", [] { find_object("/absolutely/missing.so"); });
  const fs::path file = scratch.write("found.so", "");
  EXPECT_EQ(find_object("found.so"), file);
  EXPECT_EQ(find_object(file), file);
  expect_error(ErrorCode::kNotFound, scratch.path().string(), [&] { find_object(scratch.path()); });  // no regular file
  unsetenv("TILEPUT_KERNEL_PATH");
}

TEST(ExportsSymbol, ReadsTheDynamicSymbols) {
  EXPECT_TRUE(exports_symbol(kCounter, "next_count"));
  EXPECT_FALSE(exports_symbol(kCounter, "no_such_symbol"));
  EXPECT_FALSE(exports_symbol(kCounter, "next"));
  EXPECT_FALSE(exports_symbol(kCounter, ""));
  EXPECT_FALSE(exports_symbol(kCounter, "hidden_count"));
  EXPECT_FALSE(exports_symbol(kCounter, "malloc"));
}

TEST(ExportsSymbol, RefusesWhatIsNoSharedObject) {
  const Scratch scratch;
  for (const std::string& text : {std::string(), std::string("not an ELF file"), std::string("\177ELF"),
                                  std::string("\177ELF\2\1\1") + std::string(60, '\0')}) {
    expect_error(ErrorCode::kBadArgument, "not a shared object",
                 [&] { exports_symbol(scratch.write("bad.so", text), "x"); });
  }
  expect_error(ErrorCode::kSystem, "nothing.so", [&] { exports_symbol(scratch.path() / "nothing.so", "x"); });
}

TEST(ExportsSymbol, SurvivesTruncatedObjects) {
  const Scratch scratch;
  std::ifstream file(kCounter, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 50 + 1) {
    const fs::path part = scratch.write("part.so", whole.substr(0, size));
    try {
      EXPECT_FALSE(exports_symbol(part, "no_such_symbol"));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadArgument);
    }
  }
}

using Count = int (*)();

TEST(KernelObject, PrivateCopiesHaveStaticsOfTheirOwn) {
  const KernelObject one(kCounter, true);
  const KernelObject two(kCounter, true);
  const KernelObject same(kCounter, false);
  const auto count_one = reinterpret_cast<Count>(one.symbol("next_count"));
  const auto count_two = reinterpret_cast<Count>(two.symbol("next_count"));
  ASSERT_NE(count_one, nullptr);
  ASSERT_NE(count_two, nullptr);
  EXPECT_NE(count_one, count_two);
  EXPECT_EQ(count_one(), 1);
  EXPECT_EQ(count_one(), 2);
  EXPECT_EQ(count_two(), 1);
  EXPECT_EQ(one.symbol("no_such_symbol"), nullptr);
}

TEST(KernelObject, UnloadsWhenDestroyed) {
  {
    const KernelObject object(kCounter, false);
    EXPECT_EQ(reinterpret_cast<Count>(object.symbol("next_count"))(), 1);
  }
  KernelObject object(kCounter, false);
  EXPECT_EQ(reinterpret_cast<Count>(object.symbol("next_count"))(), 1) << "statics start anew";
  KernelObject moved = std::move(object);
  EXPECT_EQ(reinterpret_cast<Count>(moved.symbol("next_count"))(), 2);
}

TEST(KernelObject, UnresolvedSymbolsAndBadFilesAreReported) {
  expect_error(ErrorCode::kMissingSymbol, "nobody_defines_this",
               [] { KernelObject object(TILEPUT_TEST_BROKEN, false); });
  const Scratch scratch;
  const fs::path bad = scratch.write("bad.so", "text");
  expect_error(ErrorCode::kMissingSymbol, "bad.so", [&] { KernelObject object(bad, false); });
}

}  // namespace
}  // namespace tileput::orchestration
