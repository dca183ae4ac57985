# find_package(cowmpi): the library as cowmpi::cowmpi. It is found from the place of this file, which may be reached by a
# link, so that the installed tree may be moved. CMake's own find_package(MPI) works too and lets another MPI take its place.
get_filename_component(cowmpi_PREFIX "${CMAKE_CURRENT_LIST_DIR}" REALPATH)
get_filename_component(cowmpi_PREFIX "${cowmpi_PREFIX}/../../.." ABSOLUTE)
set(cowmpi_MPIEXEC_EXECUTABLE "${cowmpi_PREFIX}/bin/mpiexec")

if(NOT TARGET cowmpi::cowmpi)
  add_library(cowmpi::cowmpi SHARED IMPORTED)
  set_target_properties(cowmpi::cowmpi PROPERTIES
    IMPORTED_LOCATION "${cowmpi_PREFIX}/lib/libmpi_abi.so.1"
    IMPORTED_SONAME libmpi_abi.so.1
    INTERFACE_INCLUDE_DIRECTORIES "${cowmpi_PREFIX}/include")
endif()
