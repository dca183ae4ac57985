# A few bytes that stand in for libraries of hardware that is not there, embedded into quick_start.cpp; see quick_start.hpp.
function(cow_substitute name soname)
  add_library(${name} MODULE transport/ofi/${name}.c)
  set_target_properties(${name} PROPERTIES C_VISIBILITY_PRESET default LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  target_compile_options(${name} PRIVATE -g0 -O2)
  target_link_options(${name} PRIVATE -nostdlib -s -Wl,-soname,${soname} -Wl,-z,noseparate-code ${ARGN})
endfunction()

cow_substitute(no_psm libpsm_infinipath.so.1)
cow_substitute(no_psm2 libpsm2.so.2 -Wl,--version-script,${CMAKE_CURRENT_SOURCE_DIR}/transport/ofi/no_psm2.map)
set_source_files_properties(transport/ofi/quick_start.cpp PROPERTIES
  COMPILE_DEFINITIONS "COW_NO_PSM_FILE=\"${CMAKE_CURRENT_BINARY_DIR}/libno_psm.so\";COW_NO_PSM2_FILE=\"${CMAKE_CURRENT_BINARY_DIR}/libno_psm2.so\""
  OBJECT_DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/libno_psm.so;${CMAKE_CURRENT_BINARY_DIR}/libno_psm2.so")
