// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
// What kernel_object_test.cpp loads.

extern "C" {

__attribute__((visibility("hidden"))) int hidden_count = 0;

__attribute__((visibility("default"))) int next_count() { return ++hidden_count; }

}  // extern "C"
