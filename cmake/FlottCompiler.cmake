# How everything in this tree is compiled and linked. Programs outside the tree take none of it over.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wno-missing-field-initializers $<$<BOOL:${FLOTT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overread)  # g++ 12 sees them inside its own, correct std::string
endif()
if(FLOTT_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-Wno-subobject-linkage)  # it takes a source that a group includes for a header
endif()
if(FLOTT_ARCH)
  add_compile_options(-march=${FLOTT_ARCH})
endif()
if(FLOTT_SANITIZE)
  add_compile_options(-fsanitize=${FLOTT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${FLOTT_SANITIZE})
  if(FLOTT_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)  # it does not see fences, behind which there are only atomics here
  endif()
  if(FLOTT_SANITIZE MATCHES undefined)
    # A check at every access to a member: a third of the compile time, for what the address sanitizer finds, too.
    add_compile_options(-fno-sanitize=null,alignment,vptr,object-size,nonnull-attribute,returns-nonnull-attribute)
  endif()
endif()

# A program is linked to the shared libraries it calls, not to all that its rooms may call.
add_link_options(LINKER:--as-needed)
find_program(FLOTT_MOLD mold)
if(FLOTT_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_program(FLOTT_CCACHE ccache)
if(FLOTT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # With a precompiled header, ccache gives up unless it is told that macros in it and its time do not matter.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${FLOTT_CCACHE})
  add_compile_options(-fpch-preprocess)
endif()

# Six targets own the precompiled headers, which all others borrow: light standard headers for the engine, those with
# googletest for its tests, and the same two with the whole API, which takes several seconds to read, for what uses it.
# Tests of the upper rooms have what most of them read of the engine.
function(flott_add_pch target)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/pch/${target}.cc CONTENT "")
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/pch/${target}.cc)
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

# Tests spend more time in the compiler than in running.
set(FLOTT_TEST_OPTIONS $<$<CONFIG:Release>:${FLOTT_TEST_OPTIMIZATION}>)
# As do JSON and messages, in rooms that no record passes through.
set(FLOTT_CONTROL_ROOMS rest cluster)
set(FLOTT_CONTROL_OPTIONS $<$<CONFIG:Release>:${FLOTT_CONTROL_OPTIMIZATION}>)
# The garbage that g++ makes in one of our sources fits into memory; collecting it takes a seventh of the time. Clang,
# which reads the commands of a build without precompiled headers, does not know the option.
if(FLOTT_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options("SHELL:--param ggc-min-heapsize=1000000")
endif()

# Sources in groups, each of which is compiled as one: what a group's files include is read once, and templates that they
# share are compiled once, which halves the time for all. So names in the anonymous namespaces of a group must differ.
# A group of half the size or more ends where the name of a file says so, so that another file changes few groups.
# flott_unite(target most sources...): adds to `target`, in groups of at most `most` files.
function(flott_unite target most)
  if(NOT FLOTT_UNITY)
    target_sources(${target} PRIVATE ${ARGN})
    return()
  endif()
  list(SORT ARGN)
  set(group)
  set(count 0)
  math(EXPR half "(${most} + 1) / 2")
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH name ${CMAKE_CURRENT_SOURCE_DIR} ${source})
    string(SHA1 hash ${name})
    if(count GREATER_EQUAL most OR (count GREATER_EQUAL half AND hash MATCHES "^[0-3]"))
      flott_add_group(${target} "${group}")
      set(group)
      set(count 0)
    endif()
    list(APPEND group ${name})
    math(EXPR count "${count} + 1")
  endforeach()
  flott_add_group(${target} "${group}")
endfunction()

# A file of its own that includes those of a group; its name is that of the first.
function(flott_add_group target group)
  list(LENGTH group count)
  list(GET group 0 first)
  if(count EQUAL 1)
    target_sources(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${first})
    return()
  endif()
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  set(file ${CMAKE_CURRENT_BINARY_DIR}/united/${target}/${first})
  list(TRANSFORM group REPLACE "(.+)" "#include \"\\1\"\n" OUTPUT_VARIABLE lines)
  string(REPLACE ";" "" text "${lines}")
  file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY)
  target_sources(${target} PRIVATE ${file})
endfunction()

if(FLOTT_PCH)
  set(FLOTT_LIGHT_HEADERS <algorithm> <array> <atomic> <bit> <cstddef> <cstdint> <cstring> <limits> <map> <memory>
      <optional> <span> <string> <string_view> <type_traits> <utility> <variant> <vector>)
  # What the owner of a header defines by its libraries has to be the same for all who borrow it.
  flott_add_pch(flott_pch ${FLOTT_LIGHT_HEADERS})
  flott_add_pch(flott_control_pch ${FLOTT_LIGHT_HEADERS})  # one has the optimization that it is used with
  target_compile_options(flott_control_pch PRIVATE ${FLOTT_CONTROL_OPTIONS})
  flott_add_pch(flott_api_pch ${FLOTT_LIGHT_HEADERS} <flott/flott.h>)
  target_link_libraries(flott_api_pch PRIVATE flott)
  if(FLOTT_TESTS)
    flott_add_pch(flott_test_pch ${FLOTT_LIGHT_HEADERS} <gtest/gtest.h>)
    target_compile_options(flott_test_pch PRIVATE ${FLOTT_TEST_OPTIONS})
    target_link_libraries(flott_test_pch PRIVATE GTest::gtest)
    flott_add_pch(flott_engine_test_pch ${FLOTT_LIGHT_HEADERS} <gtest/gtest.h> <flott/env/simulated.h>
      <flott/operators/process.h> <flott/operators/window/slice_window_operator.h> <flott/runtime/worker.h>)
    target_compile_options(flott_engine_test_pch PRIVATE ${FLOTT_TEST_OPTIONS})
    target_link_libraries(flott_engine_test_pch PRIVATE flott_operators GTest::gtest)
    flott_add_pch(flott_api_test_pch ${FLOTT_LIGHT_HEADERS} <gtest/gtest.h> <flott/flott.h>)
    target_compile_options(flott_api_test_pch PRIVATE ${FLOTT_TEST_OPTIONS})
    target_link_libraries(flott_api_test_pch PRIVATE flott GTest::gtest)
  endif()
endif()

function(flott_use_pch target pch)
  if(FLOTT_PCH)
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()
