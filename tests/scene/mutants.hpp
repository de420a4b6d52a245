// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Kernels of examples with one edit, as mutants.cmake builds them.

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "examples.hpp"

namespace tileput::scene {

struct Mutant {
  std::string name;
  std::string example;  ///< the row that shows it
  std::string
      expected;  ///< "differs" from golden, "finding" of the checker, or wrong only where counts pass 2^31: "wraps"

  [[nodiscard]] const Example& row() const {
    const auto found =
        std::find_if(examples().begin(), examples().end(), [&](const Example& one) { return one.name == example; });
    return found != examples().end() ? *found : throw std::invalid_argument("no example " + example);
  }
  /// Scenes are loaded with the mutant in the place of the example's kernel from now on.
  void use() const { use_example_kernels(MUTANT_DIRECTORY "/" + name); }
};

inline void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.name; }
inline std::string mutant_name(const testing::TestParamInfo<Mutant>& row) { return row.param.name; }

/// Those of which one thing is expected.
inline std::vector<Mutant> mutants(const std::string& expected) {
  std::vector<Mutant> all;
  std::istringstream rows(EXAMPLE_MUTANTS);
  Mutant mutant;
  while (std::getline(rows, mutant.name, ':') && std::getline(rows, mutant.example, ':') &&
         std::getline(rows, mutant.expected, ',')) {
    if (mutant.expected == expected) {
      all.push_back(mutant);
    }
  }
  return all;
}

}  // namespace tileput::scene
