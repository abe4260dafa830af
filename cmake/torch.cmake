# Finds LibTorch: in Torch_DIR or CMAKE_PREFIX_PATH, or in the project's .venv, or in the Python that is first in the path.
if(NOT Torch_DIR)
  find_program(DDSP_PYTHON NAMES python3 PATHS ${CMAKE_SOURCE_DIR}/.venv/bin NO_DEFAULT_PATH)
  find_program(DDSP_PYTHON NAMES python3)
  execute_process(
    COMMAND ${DDSP_PYTHON} -W ignore -c
            "import os, importlib.util as u; print(os.path.join(u.find_spec('torch').submodule_search_locations[0], 'share/cmake'))"
    OUTPUT_VARIABLE torch_cmake OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND CMAKE_PREFIX_PATH ${torch_cmake})
endif()

# A LibTorch built for CUDA (PyPI's wheel is) cannot be configured without CUDA's compiler. Its CPU half runs all the same, so
# a machine without that compiler links that half by file name.
find_path(
  torch_config TorchConfig.cmake NO_CACHE NO_DEFAULT_PATH
  PATHS ${Torch_DIR} ${CMAKE_PREFIX_PATH} PATH_SUFFIXES Torch share/cmake/Torch)
find_program(DDSP_NVCC nvcc PATHS ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin)
get_filename_component(torch_root "${torch_config}/../../.." ABSOLUTE)
if(EXISTS "${torch_root}/lib/libtorch_cuda.so" AND NOT DDSP_NVCC)
  message(STATUS "LibTorch in ${torch_root} is built for CUDA, nvcc is not here: using the CPU only")
  set(TORCH_LIBRARIES "${torch_root}/lib/libtorch_cpu.so" "${torch_root}/lib/libc10.so")
  set(TORCH_INCLUDE_DIRS "${torch_root}/include" "${torch_root}/include/torch/csrc/api/include")
else()
  # Torch's own configuration warns of optional parts that we do not use.
  find_package(Torch REQUIRED)
endif()

# Torch's include folders hold other versions of headers that we use (google/protobuf), so its imported targets lose them and
# our interface target adds them after everything else.
foreach(target torch torch_cpu torch_cuda c10 c10_cuda torch_library)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "")
  endif()
endforeach()
add_library(ddsp_torch INTERFACE)
add_library(ddsp::torch ALIAS ddsp_torch)
foreach(folder ${TORCH_INCLUDE_DIRS})
  target_compile_options(ddsp_torch INTERFACE "SHELL:-idirafter ${folder}")
endforeach()
separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(ddsp_torch INTERFACE ${torch_flags})
target_link_libraries(ddsp_torch INTERFACE ${TORCH_LIBRARIES})
