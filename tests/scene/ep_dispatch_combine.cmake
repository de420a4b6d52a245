# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# The mixture-of-experts example: by rank count, at its edges, on the checked machine, and with one mistake at a time.

set(ep_example ${PROJECT_SOURCE_DIR}/examples/workers/l3/ep_dispatch_combine/kernels)
set(ep_mutants)

# ep_mutant(<name> <dispatch|local_expert|combine> <from> <to> [<from> <to>...]): kernels/ep_mutant_<name>.so, a kernel
# together with ep_device.hpp, in which every <from> is replaced
function(ep_mutant name kernel)
  set(source ${ep_example}/aiv/ep_${kernel}_kernel.cpp)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source} ${ep_example}/ep_device.hpp)
  file(READ ${source} text)
  file(READ ${ep_example}/ep_device.hpp device)
  string(REPLACE "#pragma once" "" device "${device}")
  string(REPLACE "\"ep_window.hpp\"" "\"../ep_window.hpp\"" device "${device}")
  string(REPLACE "#include \"../ep_device.hpp\"" "${device}" text "${text}")
  math(EXPR last "${ARGC} - 1")
  foreach(from RANGE 2 ${last} 2)
    math(EXPR to "${from} + 1")
    string(REPLACE "${ARGV${from}}" "${ARGV${to}}" mutated "${text}")
    if("${mutated}" STREQUAL "${text}")
      message(FATAL_ERROR "the mutant ${name} does not find this in ${source}:\n${ARGV${from}}")
    endif()
    set(text "${mutated}")
  endforeach()
  set(file ${CMAKE_CURRENT_BINARY_DIR}/mutants/ep_${name}.cpp)
  file(CONFIGURE OUTPUT ${file} CONTENT "@text@" @ONLY)
  tileput_add_kernel(ep_mutant_${name} CORE aiv SOURCES ${file} OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  # "../ep_window.hpp", wherever the mutant lies. Mutants leave things unused.
  target_include_directories(ep_mutant_${name} PRIVATE ${ep_example}/aiv)
  target_compile_options(ep_mutant_${name} PRIVATE -Wno-unused)
  set(ep_mutants ${ep_mutants} ep_mutant_${name} PARENT_SCOPE)
endfunction()

# Wrong rows.
ep_mutant(drops_route dispatch "for (int64_t route = 0; route < call.routes; ++route) {\n    const int expert"
          "for (int64_t route = 1; route < call.routes; ++route) {\n    const int expert")
ep_mutant(same_rows dispatch "cursor[expert] = static_cast<uint32_t>(rows)" "cursor[expert] = 0")
ep_mutant(wrong_token dispatch "x + route / call.topk * call.hidden" "x + route % call.topk * call.hidden")
ep_mutant(wrong_weight dispatch "weights + route * kPadded" "weights + (call.routes - 1 - route) * kPadded")
ep_mutant(wrong_owner combine "CommRemotePtr(ctx, slot, source)" "CommRemotePtr(ctx, slot, (source + 1) % n)")
ep_mutant(doubles_row combine "rows + k * hidden + done" "rows + (k == 1 ? 0 : k) * hidden + done")
ep_mutant(forgets_counts dispatch "      previous[entry] = total;\n" "")

# Order: what works on any CPU, and what does not.
set(ep_drain "  pipe_barrier(PIPE_ALL);\n  dsb(DSB_DDR);\n")
set(ep_wait "    pto::comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), pto::comm::WaitCmp::NE);\n")
foreach(kernel IN ITEMS dispatch combine)
  ep_mutant(${kernel}_no_fence ${kernel} "${ep_drain}" "  pipe_barrier(PIPE_ALL);\n")
  ep_mutant(${kernel}_no_drain ${kernel} "${ep_drain}" "  dsb(DSB_DDR);\n")
  ep_mutant(${kernel}_no_wait ${kernel} "${ep_wait}" "")
endforeach()
ep_mutant(dispatch_one_barrier dispatch
          "  ep::MeshBarrier(call.ctx, call.base + call.window.data_done, call.n, epoch);\n" "")
ep_mutant(dispatch_constant_epoch dispatch "  state->dispatch_epoch = epoch;\n" "")
ep_mutant(combine_no_barrier combine "  ep::MeshBarrier(ctx, base + window.combine_done, n, epoch);\n" "")
set(ep_event "    wait_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n")
foreach(kernel IN ITEMS dispatch local_expert)
  ep_mutant(${kernel}_no_event ${kernel} "    set_flag(PIPE_MTE2, PIPE_V, EVENT_ID0);\n${ep_event}" "")
endforeach()
ep_mutant(combine_no_event combine
          "      set_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);\n      wait_flag(PIPE_V, PIPE_MTE2, EVENT_ID0);\n" "")

# An orchestration that does not look at the counts.
set(ep_unwary ${CMAKE_CURRENT_BINARY_DIR}/mutants/ep_unwary_orch.cpp)
set(ep_orchestration ${ep_example}/orchestration/ep_dispatch_combine_orch.cpp)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ep_orchestration})
file(READ ${ep_orchestration} ep_text)
string(REGEX REPLACE "  check_capacity\\(tensor[^\n]*" "" ep_mutated "${ep_text}")
if("${ep_mutated}" STREQUAL "${ep_text}")
  message(FATAL_ERROR "${ep_orchestration} calls no check_capacity()")
