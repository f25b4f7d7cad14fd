// Three variables of libc, under the names that cmake/RpUvModule.cmake gives them inside libuv:
// they must live in this shared object, or the archive would not link into it.
//
// The environment is the one at load time. libuv reads it in uv_spawn and uv_os_environ only, which
// we never call.
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)
extern "C" {
extern char** rp_uv_environ;
extern FILE* rp_uv_stderr;
extern const in6_addr rp_uv_in6addr_any;

char** rp_uv_environ = environ;
FILE* rp_uv_stderr = stderr;
const in6_addr rp_uv_in6addr_any = IN6ADDR_ANY_INIT;
}
#pragma GCC visibility pop
