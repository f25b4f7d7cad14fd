# Libraries: the system's package first. With RP_FETCH=ON a missing one is downloaded at the pinned
# version and checked against its SHA-256; with RP_FETCH=OFF (the default) nothing touches a network.
#
# Result: rp::uv, rp::xxhash, rp::lzf, rp::crypto, rp::ssl, and functions rp_find_gtest, rp_find_benchmark.
include(FetchContent)
include(RpUvModule)
find_package(Threads REQUIRED)
find_package(PkgConfig QUIET)

# Stops with the names to install.
function(rp_missing what debian fedora homebrew)
  message(FATAL_ERROR "${what} was not found. Install it:\n"
    "  Debian, Ubuntu: apt-get install ${debian}\n"
    "  Fedora:         dnf install ${fedora}\n"
    "  macOS:          brew install ${homebrew}\n"
    "or configure with -DRP_FETCH=ON to download what has a pinned version (needs a network).")
endfunction()

# Declares a pinned archive. Its own compiler warnings are not ours to fail on.
macro(rp_fetch name url sha256)
  message(STATUS "${name}: no system package, fetching ${url}")
  FetchContent_Declare(${name} URL "${url}" URL_HASH SHA256=${sha256}
                       DOWNLOAD_EXTRACT_TIMESTAMP OFF ${ARGN})
  set(CMAKE_POLICY_VERSION_MINIMUM 3.5)  # The pinned releases ask for older ones than CMake 4 knows.
  FetchContent_MakeAvailable(${name})
  unset(CMAKE_POLICY_VERSION_MINIMUM)
endmacro()

# libuv >= 1.44. The static library is preferred: inside a Python process, _core must not share
# symbols with the libuv of another module (uvloop brings its own).
function(rp_find_uv)
  find_path(RP_UV_INCLUDE uv.h)
  find_library(RP_UV_LIBRARY NAMES libuv_a.a libuv.a uv)
  mark_as_advanced(RP_UV_INCLUDE RP_UV_LIBRARY)
  if(NOT RP_UV_INCLUDE OR NOT RP_UV_LIBRARY)
    return()
  endif()
  file(STRINGS "${RP_UV_INCLUDE}/uv/version.h" lines REGEX "define UV_VERSION_(MAJOR|MINOR) ")
  string(REGEX REPLACE "[^0-9;]" "" version "${lines}")
  string(REPLACE ";" "." version "${version}")
  if(version VERSION_LESS 1.44)
    message(STATUS "libuv ${version} is too old: 1.44 is the oldest that works")
    return()
  endif()
  set(libraries "${RP_UV_LIBRARY}")
  if(RP_PYTHON)
    rp_uv_for_module(libraries)
    if(NOT libraries MATCHES "\\.a(;|$)")
      find_library(RP_UV_SHARED uv REQUIRED)
      mark_as_advanced(RP_UV_SHARED)
      set(libraries "${RP_UV_SHARED}")
      message(STATUS "No static libuv fits a Python module here: the shared one is linked")
    endif()
  endif()
  message(STATUS "libuv ${version}: ${libraries}")
  add_library(rp_uv INTERFACE)
  target_include_directories(rp_uv SYSTEM INTERFACE "${RP_UV_INCLUDE}")
  target_link_libraries(rp_uv INTERFACE ${libraries} Threads::Threads ${CMAKE_DL_LIBS})
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_link_libraries(rp_uv INTERFACE rt)
  endif()
endfunction()

rp_find_uv()
if(NOT TARGET rp_uv)
  if(NOT RP_FETCH)
    rp_missing("libuv 1.44 or newer" libuv1-dev libuv-static libuv)
  endif()
  enable_language(C)
  set(LIBUV_BUILD_TESTS OFF)
  set(LIBUV_BUILD_BENCH OFF)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  rp_fetch(libuv https://github.com/libuv/libuv/archive/v1.44.2.tar.gz
           e6e2ba8b4c349a4182a33370bb9be5e23c51b32efb9b9e209d0e8556b73a48da)
  set_target_properties(uv PROPERTIES EXCLUDE_FROM_ALL ON)
  add_library(rp_uv INTERFACE)
  target_link_libraries(rp_uv INTERFACE uv_a)
endif()
add_library(rp::uv ALIAS rp_uv)

find_path(RP_XXHASH_INCLUDE xxhash.h)
find_library(RP_XXHASH_LIBRARY NAMES libxxhash.a xxhash)
mark_as_advanced(RP_XXHASH_INCLUDE RP_XXHASH_LIBRARY)
add_library(rp_xxhash INTERFACE)
if(RP_XXHASH_INCLUDE AND RP_XXHASH_LIBRARY)
  target_include_directories(rp_xxhash SYSTEM INTERFACE "${RP_XXHASH_INCLUDE}")
  target_link_libraries(rp_xxhash INTERFACE "${RP_XXHASH_LIBRARY}")
