# The bindings and libmpi_abi.so.1. Included after all layers are known.

# Bodies of MPI functions stand in bodies/ of the layer that they belong to.
file(GLOB api_bodies CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/src/*/bodies/*.cpp ${PROJECT_SOURCE_DIR}/pt2pt/bodies/*.cpp ${PROJECT_SOURCE_DIR}/coll/bodies/*.cpp)
set(api_generated ${PROJECT_BINARY_DIR}/generated/api)
set(api_parts 8)  # files that the bindings are split over
set(api_bindings ${api_generated}/names.cpp)
math(EXPR api_last_part "${api_parts} - 1")
foreach(number RANGE ${api_last_part})
  list(APPEND api_bindings ${api_generated}/bindings_${number}.cpp)
endforeach()

add_custom_command(
  OUTPUT ${api_generated}/bindings.stamp
  BYPRODUCTS ${api_bindings} ${api_generated}/libmpi_abi.map ${api_generated}/unsupported.txt
    ${api_generated}/unsupported.inc
  COMMAND Python3::Interpreter -B ${api_generator} bindings ${PROJECT_BINARY_DIR} ${api_parts}
    ${PROJECT_SOURCE_DIR}/include/mpix.h ${api_bodies}
  COMMAND ${CMAKE_COMMAND} -E touch ${api_generated}/bindings.stamp
  DEPENDS ${api_tables} ${api_generator_modules} ${api_bodies} ${PROJECT_SOURCE_DIR}/include/mpix.h
  COMMENT "Generating the bindings" VERBATIM)
add_custom_target(cow_api_bindings DEPENDS ${api_generated}/bindings.stamp)

configure_file(${PROJECT_SOURCE_DIR}/src/api/build_info.hpp.in ${api_generated}/build_info.hpp @ONLY)

cow_layer(cow_api src/api cow_topo cow_rma)
target_sources(cow_api PRIVATE ${api_bindings})
add_dependencies(cow_api cow_api_bindings)

# Everything of every layer, behind the standard's names alone. libstdc++ is inside, so that programs in any language, built
# with any compiler, may use the library. What unwinds the stack is the process's own libgcc_s: exceptions of the program's
# functions, and pthread_cancel, pass through the library. No static object of it is destroyed at exit.
file(WRITE ${api_generated}/empty.cpp "")
add_library(mpi_abi SHARED ${api_generated}/empty.cpp)
set_target_properties(mpi_abi PROPERTIES SOVERSION ${COW_ABI_SOVERSION} LINK_DEPENDS ${api_generated}/libmpi_abi.map)
get_property(api_layers GLOBAL PROPERTY COW_LAYERS)
list(REMOVE_DUPLICATES api_layers)
list(JOIN api_layers "," api_layers)
set_target_properties(mpi_abi PROPERTIES LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,${api_layers}")
target_link_libraries(mpi_abi PRIVATE cow_api)
target_link_options(mpi_abi PRIVATE LINKER:-z,now,--as-needed LINKER:--wrap=__cxa_atexit LINKER:--version-script=${api_generated}/libmpi_abi.map)
if(NOT COW_SANITIZE)  # a sanitizer's library is the program's, and wants the program's libstdc++
  # The functions of src/api/memory.cpp.
  set(api_own_memory _Znwm _ZnwmSt11align_val_t _ZSt17__throw_bad_allocv _ZSt28__throw_bad_array_new_lengthv
    _ZSt20__throw_length_errorPKc __cxa_throw_bad_array_new_length)
  list(TRANSFORM api_own_memory PREPEND LINKER:--wrap=)
  target_link_options(mpi_abi PRIVATE -static-libstdc++ LINKER:-z,defs ${api_own_memory})
endif()
add_dependencies(mpi_abi cow_api_headers)
target_include_directories(mpi_abi INTERFACE ${PROJECT_BINARY_DIR}/include ${PROJECT_SOURCE_DIR}/include)

# The repository's copy of the list of what is not there yet.
add_custom_target(update_unsupported
  COMMAND ${CMAKE_COMMAND} -E copy ${api_generated}/unsupported.txt ${PROJECT_SOURCE_DIR}/src/api/unsupported.txt
  DEPENDS ${api_generated}/bindings.stamp VERBATIM)

install(TARGETS mpi_abi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_BINARY_DIR}/include/mpi.h ${PROJECT_SOURCE_DIR}/include/mpix.h ${PROJECT_SOURCE_DIR}/include/mpi_removed.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
