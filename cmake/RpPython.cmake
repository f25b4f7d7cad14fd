# The Python module rustypotato._core: pybind11 glue over the whole engine.
#
# A Python process may hold a second libuv (uvloop), a second OpenSSL, a second xxHash. So every
# symbol of the linked archives is hidden; tests/tidy checks that PyInit__core is all that shows.
set(PYBIND11_FINDPYTHON ON)
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter Development.Module)
find_package(pybind11 3.0 CONFIG REQUIRED)
file(GLOB_RECURSE rp_py_sources CONFIGURE_DEPENDS csrc/py/*.cc)

if(NOT rp_py_sources)
  message(WARNING "csrc/py has no sources: the package is built without _core")
  return()
endif()

pybind11_add_module(_core MODULE NO_EXTRAS ${rp_py_sources})
target_link_libraries(_core PRIVATE rp_engine rp_warnings)
if(NOT APPLE)
  # The first hides what the archives define, the second what the compiler makes visible on its own.
  target_link_options(_core PRIVATE -Wl,--exclude-libs,ALL
                      "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/core.map")
endif()
# The component keeps what a fetched library would install out of the wheel.
install(TARGETS _core LIBRARY DESTINATION rustypotato COMPONENT rustypotato)
