# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# How kernels and orchestrations are built. Part of the installed package.

# tileput_add_kernel(<name> CORE aiv|aic SOURCES <file> [<file>...] [OUTPUT_DIRECTORY <directory>])
#
# Builds kernels/<name>.so beside the program: in ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} where that is set, else in the current
# binary directory. The kernel is compiled as spec section 1.1 says and links nothing.
function(tileput_add_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORE;OUTPUT_DIRECTORY" "SOURCES")
  if(arg_CORE STREQUAL "aiv")
    set(core __DAV_VEC__)
  elseif(arg_CORE STREQUAL "aic")
    set(core __DAV_CUBE__)
  else()
    message(FATAL_ERROR "tileput_add_kernel(${name}): CORE is aiv or aic, not '${arg_CORE}'")
  endif()
  _tileput_add_object(${name} "${arg_SOURCES}" "${arg_OUTPUT_DIRECTORY}" "${arg_UNPARSED_ARGUMENTS}")
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_definitions(${name} PRIVATE __CPU_SIM ${core} NDEBUG PTO_CPU_MAX_THREADS=1)
endfunction()

# tileput_add_orchestration(<name> SOURCES <file> [<file>...] [OUTPUT_DIRECTORY <directory>])
#
# The same for an orchestration, as C++17 with GNU extensions.
function(tileput_add_orchestration name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES")
  _tileput_add_object(${name} "${arg_SOURCES}" "${arg_OUTPUT_DIRECTORY}" "${arg_UNPARSED_ARGUMENTS}")
  set_target_properties(${name} PROPERTIES CXX_STANDARD 17 CXX_EXTENSIONS ON)
  # Designated initialisers, which the public style uses, are an extension in C++17.
  target_compile_options(${name} PRIVATE -Wno-pedantic)
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
               POSITION_INDEPENDENT_CODE ON
               VISIBILITY_INLINES_HIDDEN ON)
  # -g: reports name source lines. No contraction: results are those of the instructions. Kernels in the public style
  # put attributes where g++ warns.
  target_compile_options(${name} PRIVATE -g -ffp-contract=off -Wno-attributes)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Statics of header templates stay this object's own, and dlclose() unloads.
    target_compile_options(${name} PRIVATE -fno-gnu-unique)
  endif()
endfunction()
