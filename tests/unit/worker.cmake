# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# The classes under the worker, one program for all of them.
file(
  GLOB
  worker_tests
  CONFIGURE_DEPENDS
  base/*_test.cpp
  domain/*_test.cpp
  machine/*_test.cpp
  orchestration/*_test.cpp
  rank/*_test.cpp)
foreach(object IN ITEMS counter_object broken_object)
  add_library(${object} MODULE orchestration/${object}.cpp)
endforeach()
tileput_test(
  worker_unit
  LABELS
  unit
  TIMEOUT
  120
  SOURCES
  ${worker_tests}
  DEPENDS
  counter_object
  broken_object)
target_compile_definitions(worker_unit PRIVATE TILEPUT_TEST_OBJECT="$<TARGET_FILE:counter_object>"
                                               TILEPUT_TEST_BROKEN="$<TARGET_FILE:broken_object>")
