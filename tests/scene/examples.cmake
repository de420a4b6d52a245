# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# Every example that tileput_example() builds, through its scene, and the programs of those that are listed here.

# example_program(<name> RANKS <count>... [OPTIONS <option string>...]): <name>[<count>] runs the program; each option string
# is one run more.
function(example_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "RANKS;OPTIONS")
  foreach(ranks IN LISTS arg_RANKS)
    set(test "${name}[${ranks}]")
    add_test(NAME ${test} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/example_program.sh $<TARGET_FILE:${name}> ${ranks}
                                  ${arg_OPTIONS})
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

# Mutants of the kernels. Their names begin with the collective.
foreach(collective IN ITEMS allgather broadcast reduce_scatter)
  set(${collective}
      ${PROJECT_SOURCE_DIR}/examples/workers/l3/${collective}_distributed/kernels/aiv/${collective}_kernel.cpp)
endforeach()
set(drain_and_fence "  pipe_barrier(PIPE_ALL);\n  dsb(DSB_DDR);\n\n  // Barrier")
set(drain_only "  pipe_barrier(PIPE_ALL);\n\n  // Barrier")
set(fence_only "  dsb(DSB_DDR);\n\n  // Barrier")
set(wait_peers "    pto::comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), pto::comm::WaitCmp::NE);\n")

# Wrong: these have to differ from golden.
set(mutant_names)
mutate(allgather_no_own_part ${allgather} "i <= n" "i < n")
mutate(allgather_wrong_slot ${allgather} "slots + me * words" "slots + (me + 1) % n * words")
mutate(allgather_part_twice ${allgather} "copy_through(tile, out, slots, n * words);"
       "for (int s = 0; s < n; ++s) copy_through(tile, out + s * words, slots + s / 2 * words, words);")
mutate(allgather_last_word_missing ${allgather} "slots, n * words)" "slots, n * words - 1)")
mutate(broadcast_one_peer_only ${broadcast} "scratch, dest)" "scratch, (me + 1) % n)")
mutate(broadcast_misplaced ${broadcast} "copy_through(tile, out, scratch, words)"
       "copy_through(tile, out + 1, scratch, words - 1)")
mutate(broadcast_no_own_output ${broadcast} "    copy_through(tile, out, in, words);\n" "")
mutate(reduce_scatter_last_part_missing ${reduce_scatter} "s < n; ++s" "s < n - 1; ++s")
mutate(reduce_scatter_parts_twice ${reduce_scatter} "TADD(sum, sum, part);"
       "TADD(sum, sum, part); TADD(sum, sum, part);")
mutate(reduce_scatter_one_for_another ${reduce_scatter} "part_of(s) + done" "part_of(s == n - 1 ? s - 1 : s) + done")
mutate(reduce_scatter_wrong_part ${reduce_scatter} "in + dest * words" "in + (dest + 1) % n * words")
mutate(reduce_scatter_other_order ${reduce_scatter} "part_of(0) + done" "part_of(n - 1) + done" "part_of(s) + done"
       "part_of(n - 1 - s) + done")
set(wrong_mutants ${mutant_names})

# Unordered: these may give the right results, and the checker has to report them.
set(mutant_names)
foreach(collective IN ITEMS allgather reduce_scatter)
  mutate(${collective}_no_fence ${${collective}} "${drain_and_fence}" "${drain_only}")
  mutate(${collective}_no_drain ${${collective}} "${drain_and_fence}" "${fence_only}")
  mutate(${collective}_no_wait ${${collective}} "${wait_peers}" "")
  mutate(${collective}_one_slot_set ${${collective}} "epoch % slot_window::kSlotSets" "0")
endforeach()
mutate(reduce_scatter_no_flag_before_sum ${reduce_scatter} "      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n" ""
       "      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n" "")
mutate(reduce_scatter_no_barrier_before_store ${reduce_scatter} "    pipe_barrier(PIPE_ALL);  // the sum"
       "    // the sum")
set(drain_and_fence_data "    pipe_barrier(PIPE_ALL);\n    dsb(DSB_DDR);\n")
mutate(broadcast_no_fence ${broadcast} "${drain_and_fence_data}" "    pipe_barrier(PIPE_ALL);\n")
mutate(broadcast_no_drain ${broadcast} "${drain_and_fence_data}" "    dsb(DSB_DDR);\n")
mutate(broadcast_no_wait_for_ready ${broadcast}
       "      pto::comm::TWAIT(ready, static_cast<int32_t>(count - 1), pto::comm::WaitCmp::NE);\n" "")
mutate(broadcast_no_wait_for_data ${broadcast}
       "    pto::comm::TWAIT(sent, static_cast<int32_t>(count - 1), pto::comm::WaitCmp::NE);\n" "")
set(unordered_mutants ${mutant_names})

# Each in a directory of its own, under the name of the kernel that it replaces.
set(mutant_kernels ${CMAKE_CURRENT_BINARY_DIR}/mutant_kernels)
set(example_mutants)
foreach(name IN LISTS wrong_mutants unordered_mutants)
  string(REGEX MATCH "^(allgather|broadcast|reduce_scatter)" collective ${name})
  tileput_add_kernel(${name} CORE aiv SOURCES ${mutants}/${name}.cpp OUTPUT_DIRECTORY ${mutant_kernels}/${name})
  cmake_path(GET ${collective} PARENT_PATH aiv)
  target_include_directories(${name} PRIVATE ${aiv})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${collective}_kernel)
  set(expected finding)
  if(name IN_LIST wrong_mutants)
    set(expected differs)
  endif()
  list(APPEND example_mutants ${name}:${collective}_distributed:${expected})
endforeach()

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
list(JOIN example_mutants "," example_mutants)

add_library(example_registry STATIC examples.cpp)
target_link_libraries(example_registry PUBLIC ${example_scenes} PRIVATE tileput_flags)
target_compile_definitions(example_registry PUBLIC EXAMPLE_NAMES="${example_names}"
                           PRIVATE EXAMPLE_DIRECTORIES="${example_directories}")
scene_test(examples_in_one_process)
scene_test(examples_check)
scene_test(example_mutants ${wrong_mutants} ${unordered_mutants})
foreach(name IN ITEMS examples_in_one_process examples_check example_mutants)
  target_link_libraries(${name} PRIVATE example_registry)
endforeach()
target_compile_definitions(example_mutants PRIVATE EXAMPLE_MUTANTS="${example_mutants}"
                                                   MUTANT_DIRECTORY="${mutant_kernels}")
