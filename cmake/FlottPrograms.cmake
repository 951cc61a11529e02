# Tests, benchmarks and examples: what is built is what lies in the folders.

function(flott_add_program name folder)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
endfunction()

# One binary from the *_test.cc of a folder, when there are any:
# flott_add_test_binary(name library... PCH target FILES glob...).
function(flott_add_test_binary name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PCH" "FILES")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${arg_FILES})
  if(NOT sources)
    return()
  endif()
  flott_add_program(${name} tests)
  set(most 9)
  if(arg_PCH STREQUAL flott_api_test_pch)
    set(most 7)  # whole programs, which take the compiler much memory
  endif()
  flott_unite(${name} ${most} ${sources})
  flott_use_pch(${name} ${arg_PCH})
  target_compile_options(${name} PRIVATE ${FLOTT_TEST_OPTIONS})
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_UNPARSED_ARGUMENTS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY FLOTT_TEST_BINARIES ${name})
endfunction()

# A binary for each room and one for the tests that cross rooms. Each tests/*/*_job.cc is a program of its name, which a
# script runs.
function(flott_add_tests)
  get_property(rooms GLOBAL PROPERTY FLOTT_ROOMS)
  foreach(room IN LISTS rooms)
    set(pch flott_test_pch)
    if(room STREQUAL api)
      set(pch flott_api_test_pch)
    elseif(room MATCHES "^(operators|runtime|master|savepoints|connectors|cluster)$")
      set(pch flott_engine_test_pch)
    endif()
    flott_add_test_binary(flott_${room}_test flott_${room} PCH ${pch}
      FILES ${CMAKE_CURRENT_SOURCE_DIR}/src/flott/${room}/*_test.cc)
  endforeach()
  file(GLOB jobs CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*/*_job.cc)
  foreach(source IN LISTS jobs)
    cmake_path(GET source STEM name)
    flott_add_program(${name} tests ${source})
    flott_use_pch(${name} flott_api_pch)
    target_link_libraries(${name} PRIVATE flott)
  endforeach()
  flott_add_test_binary(flott_cross_test flott PCH flott_api_test_pch FILES ${CMAKE_CURRENT_SOURCE_DIR}/tests/*_test.cc)
endfunction()

# bench/ is one program; all but its main.cc is a library, so that bench/tests can link it. Each file in bench/micro/
# is a program of its own.
function(flott_add_benchmarks)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/*.cc)
  list(FILTER sources EXCLUDE REGEX "/tests/|/micro/|/bench/main.cc$")
  if(NOT sources)
    return()
  endif()
  add_library(flott_bench_cases OBJECT)
  set(counters ${CMAKE_CURRENT_SOURCE_DIR}/bench/counters.cc)  # replaces operator new, which its users must not see
  list(REMOVE_ITEM sources ${counters})
  target_sources(flott_bench_cases PRIVATE ${counters})
  flott_unite(flott_bench_cases 3 ${sources})
  flott_use_pch(flott_bench_cases flott_api_pch)
  target_include_directories(flott_bench_cases PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(flott_bench_cases PUBLIC flott Boost::headers nlohmann_json::nlohmann_json)
  flott_add_program(flott_bench bench ${CMAKE_CURRENT_SOURCE_DIR}/bench/main.cc)
  flott_use_pch(flott_bench flott_pch)
  target_link_libraries(flott_bench PRIVATE flott_bench_cases)
  if(FLOTT_TESTS)
    flott_add_test_binary(flott_bench_test flott_bench_cases PCH flott_test_pch FILES ${CMAKE_CURRENT_SOURCE_DIR}/bench/tests/*_test.cc)
  endif()

  find_package(absl QUIET CONFIG)
  if(NOT absl_FOUND)
    message(STATUS "No Abseil, which bench/micro compares with: leaving bench/micro out")
    return()
  endif()
  file(GLOB microBenchmarks CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/bench/micro/*.cc)
  foreach(source IN LISTS microBenchmarks)
    cmake_path(GET source STEM name)
    flott_add_program(flott_micro_${name} bench ${source})
    flott_use_pch(flott_micro_${name} flott_pch)
    target_link_libraries(flott_micro_${name} PRIVATE flott_bench_cases absl::flat_hash_map)
  endforeach()
endfunction()

# Each file directly in examples/ is a program of its name.
function(flott_add_examples)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/examples/*.cc)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    flott_add_program(${name} examples ${source})
    flott_use_pch(${name} flott_api_pch)
    target_link_libraries(${name} PRIVATE flott)
  endforeach()
  # Two versions of one program, for tools/demo_recovery.sh.
  foreach(name orders_v1 orders_v2)
    flott_add_program(${name} examples ${CMAKE_CURRENT_SOURCE_DIR}/examples/recovery/${name}.cc)
    flott_use_pch(${name} flott_api_pch)
    target_link_libraries(${name} PRIVATE flott)
  endforeach()
endfunction()

# For the scripts in tools/: tests/binaries.txt in the build folder lists the test binaries, compile_command.txt says,
# an argument a line, how to compile a program against this tree. The target flott_tests builds all test binaries.
function(flott_describe_to_tools)
  get_property(binaries GLOBAL PROPERTY FLOTT_TEST_BINARIES)
  add_custom_target(flott_tests DEPENDS ${binaries})
  list(TRANSFORM binaries REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  list(JOIN binaries "\n" lines)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/tests/binaries.txt CONTENT "${lines}\n")

  # /usr/include is searched anyway; named once more it would come before the standard library's wrappers of it.
  set(includes "$<FILTER:$<TARGET_PROPERTY:flott,INTERFACE_INCLUDE_DIRECTORIES>,EXCLUDE,^/usr/include$>")
  set(definitions "$<TARGET_PROPERTY:flott,INTERFACE_COMPILE_DEFINITIONS>")
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/compile_command.txt CONTENT
"${CMAKE_CXX_COMPILER}
-std=c++20
-isystem
$<JOIN:$<REMOVE_DUPLICATES:${includes}>,\n-isystem\n>
$<$<BOOL:${definitions}>:-D>$<JOIN:$<REMOVE_DUPLICATES:${definitions}>,\n-D>
")
endfunction()

# Each folder in apps/ is a program of its name, which is installed.
function(flott_add_apps)
  file(GLOB folders CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/apps/*)
  foreach(folder IN LISTS folders)
    cmake_path(GET folder FILENAME name)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
    flott_add_program(flott_app_${name} bin)
    flott_unite(flott_app_${name} 4 ${sources})
    set_target_properties(flott_app_${name} PROPERTIES OUTPUT_NAME ${name}
      INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/flott/arrow")
    target_compile_options(flott_app_${name} PRIVATE ${FLOTT_CONTROL_OPTIONS})
    flott_use_pch(flott_app_${name} flott_control_pch)
    target_link_libraries(flott_app_${name} PRIVATE flott)
    install(TARGETS flott_app_${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endforeach()
endfunction()
