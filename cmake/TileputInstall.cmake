# SPDX-FileCopyrightText: The tileput authors
# SPDX-License-Identifier: Apache-2.0

include(CMakePackageConfigHelpers)

install(TARGETS tileput EXPORT tileput)
install(TARGETS kernel_headers EXPORT tileput FILE_SET HEADERS)
install(TARGETS rank_helper DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/tileput)
install(TARGETS tileput_cli)
install(TARGETS default_orchestration LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/tileput/kernels)
install(
  EXPORT tileput
  NAMESPACE tileput::
  FILE tileputTargets.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tileput)
configure_package_config_file(cmake/tileputConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/tileputConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tileput)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tileputConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tileputConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/tileputConfigVersion.cmake
              cmake/TileputKernel.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tileput)
install(FILES LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR})
