# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# Mutants of the kernels of examples, and the tests that run them. Included by examples.cmake; mutate() is in
# CMakeLists.txt.

# kernel_mutants(<kernel> <row> <differs|finding|wraps>): builds mutant_names, which it empties, each in a directory of its
# own and under the name of the kernel that it replaces. The row of examples.cpp shows what mutants.hpp says.
set(mutant_kernels ${CMAKE_CURRENT_BINARY_DIR}/mutant_kernels)
set(example_mutants)
set(example_mutant_objects)
function(kernel_mutants kernel row expected)
  get_target_property(folder ${kernel} SOURCE_DIR)
  get_target_property(source ${kernel} SOURCES)
  string(REGEX REPLACE "^kernels/([a-z]+)/.*$" "\\1" core ${source})
  foreach(name IN LISTS mutant_names)
    tileput_add_kernel(${name} CORE ${core} SOURCES ${mutants}/${name}.cpp OUTPUT_DIRECTORY ${mutant_kernels}/${name})
    set_target_properties(${name} PROPERTIES OUTPUT_NAME ${kernel})
    # The kernel includes "../<header>", wherever its copy lies.
    target_include_directories(${name} PRIVATE ${folder}/kernels/${core})
    list(APPEND example_mutants ${name}:${row}:${expected})
    list(APPEND example_mutant_objects ${name})
  endforeach()
  set(example_mutants ${example_mutants} PARENT_SCOPE)
  set(example_mutant_objects ${example_mutant_objects} PARENT_SCOPE)
  set(mutant_names "" PARENT_SCOPE)
endfunction()

set(l3 ${PROJECT_SOURCE_DIR}/examples/workers/l3)
foreach(collective IN ITEMS allgather broadcast reduce_scatter)
  set(${collective} ${l3}/${collective}_distributed/kernels/aiv/${collective}_kernel.cpp)
endforeach()
foreach(mode IN ITEMS onephase twophase ring bidirectional_ring ibing)
  set(${mode} ${l3}/allreduce_distributed/kernels/aiv/allreduce_${mode}_kernel.cpp)
endforeach()
set(linear ${l3}/ffn_tp_parallel/kernels/aic/ffn_local_linear_kernel.cpp)
set(sum ${l3}/ffn_tp_parallel/kernels/aiv/ffn_partial_sum_kernel.cpp)
set(affine ${l3}/dual_domain_overlap/kernels/aiv/affine_kernel.cpp)

set(drain_and_fence "  pipe_barrier(PIPE_ALL);\n  dsb(DSB_DDR);\n")
set(drain_only "  pipe_barrier(PIPE_ALL);\n")
set(fence_only "  dsb(DSB_DDR);\n")
set(wait_peers "    wait_for(cell_of(call, signals, (call.me + i) % call.n), target);\n")
set(wait_wraps "static_cast<int32_t>(target - 1), pto::comm::WaitCmp::NE")
set(wait_signed "static_cast<int32_t>(target), pto::comm::WaitCmp::GE")
set(mutant_names)

# allgather_distributed
mutate(allgather_no_own_part ${allgather} "i <= call.n" "i < call.n")
mutate(allgather_wrong_slot ${allgather} "slots + call.me * words" "slots + (call.me + 1) % call.n * words")
mutate(allgather_part_twice ${allgather} "steps::copy(call.out, slots, call.n * words);"
       "for (int s = 0; s < call.n; ++s) steps::copy(call.out + s * words, slots + s / 2 * words, words);")
mutate(allgather_last_word_missing ${allgather} "slots, call.n * words)" "slots, call.n * words - 1)")
kernel_mutants(allgather_kernel allgather_distributed differs)
mutate(allgather_no_fence ${allgather} "${drain_and_fence}" "${drain_only}")
mutate(allgather_no_drain ${allgather} "${drain_and_fence}" "${fence_only}")
mutate(allgather_no_wait ${allgather} "${wait_peers}" "")
mutate(allgather_one_slot_set ${allgather} "epoch % slot_window::kSlotSets" "0")
kernel_mutants(allgather_kernel allgather_distributed finding)
mutate(allgather_signed_wait ${allgather} "${wait_wraps}" "${wait_signed}")
kernel_mutants(allgather_kernel allgather_distributed wraps)

# broadcast_distributed
mutate(broadcast_one_peer_only ${broadcast} "scratch, dest)" "scratch, (call.me + 1) % call.n)")
mutate(broadcast_misplaced ${broadcast} "steps::copy(call.out, call.scratch, words)"
       "steps::copy(call.out + 1, call.scratch, words - 1)")
