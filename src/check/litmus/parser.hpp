// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "check/litmus/listing.hpp"

namespace tileput::check::litmus {

/// Errors: kBadArgument with `file:line:column`, the text that is wrong, and what was expected. Names, indices and
/// ranks are checked where a Program is made of a variant.
Listing parse(const std::string& file, std::string_view text);
/// Errors: kNotFound when there is no such file.
Listing read_listing(const std::string& file);

}  // namespace tileput::check::litmus
