# Flott::arrow: Apache Arrow with its compute kernels, Acero and Parquet.
#
# A system Arrow of version 15 or newer is taken when there is one, else the libraries that tools/install-deps.sh
# unpacked from the pyarrow wheel. FLOTT_ARROW_WHEEL is the folder with the wheel's include/ and libraries.

if(TARGET Flott::arrow)
  return()
endif()

if(NOT FLOTT_ARROW_WHEEL)
  set(FLOTT_ARROW_WHEEL ${CMAKE_CURRENT_LIST_DIR}/../build/deps/pyarrow)
endif()
cmake_path(ABSOLUTE_PATH FLOTT_ARROW_WHEEL NORMALIZE)

find_package(Arrow CONFIG QUIET)
if(Arrow_FOUND AND Arrow_VERSION VERSION_GREATER_EQUAL 15)
  find_package(ArrowAcero REQUIRED CONFIG)
  find_package(Parquet REQUIRED CONFIG)
  find_package(ArrowCompute CONFIG QUIET)  # a library of its own since Arrow 21
  message(STATUS "Arrow ${Arrow_VERSION} of the system")
  add_library(Flott::arrow INTERFACE IMPORTED)
  target_link_libraries(Flott::arrow INTERFACE
    Parquet::parquet_shared ArrowAcero::arrow_acero_shared
    $<TARGET_NAME_IF_EXISTS:ArrowCompute::arrow_compute_shared> Arrow::arrow_shared)
  set(FLOTT_ARROW_FROM_WHEEL OFF)
elseif(EXISTS ${FLOTT_ARROW_WHEEL}/include/arrow/util/config.h)
  include(${CMAKE_CURRENT_LIST_DIR}/ArrowWheel.cmake)
  set(FLOTT_ARROW_FROM_WHEEL ON)
else()
  message(FATAL_ERROR "Flott needs Apache Arrow: there is no system Arrow of version 15 or newer, and no wheel in "
    "${FLOTT_ARROW_WHEEL}. Run tools/install-deps.sh, or install libarrow-dev and libparquet-dev.")
endif()
