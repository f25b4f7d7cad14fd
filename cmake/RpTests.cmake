# Test programs, found by folder and registered with ctest test by test. Labels: the layer's name for
# unit tests, else the folder's (model, torture, linear, fuzz). Names start with the folder, so
# `ctest -R ^unit` and `ctest -L table` both work.
include(GoogleTest)
rp_find_gtest()

# What each sanitizer is told. The first report ends the test.
set(rp_test_env
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=4")

# TSan's memory map clashes with more than 28 bits of address randomization: then run without any.
set(rp_test_launcher "")
if(RP_SANITIZE STREQUAL "thread" AND EXISTS /proc/sys/vm/mmap_rnd_bits)
  execute_process(COMMAND cat /proc/sys/vm/mmap_rnd_bits OUTPUT_VARIABLE bits
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  find_program(RP_SETARCH setarch)
  mark_as_advanced(RP_SETARCH)
  if(bits MATCHES "^[0-9]+$" AND bits GREATER 28)
    if(RP_SETARCH)
      set(rp_test_launcher "${RP_SETARCH};-R")
    else()
      message(WARNING "TSan may fail to start: vm.mmap_rnd_bits is ${bits}. Install util-linux "
                      "(setarch) or run: sysctl vm.mmap_rnd_bits=28")
    endif()
  endif()
endif()

# rp_add_gtest(<program> <prefix> <label> <seconds> <source>...)
function(rp_add_gtest program prefix label seconds)
  if(NOT ARGN)
    return()
  endif()
  add_executable(${program} ${ARGN})
  target_include_directories(${program} PRIVATE "${PROJECT_SOURCE_DIR}/tests"
                             "${PROJECT_SOURCE_DIR}/tests/unit")
  target_link_libraries(${program} PRIVATE rp_engine rp_warnings GTest::gtest GTest::gtest_main)
  if(rp_test_launcher)
    set_target_properties(${program} PROPERTIES CROSSCOMPILING_EMULATOR "${rp_test_launcher}")
  endif()
  gtest_discover_tests(${program} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${prefix}."
    PROPERTIES LABELS "${label}" TIMEOUT ${seconds} ENVIRONMENT "${rp_test_env}")
endfunction()

# Everything below tests/unit/<layer> is one program, so that one broken layer does not hide another:
# tests (x_test.cc) and what they share.
file(GLOB_RECURSE rp_unit_sources CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/tests/unit"
     tests/unit/*.cc)
set(rp_unit_layers "")
foreach(source IN LISTS rp_unit_sources)
  string(REGEX MATCH "^([a-z]+)/" layer "${source}")
  if(NOT layer)
    message(FATAL_ERROR "tests/unit/${source}: move it into the folder named after its layer")
  endif()
  set(layer "${CMAKE_MATCH_1}")
  list(APPEND rp_unit_layers "${layer}")
  list(APPEND rp_unit_sources_${layer} "${PROJECT_SOURCE_DIR}/tests/unit/${source}")
endforeach()
list(REMOVE_DUPLICATES rp_unit_layers)
foreach(layer IN LISTS rp_unit_layers)
  rp_add_gtest(rp_unit_${layer} unit.${layer} ${layer} 120 ${rp_unit_sources_${layer}})
endforeach()

foreach(folder model torture linear)
  file(GLOB_RECURSE rp_folder_sources CONFIGURE_DEPENDS tests/${folder}/*.cc)
  rp_add_gtest(rp_${folder} ${folder} ${folder} 300 ${rp_folder_sources})
endforeach()

# Fuzz targets. Both drivers take the same flags, so that one registration serves both:
#   rp_fuzz_<name> [-seed=N] [-runs=N] [-max_total_time=SECONDS] <folder or file>...
# libFuzzer writes what it finds into the first folder, hence the one in the build tree.
if(RP_LIBFUZZER AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "RP_LIBFUZZER needs Clang, this is ${CMAKE_CXX_COMPILER_ID}: "
                      "set CMAKE_CXX_COMPILER=clang++-14 or leave RP_LIBFUZZER off")
endif()
file(GLOB rp_fuzz_sources CONFIGURE_DEPENDS tests/fuzz/*_fuzz.cc)
foreach(source IN LISTS rp_fuzz_sources)
  get_filename_component(name "${source}" NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" name "${name}")
  set(program rp_fuzz_${name})
  if(RP_LIBFUZZER)
    add_executable(${program} ${source})
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${program} ${source} tests/fuzz/driver.cc)
  endif()
  target_include_directories(${program} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${program} PRIVATE rp_engine rp_warnings)
  set(found "${PROJECT_BINARY_DIR}/fuzz/${name}")
  file(MAKE_DIRECTORY "${found}")
  set(corpus "${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  if(NOT EXISTS "${corpus}")
    set(corpus "")
  endif()
  set(run ${rp_test_launcher} $<TARGET_FILE:${program}>
          -max_total_time=${RP_FUZZ_SECONDS} -timeout=10 ${found} ${corpus})
  if(name STREQUAL "canary")
    # It has a planted bug: a driver that does not find it finds nothing. ctest counts an abort as a
    # failure whatever was printed, hence the shell.
    list(PREPEND run sh -c "\"$0\" \"$@\" || true")
  endif()
  add_test(NAME fuzz.${name} COMMAND ${run} WORKING_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
  math(EXPR seconds "${RP_FUZZ_SECONDS} + 60")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${seconds}
                       ENVIRONMENT "${rp_test_env}")
endforeach()
if(TEST fuzz.canary)
  set_tests_properties(fuzz.canary PROPERTIES PASS_REGULAR_EXPRESSION "the canary is found")
endif()
