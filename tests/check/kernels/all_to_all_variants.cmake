# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# The all-to-all kernels and mutants of them, each in a namespace of its own, in one file. Sets all_to_all_variants to
# that file; all_to_all_variants.hpp declares what it defines. A mutant is one edit, listed below.

set(example_kernels ${PROJECT_SOURCE_DIR}/examples/workers/l3/all_to_all_distributed/kernels)
set(variant_texts "")
set(variant_entries "")

# variant(<name> <push|pull> [<from> <to>]...): the kernel with every <from> replaced, which must be there
function(variant name kind)
  if(kind STREQUAL "push")
    set(source ${example_kernels}/aiv/all_to_all_kernel.cpp)
    set(slot_sets kPushSlotSets)
  else()
    set(source ${example_kernels}/aiv/all_to_all_pull_kernel.cpp)
    set(slot_sets kPullSlotSets)
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  # Included once, before; a function that can be called.
  string(REGEX REPLACE "#include[^\n]*" "" text "${text}")
  string(REPLACE "extern \"C\" __aicore__ __attribute__((always_inline)) void kernel_entry" "void kernel_entry" text
                 "${text}")
  if(ARGC GREATER 2)
    math(EXPR last "${ARGC} - 1")
    foreach(from RANGE 2 ${last} 2)
      math(EXPR to "${from} + 1")
      string(REPLACE "${ARGV${from}}" "${ARGV${to}}" mutated "${text}")
      if("${mutated}" STREQUAL "${text}")
        message(FATAL_ERROR "the mutant ${name} does not find this in ${source}:\n${ARGV${from}}")
      endif()
      set(text "${mutated}")
    endforeach()
  endif()
  set(variant_texts "${variant_texts}\nnamespace ${name} {\n#line 1 \"${name}.cpp\"\n${text}\n}  // namespace ${name}\n"
      PARENT_SCOPE)
  set(variant_entries "${variant_entries}    {\"${name}\", &${name}::kernel_entry, all_to_all::${slot_sets}},\n"
      PARENT_SCOPE)
endfunction()

variant(push push)
variant(pull pull)

# Drains and fences.
set(drain "  pipe_barrier(PIPE_ALL);\n  dsb(DSB_DDR);\n")
foreach(kind IN ITEMS push pull)
  variant(${kind}_no_drain ${kind} "${drain}" "  dsb(DSB_DDR);\n")
  variant(${kind}_no_fence ${kind} "${drain}" "  pipe_barrier(PIPE_ALL);\n")
  variant(${kind}_no_drain_no_fence ${kind} "${drain}" "")
  variant(${kind}_fence_before_drain ${kind} "${drain}" "  dsb(DSB_DDR);\n  pipe_barrier(PIPE_ALL);\n")
  variant(${kind}_drain_of_another_pipe ${kind} "${drain}" "  pipe_barrier(PIPE_V);\n  dsb(DSB_DDR);\n")
endforeach()

# Signals.
set(notify "    pto::comm::TNOTIFY(arrived, 1, pto::comm::NotifyOp::AtomicAdd);\n")
set(wait_push "    pto::comm::TWAIT(arrived, static_cast<int32_t>(epoch - 1), pto::comm::WaitCmp::NE);\n")
set(wait_pull "    pto::comm::TWAIT(arrived, static_cast<int32_t>(barrier - 1), pto::comm::WaitCmp::NE);\n")
set(wait_loop "for (int i = 1; i < n; ++i) {\n    pto::comm::Signal arrived(cell_of((me + i) % n));")
set(shorter_loop "for (int i = 1; i < n - 1; ++i) {\n    pto::comm::Signal arrived(cell_of((me + i) % n));")
foreach(kind IN ITEMS push pull)
  variant(${kind}_no_notify ${kind} "${notify}" "")
  variant(${kind}_notify_sets ${kind} "${notify}" "    pto::comm::TNOTIFY(arrived, 1, pto::comm::NotifyOp::Set);\n")
  variant(${kind}_no_wait ${kind} "${wait_${kind}}" "")
  variant(${kind}_waits_for_one_less ${kind} "${wait_loop}" "${shorter_loop}")
  variant(${kind}_wait_compares_weakly ${kind} "pto::comm::WaitCmp::NE" "pto::comm::WaitCmp::GE")
