// The driver of the nonblocking collectives' programs: how much of a collective's time a program can compute in.
#pragma once

#include <mpi.h>

#include "support/collective.hpp"

namespace perf {

struct Nonblocking {
  const char* title;
  Room out = Room::one_block;
  Room in = Room::one_block;
  std::size_t min = 1;
  bool has_size = true;
  void (*begin)(const CollectiveCall&, MPI_Request*);
};

// For all sizes asked for: the time of the collective alone; that of a computation as long as it; of both at once, the
// program testing the request ten times on its way; and the share of the collective that was hidden. As osu_iallreduce
// and its like do. The whole of such a program's main.
int measure_overlap(int argc, char** argv, const Nonblocking& collective);

}  // namespace perf
