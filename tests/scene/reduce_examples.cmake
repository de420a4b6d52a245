# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# The examples that reduce: ffn_tp_parallel, allreduce_distributed, dual_domain_overlap. Included by CMakeLists.txt, whose
# mutate() it uses.

# matches(<test> <example> <ranks> [<option>...])
function(matches name example ranks)
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/example_matches.sh $<TARGET_FILE:${example}> ${ranks}
                                ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS scene TIMEOUT 120)
endfunction()

foreach(ranks IN ITEMS 1 2 3 4 8)
  matches("ffn_tp_parallel[${ranks}]" ffn_tp_parallel ${ranks})
  foreach(mode IN ITEMS onephase twophase ring bidirectional_ring ibing)
    if(NOT mode STREQUAL "ibing" OR ranks EQUAL 2)
      matches("allreduce_distributed[${mode},${ranks}]" allreduce_distributed ${ranks} --mode ${mode})
    endif()
  endforeach()
  if(ranks GREATER 1)
    matches("dual_domain_overlap[${ranks}]" dual_domain_overlap ${ranks})
  endif()
endforeach()

# reduce_test(<example>): <example>_test.cpp, with the mutants in mutant_names. Each is built under the name of the kernel
# that it is of, <kernel> in mutant_kernel_<mutant>, in a folder of its own.
function(reduce_test example)
  set(folder ${PROJECT_SOURCE_DIR}/examples/workers/l3/${example}/kernels)
  foreach(name IN LISTS mutant_names)
    set(kernel ${mutant_kernel_${name}})
    set(core aiv)
    if(kernel MATCHES "linear")
      set(core aic)
    endif()
    tileput_add_kernel(mutant_${name} CORE ${core} SOURCES ${mutants}/${name}.cpp OUTPUT_DIRECTORY ${mutants}/${name})
    set_target_properties(mutant_${name} PROPERTIES OUTPUT_NAME ${kernel})
    # The tested kernel includes "../<header>", wherever its copy lies.
    target_include_directories(mutant_${name} PRIVATE ${folder}/${core})
    list(APPEND objects mutant_${name})
  endforeach()
  tileput_test(
    ${example}_test
    LABELS
    scene
    TIMEOUT
    300
    SOURCES
    ${example}_test.cpp
    DEPENDS
    ${objects})
  get_target_property(directory ${example}_scene EXAMPLE_DIRECTORY)
  target_link_libraries(${example}_test PRIVATE ${example}_scene)
  target_include_directories(${example}_test PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_compile_definitions(${example}_test PRIVATE MUTANT_DIRECTORY="${mutants}" EXAMPLE_DIRECTORY="${directory}")
endfunction()

# of(<kernel> <mutant>...)
macro(of kernel)
  foreach(name IN ITEMS ${ARGN})
    set(mutant_kernel_${name} ${kernel})
  endforeach()
endmacro()

set(fence "dsb(DSB_DDR);")

# ffn_tp_parallel
set(mutant_names)
set(kernels ${PROJECT_SOURCE_DIR}/examples/workers/l3/ffn_tp_parallel/kernels)
set(linear ${kernels}/aic/ffn_local_linear_kernel.cpp)
set(sum ${kernels}/aiv/ffn_partial_sum_kernel.cpp)
mutate(linear_no_event ${linear} "        wait_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);\n" "")
mutate(linear_early_load ${linear} "        wait_flag(PIPE_MTE1, PIPE_MTE2, EVENT_ID1);\n" "")
mutate(linear_drops_blocks ${linear} "TMATMUL_ACC" "TMATMUL")
mutate(sum_no_fence ${sum} "  pipe_barrier(PIPE_ALL);\n  dsb(DSB_DDR);\n" "  pipe_barrier(PIPE_ALL);\n")
mutate(sum_no_wait ${sum} "    pto::comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), pto::comm::WaitCmp::NE);\n"
       "")
mutate(sum_one_mailbox_set ${sum} "epoch % ffn::kMailboxSets" "0")
mutate(sum_drops_one ${sum} "source < n;" "source < n - 1;")
mutate(sum_doubles_one ${sum} "int source = 1; source < n" "int source = 0; source < n")
of(ffn_local_linear_kernel linear_no_event linear_early_load linear_drops_blocks)
of(ffn_partial_sum_kernel sum_no_fence sum_no_wait sum_one_mailbox_set sum_drops_one sum_doubles_one)
reduce_test(ffn_tp_parallel)

# allreduce_distributed
set(mutant_names)
set(kernels ${PROJECT_SOURCE_DIR}/examples/workers/l3/allreduce_distributed/kernels/aiv)
foreach(mode IN ITEMS onephase twophase ring bidirectional_ring ibing)
  set(${mode} ${kernels}/allreduce_${mode}_kernel.cpp)
  mutate(${mode}_no_fence ${${mode}} "${fence}" "")
  of(allreduce_${mode}_kernel ${mode}_no_fence)
endforeach()
mutate(onephase_one_mailbox_set ${onephase} "epoch % ar::kSets" "0")
mutate(onephase_drops_one ${onephase} "}, call.n, call.count" "}, call.n - 1, call.count")
mutate(onephase_doubles_one ${onephase} "source * call.count" "(source == 1 ? 0 : source) * call.count")
of(allreduce_onephase_kernel onephase_one_mailbox_set onephase_drops_one onephase_doubles_one)
mutate(twophase_no_second_barrier ${twophase} "  mesh_barrier(call, window, barrier + 2);\n" ""
       "store_epoch(call, window, barrier + 2)" "store_epoch(call, window, barrier + 1)")
mutate(twophase_doubles_one ${twophase} "source * window.chunk" "(source == 1 ? 0 : source) * window.chunk")
of(allreduce_twophase_kernel twophase_no_second_barrier twophase_doubles_one)
mutate(ring_one_chunk_set ${ring} "epoch % ar::kSets" "0")
mutate(ring_drops_own ${ring} "}, 2, received.size" "}, 1, received.size")
mutate(ring_doubles_own ${ring} "part == 0 ? sum : own" "own")
of(allreduce_ring_kernel ring_one_chunk_set ring_drops_own ring_doubles_own)
mutate(bidirectional_ring_no_staged_signal ${bidirectional_ring}
       "  if (n > 1) {\n    neighbours.notify();\n    neighbours.wait();\n  }\n" "" "1 + 2 * (n - 1)" "2 * (n - 1)")
mutate(bidirectional_ring_overwrites ${bidirectional_ring} "push<pto::AtomicType::AtomicAdd>(there(to_left"
       "push(there(to_left")
of(allreduce_bidirectional_ring_kernel bidirectional_ring_no_staged_signal bidirectional_ring_overwrites)
mutate(ibing_no_staged_signal ${ibing} "  ar::notify(call, cell, peer);\n  ar::wait_for(cell, ++signals);\n" ""
       "(1 + kChunks)" "kChunks")
mutate(ibing_overwrites ${ibing} "push<pto::AtomicType::AtomicAdd>" "push")
of(allreduce_ibing_kernel ibing_no_staged_signal ibing_overwrites)
reduce_test(allreduce_distributed)

# dual_domain_overlap
set(mutant_names)
set(affine ${PROJECT_SOURCE_DIR}/examples/workers/l3/dual_domain_overlap/kernels/aiv/affine_kernel.cpp)
mutate(affine_no_event_loaded ${affine}
       "  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n  wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n" "")
mutate(affine_no_event_stored ${affine}
       "  set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);\n  wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);\n" "")
mutate(affine_drops_bias ${affine} "  TADD(value, value, summand);\n" "")
of(affine_kernel affine_no_event_loaded affine_no_event_stored affine_drops_bias)
reduce_test(dual_domain_overlap)
