// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// An object that calls what nobody has.

extern "C" {

void nobody_defines_this();

__attribute__((visibility("default"))) void kernel_entry() { nobody_defines_this(); }

}  // extern "C"
