# One interface target carries the language level, warnings and sanitizers of every target of ours.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(DDSP_WERROR "Treat warnings as errors" OFF)
set(DDSP_SANITIZE "" CACHE STRING "Sanitizers to build with: empty, address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header defeats ccache unless it may overlook time stamps inside it.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_library(ddsp_compiler INTERFACE)
target_include_directories(ddsp_compiler INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
# For the C++ compiler alone: CUDA's does not know them.
set(cxx_options -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $<$<BOOL:${DDSP_WERROR}>:-Werror>)
if(CCACHE)
  list(APPEND cxx_options -fpch-preprocess)
endif()
target_compile_options(ddsp_compiler INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:${cxx_options}>")
if(DDSP_SANITIZE)
  target_compile_options(ddsp_compiler INTERFACE -fsanitize=${DDSP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(ddsp_compiler INTERFACE _GLIBCXX_ASSERTIONS)
  if(DDSP_SANITIZE MATCHES thread)
    # Protobuf's map fields have two more members where this macro is defined; the packaged library was built without it, and
    # every map of a message would crash. The standard library still has to know.
    target_compile_options(ddsp_compiler INTERFACE -U__SANITIZE_THREAD__)
    target_compile_definitions(ddsp_compiler INTERFACE _GLIBCXX_TSAN=1)
    # Else packaged libraries would call our instrumented instances of the standard library's templates, whose other half is
    # theirs: a race for each shared pointer that gRPC lets go of on another thread.
    target_link_options(ddsp_compiler INTERFACE LINKER:--version-script=${CMAKE_SOURCE_DIR}/cmake/local_symbols.map)
  endif()
  target_link_options(ddsp_compiler INTERFACE -fsanitize=${DDSP_SANITIZE})
endif()
