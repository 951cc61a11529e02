# One static library flott_<room> for each room that has a folder, linked as tools/rooms.txt allows, and Flott::flott
# with all of them but sim.
#
# rooms.txt lists, for each room, the rooms and the outside headers that it may include. The table below says which
# library an outside header belongs to; headers that are not in it come with the system or need no linking. Libraries in
# FLOTT_PRIVATE_LIBRARIES are in no header of ours: whoever uses the room does not see their headers.

set(FLOTT_LIBRARY_OF_fmt/ fmt::fmt)
set(FLOTT_LIBRARY_OF_spdlog/ spdlog::spdlog)
set(FLOTT_LIBRARY_OF_yaml-cpp/ yaml-cpp::yaml-cpp)
set(FLOTT_LIBRARY_OF_nlohmann/ nlohmann_json::nlohmann_json)
set(FLOTT_LIBRARY_OF_boost/ Boost::headers)
set(FLOTT_LIBRARY_OF_arrow/ Flott::arrow)
set(FLOTT_LIBRARY_OF_parquet/ Flott::arrow)
set(FLOTT_LIBRARY_OF_zlib.h ZLIB::ZLIB)
set(FLOTT_LIBRARY_OF_zstd.h zstd::libzstd_shared)
set(FLOTT_LIBRARY_OF_lz4.h Flott::lz4)
set(FLOTT_LIBRARY_OF_pthread.h Threads::Threads)
set(FLOTT_LIBRARY_OF_rocksdb/ Flott::rocksdb)
set(FLOTT_LIBRARY_OF_libpq-fe.h Flott::libpq)
set(FLOTT_LIBRARY_OF_httplib.h Flott::httplib)
set(FLOTT_PRIVATE_LIBRARIES Flott::rocksdb Flott::libpq Flott::httplib Flott::lz4)

# Sets `rooms` to the names of all rooms, bottom first, and `rooms_<name>`, `headers_<name>` to what each may include.
function(flott_read_rooms file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines REGEX "^[a-z]+ *:")
  set(names)
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([a-z]+) *:([^|]*)\\|?(.*)$" ignored "${line}")
    set(name ${CMAKE_MATCH_1})
    separate_arguments(inside UNIX_COMMAND "${CMAKE_MATCH_2}")
    separate_arguments(outside UNIX_COMMAND "${CMAKE_MATCH_3}")
    list(APPEND names ${name})
    set(rooms_${name} ${inside} PARENT_SCOPE)
    set(headers_${name} ${outside} PARENT_SCOPE)
  endforeach()
  set(rooms ${names} PARENT_SCOPE)
endfunction()

# What the build puts into the library: src/flott/rest/built_in.h.
function(flott_write_built_in file)
  set(page ${CMAKE_CURRENT_SOURCE_DIR}/web/local.html)
  set(description ${CMAKE_CURRENT_SOURCE_DIR}/web/openapi.yml)
  set(cluster ${CMAKE_CURRENT_SOURCE_DIR}/web/openapi-cluster.yml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page} ${description} ${cluster})
  file(READ ${page} html)
  file(READ ${description} openapi)
  file(READ ${cluster} openapicluster)
  file(CONFIGURE OUTPUT ${file} CONTENT
"namespace {
constexpr std::string_view kVersion = \"@PROJECT_VERSION@\";
constexpr std::string_view kPage = R\"built-in(@html@)built-in\";
constexpr std::string_view kOpenApi = R\"built-in(@openapi@)built-in\";
constexpr std::string_view kOpenApiOfCluster = R\"built-in(@openapicluster@)built-in\";
}  // namespace
" @ONLY)
endfunction()

# A room without sources yet, or of headers alone, is an interface library.
function(flott_add_room room usedRooms usedHeaders)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/src/flott/${room})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/tests/")
  if(NOT IS_DIRECTORY ${folder})
    return()
  endif()

  if(sources)
    add_library(flott_${room} STATIC)
    set(most 10)
    if(room MATCHES "^(data|state|operators|runtime)$")
      set(most 4)  # in larger groups the compiler inlines less of what records pass through
    endif()
    flott_unite(flott_${room} ${most} ${sources})
    if(room IN_LIST FLOTT_CONTROL_ROOMS)
      target_compile_options(flott_${room} PRIVATE ${FLOTT_CONTROL_OPTIONS})
      flott_use_pch(flott_${room} flott_control_pch)
    else()
      flott_use_pch(flott_${room} flott_pch)
    endif()
    set(scope PUBLIC)
  else()
    add_library(flott_${room} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(Flott::${room} ALIAS flott_${room})
  set_target_properties(flott_${room} PROPERTIES EXPORT_NAME ${room})
  target_compile_features(flott_${room} ${scope} cxx_std_20)
  target_include_directories(flott_${room} ${scope}
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
  foreach(used IN LISTS usedRooms)
    if(TARGET flott_${used})
      target_link_libraries(flott_${room} ${scope} flott_${used})
    endif()
  endforeach()
  foreach(header IN LISTS usedHeaders)
    string(REGEX REPLACE "/.*" "/" folderOrFile ${header})
    set(library ${FLOTT_LIBRARY_OF_${folderOrFile}})
    if(library AND library IN_LIST FLOTT_PRIVATE_LIBRARIES AND sources)
      target_link_libraries(flott_${room} PRIVATE ${library})
    else()
      target_link_libraries(flott_${room} ${scope} ${library})
    endif()
  endforeach()
  if(room STREQUAL rest)
    flott_write_built_in(${CMAKE_CURRENT_BINARY_DIR}/built_in/flott/rest/built_in.inc)
    target_include_directories(flott_rest PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/built_in)
  endif()
  set_property(GLOBAL APPEND PROPERTY FLOTT_ROOMS ${room})
endfunction()

function(flott_add_rooms file)
  flott_read_rooms(${file})
  foreach(room IN LISTS rooms)
    flott_add_room(${room} "${rooms_${room}}" "${headers_${room}}")
  endforeach()

  add_library(flott INTERFACE)
  add_library(Flott::flott ALIAS flott)
  get_property(existing GLOBAL PROPERTY FLOTT_ROOMS)
  list(REMOVE_ITEM existing sim)
  list(TRANSFORM existing PREPEND flott_ OUTPUT_VARIABLE libraries)
  target_link_libraries(flott INTERFACE ${libraries})
  target_link_options(flott INTERFACE LINKER:--as-needed)
endfunction()