mutate(broadcast_no_own_output ${broadcast} "    steps::copy(call.out, call.in, words);\n" "")
kernel_mutants(broadcast_kernel broadcast_distributed differs)
set(drain_and_fence_data "    pipe_barrier(PIPE_ALL);\n    dsb(DSB_DDR);\n")
mutate(broadcast_no_fence ${broadcast} "${drain_and_fence_data}" "    pipe_barrier(PIPE_ALL);\n")
mutate(broadcast_no_drain ${broadcast} "${drain_and_fence_data}" "    dsb(DSB_DDR);\n")
mutate(broadcast_no_wait_for_ready ${broadcast} "      steps::wait_for(ready_cell_of(dest), count);\n" "")
mutate(broadcast_no_wait_for_data ${broadcast} "    steps::wait_for(data_cell_of(root), count);\n" "")
kernel_mutants(broadcast_kernel broadcast_distributed finding)
mutate(broadcast_signed_wait ${broadcast} "${wait_wraps}" "${wait_signed}")
kernel_mutants(broadcast_kernel broadcast_distributed wraps)

# reduce_scatter_distributed
mutate(reduce_scatter_last_part_missing ${reduce_scatter} "part < n; ++part" "part < n - 1; ++part")
mutate(reduce_scatter_parts_twice ${reduce_scatter} "TADD(sum, sum, next);"
       "TADD(sum, sum, next); TADD(sum, sum, next);")
mutate(reduce_scatter_one_for_another ${reduce_scatter} "part_of(part) + done"
       "part_of(part == n - 1 ? part - 1 : part) + done")
mutate(reduce_scatter_wrong_part ${reduce_scatter} "in + dest * words" "in + (dest + 1) % call.n * words")
mutate(reduce_scatter_other_order ${reduce_scatter} "part_of(0) + done" "part_of(n - 1) + done" "part_of(part) + done"
       "part_of(n - 1 - part) + done")
kernel_mutants(reduce_scatter_kernel reduce_scatter_distributed differs)
mutate(reduce_scatter_no_fence ${reduce_scatter} "${drain_and_fence}" "${drain_only}")
mutate(reduce_scatter_no_drain ${reduce_scatter} "${drain_and_fence}" "${fence_only}")
mutate(reduce_scatter_no_wait ${reduce_scatter} "${wait_peers}" "")
mutate(reduce_scatter_one_slot_set ${reduce_scatter} "epoch % slot_window::kSlotSets" "0")
mutate(reduce_scatter_no_flag_before_sum ${reduce_scatter} "      set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n" ""
       "      wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n" "")
mutate(reduce_scatter_no_barrier_before_store ${reduce_scatter} "    pipe_barrier(PIPE_ALL);  // the sum"
       "    // the sum")
kernel_mutants(reduce_scatter_kernel reduce_scatter_distributed finding)

# ffn_tp_parallel
mutate(linear_drops_blocks ${linear} "TMATMUL_ACC" "TMATMUL")
kernel_mutants(ffn_local_linear_kernel ffn_tp_parallel differs)
mutate(linear_no_event ${linear} "        wait_flag(PIPE_MTE2, PIPE_MTE1, EVENT_ID0);\n" "")
mutate(linear_early_load ${linear} "        wait_flag(PIPE_MTE1, PIPE_MTE2, EVENT_ID1);\n" "")
kernel_mutants(ffn_local_linear_kernel ffn_tp_parallel finding)
mutate(sum_drops_one ${sum} "mailbox_of, call.n" "mailbox_of, call.n - 1")
mutate(sum_doubles_one ${sum} "mailboxes + source * elements" "mailboxes + (source == 1 ? 0 : source) * elements")
kernel_mutants(ffn_partial_sum_kernel ffn_tp_parallel differs)
mutate(sum_no_fence ${sum} "${drain_and_fence}" "${drain_only}")
mutate(sum_no_wait ${sum} "${wait_peers}" "")
mutate(sum_one_mailbox_set ${sum} "epoch % slot_window::kSlotSets" "0")
kernel_mutants(ffn_partial_sum_kernel ffn_tp_parallel finding)

