# A program that runs on several ranks, registered once with its rank counts:
#
#   cow_mpi_test(name SOURCES files... RANKS 1 2 3 4 5 8
#                [LABELS ...] [TIMEOUT seconds] [PROVIDERS net ...] [HOSTS 2 3] [FILTER pattern] [ARGS ...]
#                [LEVEL MPI_THREAD_MULTIPLE] [PLAIN] [STATUS n])
#
# gives one ctest per count, "mpi.name.n4", run by tests/support/run_ranks through the built mpirun, which fails it for
# anything on standard error and for processes and files left behind. PROVIDERS adds "mpi.name.n4.net" and so on;
# a colon stands for the semicolon in libfabric's names (tcp:ofi_rxm).
# HOSTS adds "mpi.name.n4.hosts2" with the ranks spread over that many network namespaces (root only, else skipped), and
# with PROVIDERS only "mpi.name.n4.net.hosts2".
# LEVEL is what the GoogleTest main asks of MPI_Init_thread. PLAIN: the program has a main of its own.
# ENV: variables of the job, NAME=value. ONE_CPU: all ranks share one processor. DEV_SHM: size of /dev/shm (root only, else
# skipped). BAR_COPIES: the kernel refuses copies between processes, with EPERM or ENOSYS.
# STATUS: mpirun must end with this exit status, and say on standard error why.
# Another registration of a program that exists (other label, filter or rank counts): leave SOURCES out and give
# PROGRAM target.

set(COW_RUN_RANKS ${CMAKE_CURRENT_LIST_DIR}/run_ranks)
set(COW_TEST_MAIN ${CMAKE_CURRENT_LIST_DIR}/main.cpp)

function(cow_mpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PLAIN;ONE_CPU" "TIMEOUT;LEVEL;PROGRAM;FILTER;STATUS;DEV_SHM;BAR_COPIES"
                        "SOURCES;RANKS;LABELS;PROVIDERS;HOSTS;ARGS;LIBS;ENV")
  if(NOT COW_MPI_FOUND)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  cow_test_labels(labels "${arg_LABELS}")
  set(program ${arg_PROGRAM})
  if(NOT program)
    set(program mpi_${name})
    if(arg_PLAIN)
      cow_mpi_program(${program} ${arg_SOURCES})
    else()
      cow_mpi_program(${program} ${arg_SOURCES} ${COW_TEST_MAIN})
      target_link_libraries(${program} PRIVATE GTest::gmock GTest::gtest)
      cow_read_gtest_once(${program})
      if(arg_LEVEL)
        target_compile_definitions(${program} PRIVATE COW_TEST_THREAD_LEVEL=${arg_LEVEL})
      endif()
    endif()
    target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/tests/mpi)
    target_link_libraries(${program} PRIVATE ${arg_LIBS})
  endif()
  set(arguments ${arg_ARGS})
  if(arg_FILTER)
    list(APPEND arguments --gtest_filter=${arg_FILTER})
  endif()

  set(options "")
  if(arg_STATUS)
    set(options --expect-status ${arg_STATUS} --expect-stderr "rank [0-9]+")
  endif()

  if(arg_ONE_CPU)
    list(APPEND options --one-cpu)
  endif()
  if(arg_DEV_SHM)
    list(APPEND options --dev-shm ${arg_DEV_SHM})
  endif()
  if(arg_BAR_COPIES)
    list(APPEND options --bar-copies ${arg_BAR_COPIES})
  endif()
  foreach(pair IN LISTS arg_ENV)
    list(APPEND options --env ${pair})
  endforeach()

  set(providers ${arg_PROVIDERS})
  if(NOT providers)
    set(providers "any")  # whatever the library prefers
  endif()
  foreach(ranks IN LISTS arg_RANKS)
    foreach(provider IN LISTS providers)
      set(test mpi.${name}.n${ranks})
      set(test_labels "${labels}")
      if(provider STREQUAL "any")
        set(provider "")
      else()
        string(MAKE_C_IDENTIFIER ${provider} word)
        string(APPEND test .${word})
        list(APPEND test_labels provider)
      endif()
      if(NOT arg_PROVIDERS OR NOT arg_HOSTS)
        cow_mpi_case(${test} ${ranks} "${provider}" "" ${arg_TIMEOUT} "${test_labels}" "${options}" ${program} ${arguments})
      endif()
      foreach(hosts IN LISTS arg_HOSTS)
        if(ranks GREATER_EQUAL hosts)
          cow_mpi_case(${test}.hosts${hosts} ${ranks} "${provider}" ${hosts} ${arg_TIMEOUT} "${test_labels};hosts"
                       "${options}" ${program} ${arguments})
        endif()
      endforeach()
    endforeach()
  endforeach()
endfunction()

# One ctest. The time limit is run_ranks' own, which then tells what still ran; ctest's is the net below it.
function(cow_mpi_case test ranks provider hosts timeout labels extra program)
  if(COW_FOREIGN_MPI AND (hosts OR provider OR extra))
    return()
  endif()
  if(hosts OR ranks GREATER 4)  # what the sanitizers look for shows on few ranks of one host
    list(REMOVE_ITEM labels asan tsan)
  endif()
  if(COW_SANITIZE OR COW_FOREIGN_MPI)
    math(EXPR timeout "${timeout} * 3")
  endif()
  set(options --mpirun ${COW_MPIRUN} --ranks ${ranks} --timeout ${timeout} ${extra})
  if(provider)  # layered providers are written with a colon here, since CMake's lists are joined by semicolons
    list(APPEND options --provider ${provider})
  endif()
  if(hosts)
    list(APPEND options --hosts ${hosts} --harness ${PROJECT_SOURCE_DIR}/tests/hosts)
  endif()
  if(COW_FOREIGN_MPI)
    list(APPEND options --foreign)
  endif()
  add_test(NAME ${test} COMMAND ${COW_RUN_RANKS} ${options} -- $<TARGET_FILE:${program}> ${ARGN})
  math(EXPR net "${timeout} + 20")
  math(EXPR slots "(${ranks} + 3) / 4")
  set_tests_properties(${test} PROPERTIES TIMEOUT ${net} LABELS "${labels}" SKIP_RETURN_CODE 77 PROCESSORS ${slots})
endfunction()
