# Provides GTest::gtest_main: from the system, or built from GoogleTest's sources where a package
# brought them (ros-gtest-vendor on PyPI). Downloads nothing.

set(STEELYARD_GTEST_SOURCE "" CACHE PATH
  "Directory with GoogleTest's include/ and src/gtest-all.cc, used where no GTest is installed")

# Sources lie at <prefix>/src/gtest_vendor; a Python prefix is found from its site-packages below.
function(steelyard_find_gtest_source result)
  set(prefixes ${CMAKE_PREFIX_PATH})
  find_package(Python COMPONENTS Interpreter QUIET)
  if(Python_FOUND)
    execute_process(COMMAND "${Python_EXECUTABLE}" -c "import sys; print(sys.prefix)"
      OUTPUT_VARIABLE python_prefix OUTPUT_STRIP_TRAILING_WHITESPACE)
    list(APPEND prefixes "${python_prefix}")
  endif()
  set(candidates "${STEELYARD_GTEST_SOURCE}")
  foreach(prefix IN LISTS prefixes)
    cmake_path(NORMAL_PATH prefix)
    foreach(parent RANGE 4)
      list(APPEND candidates "${prefix}/src/gtest_vendor")
      cmake_path(GET prefix PARENT_PATH prefix)
    endforeach()
  endforeach()
  foreach(candidate IN LISTS candidates)
    if(EXISTS "${candidate}/src/gtest-all.cc")
      set(${result} "${candidate}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR
    "GoogleTest was not found. Install it (Debian: apt install libgtest-dev; PyPI: "
    "pip install ros-gtest-vendor, then pass -DCMAKE_PREFIX_PATH=<the environment>), or set "
    "STEELYARD_GTEST_SOURCE to a directory with its include/ and src/gtest-all.cc.")
endfunction()

find_package(GTest QUIET)
if(NOT TARGET GTest::gtest_main)
  steelyard_find_gtest_source(gtest_source)
  message(STATUS "GoogleTest from ${gtest_source}")
  # Not our code: none of our warnings, and its headers are system headers to us.
  add_library(steelyard_gtest STATIC EXCLUDE_FROM_ALL
    "${gtest_source}/src/gtest-all.cc" "${gtest_source}/src/gtest_main.cc")
  add_library(GTest::gtest_main ALIAS steelyard_gtest)
  target_compile_features(steelyard_gtest PUBLIC cxx_std_17)
  target_include_directories(steelyard_gtest SYSTEM
    PUBLIC "${gtest_source}/include" PRIVATE "${gtest_source}")
  target_link_libraries(steelyard_gtest PUBLIC Threads::Threads)
endif()
