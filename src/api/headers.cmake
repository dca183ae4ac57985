# What is generated from the tables of the standard: mpi.h (cow_mpi_h, which every layer above src/base may use), and
# the bindings (see README.md).

set(api_generator ${PROJECT_SOURCE_DIR}/src/api/generator/generate.py)
file(GLOB api_tables CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/api/table/*.tsv)
file(GLOB api_generator_modules CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/api/generator/*.py)

set(api_headers_stamp ${PROJECT_BINARY_DIR}/generated/headers.stamp)
add_custom_command(
  OUTPUT ${api_headers_stamp}
  BYPRODUCTS ${PROJECT_BINARY_DIR}/include/mpi.h ${PROJECT_BINARY_DIR}/generated/api/bodies.hpp
  COMMAND Python3::Interpreter -B ${api_generator} headers ${PROJECT_BINARY_DIR}
  COMMAND ${CMAKE_COMMAND} -E touch ${api_headers_stamp}
  DEPENDS ${api_tables} ${api_generator_modules}
  COMMENT "Generating mpi.h and bodies.hpp" VERBATIM)
add_custom_target(cow_api_headers DEPENDS ${api_headers_stamp})

add_library(cow_mpi_h INTERFACE)
target_include_directories(cow_mpi_h INTERFACE
  ${PROJECT_BINARY_DIR}/include ${PROJECT_BINARY_DIR}/generated ${PROJECT_SOURCE_DIR}/include)
add_dependencies(cow_mpi_h cow_api_headers)