endif()
file(CONFIGURE OUTPUT ${ep_unwary} CONTENT "@ep_mutated@" @ONLY)
tileput_add_orchestration(ep_unwary_orch SOURCES ${ep_unwary} OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
target_include_directories(ep_unwary_orch PRIVATE ${ep_example}/orchestration)
target_compile_options(ep_unwary_orch PRIVATE -Wno-unused)

# ep_program(<target>): what the programs of these tests have in common
function(ep_program target)
  target_link_libraries(${target} PRIVATE ep_dispatch_combine_scene)
  target_compile_definitions(
    ${target}
    PRIVATE EP_ORCHESTRATION="$<TARGET_FILE:ep_dispatch_combine_orch>"
            EP_DISPATCH="$<TARGET_FILE:ep_dispatch_kernel>"
            EP_LOCAL_EXPERT="$<TARGET_FILE:ep_local_expert_kernel>"
            EP_COMBINE="$<TARGET_FILE:ep_combine_kernel>"
            EP_UNWARY_ORCHESTRATION="$<TARGET_FILE:ep_unwary_orch>"
            EP_MUTANT_DIRECTORY="${CMAKE_CURRENT_BINARY_DIR}/kernels")
endfunction()

foreach(name IN ITEMS ep_routing ep_check ep_orchestration)
  tileput_test(
    ${name}
    LABELS
    scene
    TIMEOUT
    300
    SOURCES
    ${name}_test.cpp
    DEPENDS
    ${ep_mutants}
    ep_unwary_orch)
  ep_program(${name})
endforeach()

add_executable(ep_ranks ep_ranks_test.cpp)
target_link_libraries(ep_ranks PRIVATE tileput tileput_flags GTest::gtest_main Threads::Threads)
ep_program(ep_ranks)
foreach(ranks IN ITEMS 1 2 3 4 8)
  set(name "ep_dispatch_combine[${ranks}]")
  add_test(NAME ${name} COMMAND ep_ranks --gtest_filter=*/P${ranks}/*:*/P${ranks})
  set_tests_properties(${name} PROPERTIES LABELS scene TIMEOUT 120)
endforeach()
add_test(NAME ep_dispatch_combine_public_size COMMAND ep_ranks --gtest_filter=EpPublicSize.*)
set_tests_properties(ep_dispatch_combine_public_size PROPERTIES LABELS scene TIMEOUT 120)
