// What the measuring programs share: buffers, sizes, and lines that look like those of the OSU benchmarks.
#pragma once

#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "support/options.hpp"

namespace perf {

// Page-aligned, and touched, so that no measurement pays for the first use of a page.
class Buffer {
 public:
  explicit Buffer(std::size_t size, int byte = 'a') {
    void* memory = nullptr;
    if (posix_memalign(&memory, 4096, size ? size : 1) != 0) {
      fprintf(stderr, "no memory for a buffer of %zu bytes\n", size);
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
    memset(memory, byte, size ? size : 1);
    memory_.reset(static_cast<char*>(memory));
  }
  char* data() { return memory_.get(); }

 private:
  struct Free {
    void operator()(char* memory) const { free(memory); }
  };
  std::unique_ptr<char, Free> memory_;
};

// The sizes of a table: 0 when it is asked for, then powers of two from the minimum on.
template <class Body>
void for_each_size(const Options& options, Body body) {
  std::size_t size = options.min;
  if (size == 0) {
    body(std::size_t{0});
    size = 1;
  }
  for (; size <= options.max; size *= 2) body(size);
}

// `# OSU MPI Latency Test` became `# COW MPI Latency Test`; readers skip lines that start with #.
inline void print_title(const char* title, const char* columns) {
  printf("# COW MPI %s Test\n%s\n", title, columns);
  fflush(stdout);
}

inline void print_row(std::size_t size, double value) {
  printf("%-10zu%18.2f\n", size, value);
  fflush(stdout);
}

inline int rank_of(MPI_Comm comm) {
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

inline int size_of(MPI_Comm comm) {
  int size = 0;
  MPI_Comm_size(comm, &size);
  return size;
}

// Ends the program, with rank 0's word why, unless there are as many ranks as the measurement needs.
inline void need_ranks(bool enough, const char* what) {
  if (enough) return;
  if (rank_of(MPI_COMM_WORLD) == 0) fprintf(stderr, "This measurement needs %s.\n", what);
  MPI_Finalize();
  exit(2);
}

}  // namespace perf
