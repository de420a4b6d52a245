# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# Every example that tileput_example() builds, through its scene, and the programs of those that are listed here.

# example_program(<name> RANKS <count>... [MODE <mode>] [OPTIONS <option string>...]): <name>[<count>], or
# <name>[<mode>,<count>] with --mode <mode>, runs the program; each option string is one run more.
function(example_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODE" "RANKS;OPTIONS")
  set(always "")
  set(prefix "")
  if(arg_MODE)
    set(always "--mode ${arg_MODE}")
    set(prefix "${arg_MODE},")
  endif()
  foreach(ranks IN LISTS arg_RANKS)
    set(test "${name}[${prefix}${ranks}]")
    add_test(NAME ${test} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/example_program.sh $<TARGET_FILE:${name}> ${ranks}
                                  "${always}" ${arg_OPTIONS})
    set_tests_properties(${test} PROPERTIES LABELS scene TIMEOUT 120)
  endforeach()
endfunction()

set(ranks 1 2 3 4 8 16)
set(counts "--count 0" "--count 1" "--count 63" "--count 65 --ranks-as thread" "--count 16385")
example_program(allgather_distributed RANKS ${ranks} OPTIONS ${counts})
example_program(broadcast_distributed RANKS 1 OPTIONS ${counts})
example_program(
  broadcast_distributed
  RANKS
  2
  3
  4
  8
  16
  OPTIONS
  ${counts}
  "--root 1"
  "--root 1,0,1,1,0 --iterations 3")
example_program(reduce_scatter_distributed RANKS ${ranks} OPTIONS ${counts})
foreach(mode IN ITEMS onephase twophase ring bidirectional_ring)
  example_program(
    allreduce_distributed
    MODE
    ${mode}
    RANKS
    1
    2
    3
    4
    8)
endforeach()
example_program(allreduce_distributed MODE ibing RANKS 2)
example_program(
  ffn_tp_parallel
  RANKS
  1
  2
  3
  4
  8)
example_program(dual_domain_overlap RANKS 2 3 4 8)

# What drives all scenes.
get_property(example_names GLOBAL PROPERTY TILEPUT_EXAMPLES)
set(example_scenes)
set(example_directories)
foreach(name IN LISTS example_names)
  list(APPEND example_scenes ${name}_scene)
  list(APPEND example_directories $<TARGET_PROPERTY:${name}_scene,EXAMPLE_DIRECTORY>)
endforeach()
list(JOIN example_names ":" example_names)
list(JOIN example_directories ":" example_directories)

add_library(example_registry STATIC examples.cpp)
target_link_libraries(example_registry PUBLIC ${example_scenes} PRIVATE tileput_flags)
target_compile_definitions(example_registry PUBLIC EXAMPLE_NAMES="${example_names}"
                           PRIVATE EXAMPLE_DIRECTORIES="${example_directories}")
foreach(name IN ITEMS examples_in_one_process examples_check collectives_orchestration)
  scene_test(${name})
  target_link_libraries(${name} PRIVATE example_registry)
endforeach()
foreach(name IN ITEMS allreduce_distributed ffn_tp_parallel dual_domain_overlap)
  tileput_test(
    ${name}_test
    LABELS
    scene
    TIMEOUT
    300
    SOURCES
    ${name}_test.cpp)
  target_include_directories(${name}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name}_test PRIVATE example_registry)
endforeach()

target_link_libraries(all_to_all_orchestration PRIVATE example_registry)

include(mutants.cmake)
