# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

# Flags of this build; none of them reaches a consumer of the installed package.

add_library(tileput_flags INTERFACE)
target_compile_options(tileput_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(TILEPUT_WERROR)
  target_compile_options(tileput_flags INTERFACE -Werror)
endif()

if(TILEPUT_SANITIZE)
  add_compile_options(-fsanitize=${TILEPUT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TILEPUT_SANITIZE})
  if(TILEPUT_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
endif()
