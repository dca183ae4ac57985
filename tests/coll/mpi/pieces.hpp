// What of the memory for collectives this process has mapped, and who could share it.
#pragma once

#include <fstream>
#include <string>

#include "support/ranks.hpp"

// How many pieces of shared memory for collectives this process has mapped.
inline int pieces_mapped() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("memfd:cow-shared") != std::string::npos;
  return count;
}

// How many of the ranks are on this one's node.
inline int ranks_here() {
  MPI_Comm node;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  const int count = ranks::count(node);
  MPI_Comm_free(&node);
  return count;
}
