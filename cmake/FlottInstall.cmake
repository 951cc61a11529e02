# `cmake --install`: libraries and headers, and the package that find_package(Flott) finds.
#
# A wheel's Arrow is installed too, into lib/flott/arrow, so that what is installed does not depend on this tree.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(existing GLOBAL PROPERTY FLOTT_ROOMS)
list(REMOVE_ITEM existing sim)
list(TRANSFORM existing PREPEND flott_ OUTPUT_VARIABLE libraries)
install(TARGETS flott ${libraries} EXPORT FlottTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

install(DIRECTORY src/flott DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN tests EXCLUDE PATTERN sim EXCLUDE)

set(FLOTT_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Flott)
set(FLOTT_INSTALLED_ARROW ${CMAKE_INSTALL_LIBDIR}/flott/arrow)
if(FLOTT_ARROW_FROM_WHEEL)
  install(DIRECTORY ${FLOTT_ARROW_WHEEL}/include DESTINATION ${FLOTT_INSTALLED_ARROW})
  foreach(library arrow_core arrow_compute arrow_acero parquet)
    install(FILES $<TARGET_FILE:Flott::${library}> DESTINATION ${FLOTT_INSTALLED_ARROW})
  endforeach()
endif()

install(EXPORT FlottTargets NAMESPACE Flott:: DESTINATION ${FLOTT_PACKAGE_DIR})
configure_package_config_file(cmake/FlottConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/FlottConfig.cmake
  INSTALL_DESTINATION ${FLOTT_PACKAGE_DIR} PATH_VARS FLOTT_INSTALLED_ARROW)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/FlottConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/FlottConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/FlottConfigVersion.cmake
  cmake/FlottDependencies.cmake cmake/FlottArrow.cmake cmake/ArrowWheel.cmake DESTINATION ${FLOTT_PACKAGE_DIR})
