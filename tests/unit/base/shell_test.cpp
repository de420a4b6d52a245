// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "base/shell.hpp"

#include <gtest/gtest.h>
#include <stdio.h>

namespace tileput::base {
namespace {

TEST(Shell, LeavesPlainWords) {
  EXPECT_EQ(quoted("build/dev/examples/a_b-1.so"), "build/dev/examples/a_b-1.so");
  EXPECT_EQ(quoted("--in"), "--in");
  EXPECT_EQ(quoted("n,ctx:1@2%3=4+5"), "n,ctx:1@2%3=4+5");
}

TEST(Shell, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(quoted(""), "''");
  EXPECT_EQ(quoted("a b"), "'a b'");
  EXPECT_EQ(quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(quoted(std::vector<std::string>{"run", "a b", "c"}), "run 'a b' c");
  EXPECT_EQ(quoted(std::vector<std::string>{}), "");
}

TEST(Shell, ReadsBackWhatWasQuoted) {
  std::string all;
  for (char c = 1; c < 127; ++c) {
    all += c;
  }
  const std::string word = all + "'" + all + "''";
  FILE* const pipe = popen(("printf %s " + quoted(word)).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string read(word.size() + 1, '\0');
  read.resize(fread(read.data(), 1, read.size(), pipe));
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(read, word);
}

}  // namespace
}  // namespace tileput::base
