# Finds the libraries that Flott stands on. Used by this tree and, installed beside FlottConfig.cmake, by programs
# outside of it. `tools/install-deps.sh` puts all of them on the machine.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
if(NOT TARGET yaml-cpp::yaml-cpp)  # its name since yaml-cpp 0.8
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()
find_package(nlohmann_json REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(zstd REQUIRED)
# Not by its own package, which looks for all that a static RocksDB would need.
if(NOT TARGET Flott::rocksdb)
  find_library(FLOTT_ROCKSDB_LIBRARY rocksdb REQUIRED)
  find_path(FLOTT_ROCKSDB_HEADERS rocksdb/db.h REQUIRED)
  add_library(Flott::rocksdb SHARED IMPORTED)
  set_target_properties(Flott::rocksdb PROPERTIES
    IMPORTED_LOCATION ${FLOTT_ROCKSDB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${FLOTT_ROCKSDB_HEADERS})
endif()
# Debian's brings no package of CMake.
if(NOT TARGET Flott::lz4)
  find_library(FLOTT_LZ4_LIBRARY lz4 REQUIRED)
  find_path(FLOTT_LZ4_HEADERS lz4.h REQUIRED)
  add_library(Flott::lz4 SHARED IMPORTED)
  set_target_properties(Flott::lz4 PROPERTIES
    IMPORTED_LOCATION ${FLOTT_LZ4_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${FLOTT_LZ4_HEADERS})
endif()
# CMake's own FindPostgreSQL asks for the server's headers, too.
if(NOT TARGET Flott::libpq)
  find_library(FLOTT_LIBPQ_LIBRARY pq REQUIRED)
  find_path(FLOTT_LIBPQ_HEADERS libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
  add_library(Flott::libpq SHARED IMPORTED)
  set_target_properties(Flott::libpq PROPERTIES
    IMPORTED_LOCATION ${FLOTT_LIBPQ_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${FLOTT_LIBPQ_HEADERS})
endif()
# Debian's is compiled, and its classes depend on what it was compiled with.
if(NOT TARGET Flott::httplib)
  find_library(FLOTT_HTTPLIB_LIBRARY cpp-httplib REQUIRED)
  find_path(FLOTT_HTTPLIB_HEADERS httplib.h REQUIRED)
  add_library(Flott::httplib SHARED IMPORTED)
  set_target_properties(Flott::httplib PROPERTIES
    IMPORTED_LOCATION ${FLOTT_HTTPLIB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${FLOTT_HTTPLIB_HEADERS}
    INTERFACE_COMPILE_DEFINITIONS
      "CPPHTTPLIB_OPENSSL_SUPPORT;CPPHTTPLIB_ZLIB_SUPPORT;CPPHTTPLIB_BROTLI_SUPPORT")
endif()
include(${CMAKE_CURRENT_LIST_DIR}/FlottArrow.cmake)
