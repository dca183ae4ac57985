// PMI-1, the protocol of lines that MPICH's launcher speaks, and Slurm's with --mpi=pmi2: for programs that other people's
// launchers start. One request at a time, over the descriptor in PMI_FD; not for more than one thread at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cow::runtime::pmi {

struct Facts {
  int rank = 0;
  int size = 1;
  int universe_size = -1;  // -1: the launcher did not say
  int appnum = -1;
  std::vector<std::uint32_t> nodes;  // by rank; empty: the launcher did not say
};

// Whether a launcher of this kind is there.
bool is_offered();

Error join(Facts& out);

// Makes bytes known to the ranks that ask for them after the next barrier; waits until they are there.
Error put(const std::string& key, std::string_view bytes);
Error get(const std::string& key, std::string& bytes);
Error barrier();

// A barrier that this call does not wait for: `done` is called in another thread.
void start_barrier(std::function<void()> done);

// Tells the launcher to end the job; does not wait for that.
void abort(int status);

// The last words of this process.
void end();

// "(vector,(0,2,4))" is the node of each rank: from node 0 on, on 2 nodes, 4 ranks each. Empty when it makes no sense.
std::vector<std::uint32_t> parse_mapping(std::string_view text, int size);

}  // namespace cow::runtime::pmi
