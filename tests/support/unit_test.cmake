# GoogleTest's headers take longer to read than most tests do to compile: they are read once. The targets that use them
# so must be compiled with the same options (cow_options and no others that change code); an executable, like them.
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/gtest_headers.cpp CONTENT "int main() {}\n" @ONLY)
add_executable(cow_gtest_headers ${CMAKE_CURRENT_BINARY_DIR}/gtest_headers.cpp)
target_link_libraries(cow_gtest_headers PRIVATE cow_options GTest::gmock GTest::gtest Threads::Threads)
target_precompile_headers(cow_gtest_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h>)

function(cow_read_gtest_once name)
  target_precompile_headers(${name} REUSE_FROM cow_gtest_headers)
  # GCC 12 sees overruns in std::string that are none (its PR 105329), and more of them this way.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(${name} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endfunction()

# A GoogleTest that runs in one process, without mpirun.
function(cow_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBS;LABELS")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  cow_test_labels(labels "${arg_LABELS}")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBS} cow_options GTest::gmock GTest::gtest GTest::gtest_main Threads::Threads)
  cow_read_gtest_once(${name})
  add_test(NAME ${name} COMMAND ${name})
  if(COW_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${labels}" ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/leaks.supp:print_suppressions=0;UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1")
endfunction()

# Every test is either quick or long; quick is what is meant when nothing is said.
function(cow_test_labels out labels)
  if(NOT "long" IN_LIST labels AND NOT "quick" IN_LIST labels)
    list(APPEND labels quick)
  endif()
  set(${out} "${labels}" PARENT_SCOPE)
endfunction()