elseif(RP_FETCH)
  enable_language(C)
  # Only unpacked: one source file is all we need of it.
  rp_fetch(xxhash https://github.com/Cyan4973/xxHash/archive/v0.8.1.tar.gz
           3bb6b7d6f30c591dd65aaaff1c8b7a5b94d81687998ca9400082c739a690436c
           SOURCE_SUBDIR no-cmake-here)
  add_library(rp_xxhash_lib STATIC "${xxhash_SOURCE_DIR}/xxhash.c")
  target_include_directories(rp_xxhash_lib SYSTEM PUBLIC "${xxhash_SOURCE_DIR}")
  target_link_libraries(rp_xxhash INTERFACE rp_xxhash_lib)
else()
  rp_missing("xxHash" libxxhash-dev xxhash-devel xxhash)
endif()
add_library(rp::xxhash ALIAS rp_xxhash)

# liblzf is made to be compiled in, and Debian's package brings its two source files for that: the
# module then needs no library at run time. Elsewhere its library is linked.
enable_language(C)
find_package(liblzf QUIET)
add_library(rp_lzf INTERFACE)
if(liblzf_FOUND AND liblzf_SOURCES)
  add_library(rp_lzf_lib STATIC ${liblzf_SOURCES})
  target_include_directories(rp_lzf_lib SYSTEM PUBLIC ${liblzf_INCLUDE_DIRS})
  target_compile_options(rp_lzf_lib PRIVATE -O2)
  target_link_libraries(rp_lzf INTERFACE rp_lzf_lib)
else()
  find_path(RP_LZF_INCLUDE lzf.h PATH_SUFFIXES liblzf)
  find_library(RP_LZF_LIBRARY NAMES liblzf.a lzf)
  mark_as_advanced(RP_LZF_INCLUDE RP_LZF_LIBRARY)
  if(NOT RP_LZF_INCLUDE OR NOT RP_LZF_LIBRARY)
    rp_missing("liblzf" liblzf-dev liblzf-devel liblzf)
  endif()
  target_include_directories(rp_lzf SYSTEM INTERFACE "${RP_LZF_INCLUDE}")
  target_link_libraries(rp_lzf INTERFACE "${RP_LZF_LIBRARY}")
endif()
add_library(rp::lzf ALIAS rp_lzf)

# OpenSSL always comes from the system: a pinned copy would miss its security fixes.
find_package(OpenSSL 3.0 QUIET COMPONENTS Crypto SSL)
if(NOT OpenSSL_FOUND)
  rp_missing("OpenSSL 3.0 or newer" libssl-dev openssl-devel openssl)
endif()
add_library(rp_crypto INTERFACE)
target_link_libraries(rp_crypto INTERFACE OpenSSL::Crypto)
add_library(rp::crypto ALIAS rp_crypto)
add_library(rp_ssl INTERFACE)
target_link_libraries(rp_ssl INTERFACE OpenSSL::SSL)
add_library(rp::ssl ALIAS rp_ssl)

# GTest::gtest and GTest::gtest_main.
macro(rp_find_gtest)
  find_package(GTest 1.11 QUIET)
  if(NOT GTest_FOUND)
    if(NOT RP_FETCH)
      rp_missing("GoogleTest 1.11 or newer" libgtest-dev gtest-devel googletest)
    endif()
    set(INSTALL_GTEST OFF CACHE BOOL "")
    set(BUILD_GMOCK OFF CACHE BOOL "")
    rp_fetch(googletest https://github.com/google/googletest/archive/release-1.12.1.tar.gz
             81964fe578e9bd7c94dfdb09c8e4d6e6759e19967e397dbea48d1c10e45d0df2)
  endif()
endmacro()

# benchmark::benchmark and benchmark::benchmark_main.
macro(rp_find_benchmark)
  find_package(benchmark QUIET)
  if(NOT benchmark_FOUND)
    if(NOT RP_FETCH)
      rp_missing("Google Benchmark" libbenchmark-dev google-benchmark-devel google-benchmark)
    endif()
    set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "")
    set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "")
    set(BENCHMARK_ENABLE_WERROR OFF CACHE BOOL "")
    rp_fetch(benchmark https://github.com/google/benchmark/archive/v1.7.1.tar.gz
             6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7)
  endif()
endmacro()
