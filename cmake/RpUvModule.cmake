# rp_uv_for_module(<out>): makes the static libuv fit for a shared object.
#
# Debian compiles libuv_a.a as position-independent *executable* code. That links into a shared object
# too, save for the three variables of libc that libuv reads directly. So a copy of the archive gets
# these under other names, and cmake/uv_libc.cc defines them. The alternative, libuv.so, would share
# its symbols with whatever else the process has loaded.
#
# <out>: the libraries to link, in order; empty when there is no way, then use libuv.so.
set(RP_UV_LIBC_SYMBOLS environ stderr in6addr_any)

# True when every object of the archive can become part of a shared object, beside the given sources.
function(rp_links_into_module archive out)
  set(probe "${PROJECT_BINARY_DIR}/CMakeFiles/rp_uv_probe.so")
  execute_process(
    COMMAND "${CMAKE_CXX_COMPILER}" -shared -fPIC -o "${probe}" ${ARGN}
            -Wl,-z,text -Wl,--exclude-libs,ALL
            -Wl,--whole-archive "${archive}" -Wl,--no-whole-archive
    RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  file(REMOVE "${probe}")
  if(status EQUAL 0)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(rp_uv_for_module out)
  set(${out} "${RP_UV_LIBRARY}" PARENT_SCOPE)
  if(APPLE OR NOT RP_UV_LIBRARY MATCHES "\\.a$")
    return()
  endif()
  rp_links_into_module("${RP_UV_LIBRARY}" fits)
  if(fits)
    return()
  endif()

  set(${out} "" PARENT_SCOPE)
  set(uv_libc "${PROJECT_SOURCE_DIR}/cmake/uv_libc.cc")
  set(copy "${PROJECT_BINARY_DIR}/libuv_module.a")
  set(renames "")
  foreach(symbol IN LISTS RP_UV_LIBC_SYMBOLS)
    list(APPEND renames --redefine-sym ${symbol}=rp_uv_${symbol})
  endforeach()
  execute_process(COMMAND "${CMAKE_OBJCOPY}" ${renames} "${RP_UV_LIBRARY}" "${copy}"
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    rp_links_into_module("${copy}" fits "${uv_libc}")
  endif()
  if(fits)
    add_library(rp_uv_libc STATIC "${uv_libc}")
    set(${out} "${copy};rp_uv_libc" PARENT_SCOPE)
  endif()
endfunction()
