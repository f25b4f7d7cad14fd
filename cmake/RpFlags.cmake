# Compiler flags, as two interface targets:
#   rp_warnings  what our own sources must pass
#   rp_mode      sanitizers: everything that links the engine must be built the same way

add_library(rp_warnings INTERFACE)
target_compile_options(rp_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion)
if(RP_WERROR)
  target_compile_options(rp_warnings INTERFACE -Werror)
endif()

add_library(rp_mode INTERFACE)
if(RP_SANITIZE STREQUAL "address")
  # vptr needs RTTI, which the engine is built without.
  set(rp_sanitize_flags -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
elseif(RP_SANITIZE STREQUAL "thread")
  set(rp_sanitize_flags -fsanitize=thread)
elseif(RP_SANITIZE)
  message(FATAL_ERROR "RP_SANITIZE is '${RP_SANITIZE}': use address, thread or nothing")
endif()
if(RP_SANITIZE)
  # RP_YIELD_POINTS: sync/yield.h, random pauses inside the windows where races live.
  target_compile_options(rp_mode INTERFACE ${rp_sanitize_flags} -fno-omit-frame-pointer
                                           -DRP_YIELD_POINTS)
  target_link_options(rp_mode INTERFACE ${rp_sanitize_flags})
endif()
# The module is loaded late, but its thread-local data is some hundred bytes: they fit what the C
# library keeps free, and an allocation needs no call to find its counter.
if(NOT RP_SANITIZE)
  target_compile_options(rp_mode INTERFACE -ftls-model=initial-exec)
endif()
if(RP_LIBFUZZER)
  target_compile_options(rp_mode INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(RP_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT rp_lto_works OUTPUT rp_lto_output LANGUAGES CXX)
  if(rp_lto_works)
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  else()
    message(WARNING "RP_LTO: this compiler cannot, so the build goes on without:\n${rp_lto_output}")
  endif()
endif()