# allreduce_distributed
foreach(mode IN ITEMS onephase twophase ring bidirectional_ring ibing)
  mutate(${mode}_no_fence ${${mode}} "dsb(DSB_DDR);" "")
  kernel_mutants(allreduce_${mode}_kernel allreduce_distributed_${mode} finding)
  mutate(${mode}_signed_wait ${${mode}} "${wait_wraps}" "${wait_signed}")
  kernel_mutants(allreduce_${mode}_kernel allreduce_distributed_${mode} wraps)
endforeach()
mutate(onephase_one_mailbox_set ${onephase} "epoch % ar::kSets" "0")
kernel_mutants(allreduce_onephase_kernel allreduce_distributed_onephase finding)
mutate(onephase_drops_one ${onephase} "}, call.n, count" "}, call.n - 1, count")
mutate(onephase_doubles_one ${onephase} "source * count" "(source == 1 ? 0 : source) * count")
kernel_mutants(allreduce_onephase_kernel allreduce_distributed_onephase differs)
mutate(twophase_no_second_barrier ${twophase} "  steps::mesh_barrier(call, window.signals, barrier + 2);\n" ""
       "store_count(epoch_word, barrier + 2)" "store_count(epoch_word, barrier + 1)")
kernel_mutants(allreduce_twophase_kernel allreduce_distributed_twophase finding)
mutate(twophase_doubles_one ${twophase} "source * window.chunk" "(source == 1 ? 0 : source) * window.chunk")
kernel_mutants(allreduce_twophase_kernel allreduce_distributed_twophase differs)
mutate(ring_one_chunk_set ${ring} "epoch % ar::kSets" "0")
kernel_mutants(allreduce_ring_kernel allreduce_distributed_ring finding)
mutate(ring_drops_own ${ring} "}, 2, received.size" "}, 1, received.size")
mutate(ring_doubles_own ${ring} "part == 0 ? sum : own" "own")
kernel_mutants(allreduce_ring_kernel allreduce_distributed_ring differs)
mutate(bidirectional_ring_no_staged_signal ${bidirectional_ring}
       "  if (n > 1) {\n    neighbours.notify();\n    neighbours.wait();\n  }\n" "" "1 + 2 * (n - 1)" "2 * (n - 1)")
kernel_mutants(allreduce_bidirectional_ring_kernel allreduce_distributed_bidirectional_ring finding)
mutate(bidirectional_ring_overwrites ${bidirectional_ring} "push<pto::AtomicType::AtomicAdd>(there(to_left"
       "push(there(to_left")
kernel_mutants(allreduce_bidirectional_ring_kernel allreduce_distributed_bidirectional_ring differs)
mutate(ibing_no_staged_signal ${ibing} "  steps::notify(call, cell, peer);\n  steps::wait_for(cell, ++signals);\n" ""
       "(1 + kChunks)" "kChunks")
kernel_mutants(allreduce_ibing_kernel allreduce_distributed_ibing finding)
mutate(ibing_overwrites ${ibing} "push<pto::AtomicType::AtomicAdd>" "push")
kernel_mutants(allreduce_ibing_kernel allreduce_distributed_ibing differs)

# dual_domain_overlap
mutate(affine_no_event_loaded ${affine}
       "  set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n  wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n" "")
mutate(affine_no_event_stored ${affine}
       "  set_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);\n  wait_flag(PIPE_V, PIPE_MTE3, EVENT_ID0);\n" "")
kernel_mutants(affine_kernel dual_domain_overlap finding)
mutate(affine_drops_bias ${affine} "  TADD(value, value, summand);\n" "")
kernel_mutants(affine_kernel dual_domain_overlap differs)

# The tests: of mutants, and of counts that wrap, for which windows are prepared.
list(JOIN example_mutants "," example_mutants)
tileput_add_kernel(window_words CORE aiv SOURCES kernels/window_words.cpp OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
tileput_add_orchestration(window_words_orch SOURCES kernels/window_words_orch.cpp OUTPUT_DIRECTORY
                          ${CMAKE_CURRENT_BINARY_DIR})
foreach(name IN ITEMS example_mutants examples_wrap)
  scene_test(${name} ${example_mutant_objects} window_words window_words_orch)
  target_link_libraries(${name} PRIVATE example_registry)
  target_compile_definitions(
    ${name}
    PRIVATE EXAMPLE_MUTANTS="${example_mutants}" MUTANT_DIRECTORY="${mutant_kernels}"
            WINDOW_WORDS_KERNEL="$<TARGET_FILE:window_words>"
            WINDOW_WORDS_ORCHESTRATION="$<TARGET_FILE:window_words_orch>")
endforeach()
