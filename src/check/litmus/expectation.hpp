// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "check/litmus/listing.hpp"

namespace tileput::check::litmus {

/// Reads what follows `# expect:`, from `begin` of the line on.
void read_expectation(Listing& listing, std::string_view line, int line_number, std::size_t begin);

}  // namespace tileput::check::litmus
