// The standard's "mpi_memory_alloc_kinds": which kinds of memory a program may pass to MPI.
#pragma once

#include <string>
#include <string_view>

namespace cow {

// What is offered of what was asked for (kinds separated by commas): always mpi and system, and then those kinds with
// restrictors that were asked for and are part of these.
std::string offered_memory_kinds(std::string_view asked);

// The same for what mpirun (-memory-alloc-kinds) or the environment asked for.
std::string offered_memory_kinds();

}  // namespace cow