endforeach()
variant(
  pull_no_first_barrier
  pull
  "  MeshBarrier(ctx, cells, n, me, barrier + 1);\n"
  ""
  "MeshBarrier(ctx, cells, n, me, barrier + 2)"
  "MeshBarrier(ctx, cells, n, me, barrier + 1)"
  "*barrier_word = barrier + 2;"
  "*barrier_word = barrier + 1;")
variant(pull_no_second_barrier pull "  MeshBarrier(ctx, cells, n, me, barrier + 2);\n" ""
        "*barrier_word = barrier + 2;" "*barrier_word = barrier + 1;")

# Epochs and slots.
variant(push_constant_epoch push "  *epoch_word = epoch;\n" "")
variant(pull_constant_epoch pull "  *barrier_word = barrier + 2;\n" "")
variant(pull_counts_one_barrier pull "*barrier_word = barrier + 2;" "*barrier_word = barrier + 1;")
variant(push_one_slot_set push "epoch % all_to_all::kPushSlotSets" "0")
variant(push_one_slot_for_all push "slots + me * words" "slots")

# Pipe events around the tile of a copy.
set(set_loaded "    set_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);\n")
set(wait_loaded "    wait_flag(PIPE_MTE2, PIPE_MTE3, EVENT_ID0);\n")
set(set_stored "    set_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);\n")
set(wait_stored "    wait_flag(PIPE_MTE3, PIPE_MTE2, EVENT_ID0);\n")
foreach(kind IN ITEMS push pull)
  foreach(event IN ITEMS loaded stored)
    variant(${kind}_no_event_${event} ${kind} "${set_${event}}${wait_${event}}" "")
    variant(${kind}_no_set_${event} ${kind} "${set_${event}}" "")
    variant(${kind}_no_wait_${event} ${kind} "${wait_${event}}" "")
  endforeach()
endforeach()

# What the start and the end of a task do as well: not needed, so nothing may be reported.
set(clean_push "  dcci(epoch_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);\n")
set(clean_pull "  dcci(barrier_word, cache_line_t::SINGLE_CACHE_LINE, dcci_dst_t::CACHELINE_OUT);\n")
foreach(kind IN ITEMS push pull)
  variant(${kind}_without_cleaning ${kind} "${clean_${kind}}" "")
  variant(${kind}_without_last_fence ${kind} "${clean_${kind}}  dsb(DSB_DDR);\n" "${clean_${kind}}")
endforeach()
variant(push_without_last_drain push "  pipe_barrier(PIPE_ALL);\n\n  *epoch_word" "  *epoch_word")

set(all_to_all_variants ${CMAKE_CURRENT_BINARY_DIR}/all_to_all_variants.cpp)
set(generated
    "#include <pto/pto-inst.hpp>

#include \"check/kernels/all_to_all_variants.hpp\"
#include \"all_to_all_window.hpp\"
#include \"platform_comm/comm_context.h\"
#include \"tensor.h\"

// Mutants leave things unused.
#pragma GCC diagnostic ignored \"-Wunused-function\"
#pragma GCC diagnostic ignored \"-Wunused-parameter\"
#pragma GCC diagnostic ignored \"-Wunused-variable\"

namespace {
${variant_texts}
constexpr tileput::check::test::KernelVariant kVariants[] = {
${variant_entries}};

}  // namespace

std::span<const tileput::check::test::KernelVariant> tileput::check::test::all_to_all_variants() { return kVariants; }
")
set(before "")
if(EXISTS ${all_to_all_variants})
  file(READ ${all_to_all_variants} before)
endif()
if(NOT "${before}" STREQUAL "${generated}")
  file(WRITE ${all_to_all_variants} "${generated}")
endif()
