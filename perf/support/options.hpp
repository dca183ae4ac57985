// The command line that all programs of perf/ share. It follows the OSU benchmarks, so that scripts made for those work.
#pragma once

#include <cstddef>

namespace perf {

struct Options {
  std::size_t min = 0;  // bytes of a message
  std::size_t max = 0;
  int iterations = 0;        // of messages up to large_message
  int iterations_large = 0;  // of larger ones
  int warmup = 0;
  int warmup_large = 0;
  int window = 64;    // messages in flight at once
  int pairs = 0;      // 0: half of the ranks
  bool full = false;  // minimum, maximum and iterations beside the average

  int iterations_of(std::size_t size) const { return size > large_message ? iterations_large : iterations; }
  int warmup_of(std::size_t size) const { return size > large_message ? warmup_large : warmup; }

  static constexpr std::size_t large_message = 8192;
};

// Reads the command line over the defaults given. Asked for help, or given something it does not understand, rank 0
// says so and the program ends (MPI is finalized first). To be called between MPI_Init and the first communication.
Options read_options(int argc, char** argv, const char* title, Options defaults);

}  // namespace perf
