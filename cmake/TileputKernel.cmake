# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# How kernels and orchestrations are built. Part of the installed package.

# The flags, for the functions below and for `tileput run`. A macro: functions see it wherever this file was included.
macro(_tileput_object_flags)
  set(kernel_standard 20)
  set(kernel_definitions __CPU_SIM NDEBUG PTO_CPU_MAX_THREADS=1)
  set(aiv_definition __DAV_VEC__)
  set(aic_definition __DAV_CUBE__)
  # With GNU extensions, and designated initialisers, which the public style uses, are an extension in C++17.
  set(orchestration_standard 17)
  set(orchestration_options -Wno-pedantic)
  # -g: reports name source lines. No contraction: results are those of the instructions. Kernels in the public style
  # put attributes where g++ warns.
  set(object_options -g -ffp-contract=off -Wno-attributes -fvisibility-inlines-hidden)
  # Statics of header templates stay this object's own, and dlclose() unloads.
  set(gnu_options -fno-gnu-unique)
endmacro()

# tileput_add_kernel(<name> CORE aiv|aic SOURCES <file> [<file>...] [OUTPUT_DIRECTORY <directory>])
#
# Builds kernels/<name>.so beside the program: in ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} where that is set, else in the current
# binary directory. The kernel is compiled as spec section 1.1 says and links nothing.
function(tileput_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORE;OUTPUT_DIRECTORY" "SOURCES")
  if(NOT arg_CORE MATCHES "^ai[vc]$")
    message(FATAL_ERROR "tileput_add_kernel(${name}): CORE is aiv or aic, not '${arg_CORE}'")
  endif()
  _tileput_add_object(${name} "${arg_SOURCES}" "${arg_OUTPUT_DIRECTORY}" "${arg_UNPARSED_ARGUMENTS}")
  _tileput_object_flags()
  target_compile_features(${name} PRIVATE cxx_std_${kernel_standard})
  target_compile_definitions(${name} PRIVATE ${kernel_definitions} ${${arg_CORE}_definition})
endfunction()

# tileput_add_orchestration(<name> SOURCES <file> [<file>...] [OUTPUT_DIRECTORY <directory>])
#
# The same for an orchestration, as C++17 with GNU extensions.
function(tileput_add_orchestration name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES")
  _tileput_add_object(${name} "${arg_SOURCES}" "${arg_OUTPUT_DIRECTORY}" "${arg_UNPARSED_ARGUMENTS}")
  _tileput_object_flags()
  set_target_properties(${name} PROPERTIES CXX_STANDARD ${orchestration_standard} CXX_EXTENSIONS ON)
  target_compile_options(${name} PRIVATE ${orchestration_options})
endfunction()

function(_tileput_add_object name sources directory unknown)
  if(unknown OR NOT sources)
    message(FATAL_ERROR "${name}: SOURCES is missing, or unknown arguments: ${unknown}")
  endif()
  if(NOT directory)
    if(CMAKE_RUNTIME_OUTPUT_DIRECTORY)
      set(directory ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
    else()
      set(directory ${CMAKE_CURRENT_BINARY_DIR})
    endif()
  endif()
  add_library(${name} MODULE ${sources})
  target_link_libraries(${name} PRIVATE tileput::kernel)
  set_target_properties(
    ${name}
    PROPERTIES PREFIX ""
               OUTPUT_NAME ${name}
               LIBRARY_OUTPUT_DIRECTORY ${directory}/kernels
               POSITION_INDEPENDENT_CODE ON)
  _tileput_object_flags()
  target_compile_options(${name} PRIVATE ${object_options})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE ${gnu_options})
  endif()
endfunction()
