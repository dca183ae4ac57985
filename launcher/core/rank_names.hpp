// The variables by which programs tell which rank they are before MPI_Init: those that other launchers document, since
// wrappers, Kokkos and the like look for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cow::launch {

struct RankNumbers {
  std::uint32_t rank = 0, size = 1;              // in the job
  std::uint32_t local_rank = 0, local_size = 1;  // on its node
};

// NAME=value. `whose`: all, openmpi, mpich, or no (COW_RANK_NAMES). PMI_FD and PMI_PORT are not among them: by these, and
// not by its number, a program of MPICH is told that a launcher of its own awaits it.
std::vector<std::string> name_rank(const RankNumbers& numbers, const std::string& whose);

}  // namespace cow::launch
