# How everything in this tree is compiled and linked. Programs outside the tree take none of it over.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wno-missing-field-initializers $<$<BOOL:${FLOTT_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overread)  # g++ 12 sees them inside its own, correct std::string
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

# Four targets own the precompiled headers, which all others borrow: light standard headers for the engine, those with
# googletest for its tests, and the same two with the whole API, which takes several seconds to read, for what uses it.
function(flott_add_pch target)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/pch/${target}.cc CONTENT "")
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${CMAKE_CURRENT_BINARY_DIR}/pch/${target}.cc)
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

# Tests spend more time in the compiler than in running.
set(FLOTT_TEST_OPTIONS $<$<CONFIG:Release>:${FLOTT_TEST_OPTIMIZATION}>)

if(FLOTT_PCH)
  set(FLOTT_LIGHT_HEADERS <algorithm> <array> <atomic> <bit> <cstddef> <cstdint> <cstring> <limits> <map> <memory>
      <optional> <span> <string> <string_view> <type_traits> <utility> <variant> <vector>)
  # What the owner of a header defines by its libraries has to be the same for all who borrow it.
  flott_add_pch(flott_pch ${FLOTT_LIGHT_HEADERS})
  flott_add_pch(flott_api_pch ${FLOTT_LIGHT_HEADERS} <flott/flott.h>)
  target_link_libraries(flott_api_pch PRIVATE flott)
  if(FLOTT_TESTS)
    flott_add_pch(flott_test_pch ${FLOTT_LIGHT_HEADERS} <gtest/gtest.h>)
    target_compile_options(flott_test_pch PRIVATE ${FLOTT_TEST_OPTIONS})
    target_link_libraries(flott_test_pch PRIVATE GTest::gtest)
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
