# Flott::arrow from the pyarrow wheel in FLOTT_ARROW_WHEEL.
#
# The wheel's libraries carry their version in the file name and have no link without it; they find each other by
# $ORIGIN, and programs find them by the RPATH that CMake writes for an imported library.

file(STRINGS ${FLOTT_ARROW_WHEEL}/include/arrow/util/config.h arrowConfig REGEX "define ARROW_(SO_)?VERSION")
string(REGEX MATCH "ARROW_SO_VERSION \"([0-9]+)\"" ignored "${arrowConfig}")
set(arrowSoVersion ${CMAKE_MATCH_1})
string(REGEX MATCH "ARROW_VERSION_STRING \"([0-9.]+)\"" ignored "${arrowConfig}")
message(STATUS "Arrow ${CMAKE_MATCH_1} of the wheel in ${FLOTT_ARROW_WHEEL}")

function(flott_import_from_wheel target library)
  set(file ${library}.so.${arrowSoVersion})
  if(NOT EXISTS ${FLOTT_ARROW_WHEEL}/${file})
    message(FATAL_ERROR "${FLOTT_ARROW_WHEEL}/${file} is missing: delete the folder and run tools/install-deps.sh")
  endif()
  add_library(${target} SHARED IMPORTED)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION ${FLOTT_ARROW_WHEEL}/${file}
    IMPORTED_SONAME ${file}
    INTERFACE_INCLUDE_DIRECTORIES ${FLOTT_ARROW_WHEEL}/include
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES "${ARGN}")
endfunction()

flott_import_from_wheel(Flott::arrow_core libarrow)
flott_import_from_wheel(Flott::arrow_compute libarrow_compute Flott::arrow_core)
flott_import_from_wheel(Flott::arrow_acero libarrow_acero Flott::arrow_compute)
flott_import_from_wheel(Flott::parquet libparquet Flott::arrow_core)
add_library(Flott::arrow INTERFACE IMPORTED)
target_link_libraries(Flott::arrow INTERFACE Flott::arrow_acero Flott::parquet)
