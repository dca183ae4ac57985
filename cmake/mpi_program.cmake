# Programs that use MPI the way any user's program does: mpi.h, the library, mpirun, and nothing of ours beside them.
#
# COW_FOREIGN_MPI=mpich (or openmpi) builds perf/ and tests/mpi with Debian's package of that name instead of our own
# library. It exists to tell a wrong test from a wrong library: a test that fails with both is itself suspect.

set(COW_FOREIGN_MPI "" CACHE STRING "Build perf/ and tests/mpi with another MPI: mpich, openmpi, or empty for ours")

add_library(cow_mpi_user INTERFACE)
if(COW_FOREIGN_MPI)
  find_program(COW_FOREIGN_WRAPPER mpicc.${COW_FOREIGN_MPI} REQUIRED)
  find_program(COW_FOREIGN_MPIRUN mpirun.${COW_FOREIGN_MPI} REQUIRED)
  execute_process(COMMAND ${COW_FOREIGN_WRAPPER} -show OUTPUT_VARIABLE shown COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(shown UNIX_COMMAND "${shown}")
  foreach(word IN LISTS shown)
    if(word MATCHES "^-I(.+)")
      target_include_directories(cow_mpi_user SYSTEM INTERFACE ${CMAKE_MATCH_1})
    elseif(word MATCHES "^-[Ll]")
      target_link_libraries(cow_mpi_user INTERFACE ${word})
    endif()
  endforeach()
  set(COW_MPIRUN ${COW_FOREIGN_MPIRUN})
  set(COW_MPI_FOUND TRUE)
elseif(TARGET mpi_abi AND TARGET mpirun)
  target_link_libraries(cow_mpi_user INTERFACE mpi_abi)
  set(COW_MPIRUN $<TARGET_FILE:mpirun>)
  set(COW_MPI_FOUND TRUE)
else()
  set(COW_MPI_FOUND FALSE)
endif()

# An MPI program from its sources. Does nothing while there is no MPI library to build it with.
function(cow_mpi_program name)
  if(NOT COW_MPI_FOUND)
    return()
  endif()
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE cow_mpi_user cow_options Threads::Threads)
endfunction()
