// The driver of the collectives' latency programs: each of those says only what it calls and how big its buffers are.
#pragma once

#include <mpi.h>

#include <cstddef>

namespace perf {

// What one call needs. `size` bytes are what a rank contributes (or what each pair exchanges, for the all-to-all ones).
struct CollectiveCall {
  char* out;
  char* in;
  int size;                  // bytes
  int floats;                // the same as a count of MPI_FLOAT, for the reductions
  const int* counts;         // `size` for each rank
  const int* displacements;  // one block after the other
  const int* float_counts;   // the floats, spread over the ranks
  int rank;
};

enum class Room { none, one_block, block_per_rank };

struct Collective {
  const char* title;
  Room out = Room::one_block;
  Room in = Room::one_block;
  std::size_t min = 1;   // smallest size that makes sense, in bytes
  bool has_size = true;  // a barrier has none
  void (*call)(const CollectiveCall&);
};

// Measures the collective over all sizes asked for and prints the table; the whole of such a program's main.
int measure_collective(int argc, char** argv, const Collective& collective);

}  // namespace perf
