// The hosts that a resource manager has given to the job script in which mpirun runs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/placement/hosts.hpp"

namespace cow::launch {

struct Allocation {
  std::vector<Host> hosts;  // empty: mpirun runs in none
  std::string source;       // for messages: "the Slurm allocation"
  bool slurm = false;       // agents are started with srun
  std::uint32_t cpus = 0;   // the least that is given of a host; 0: not said
  std::string error;
};

// `variable` gives a variable of the environment, or an empty text. Reads $PBS_NODEFILE.
Allocation read_allocation(const std::function<std::string(const char*)>& variable);

// "n[1-3,07],m" in Slurm's notation as single names; false when it makes no sense.
bool expand_names(std::string_view text, std::vector<std::string>& out);
// "2(x3),1" is 2, 2, 2, 1.
bool expand_counts(std::string_view text, std::vector<int>& out);

// The beginning of a command that starts one agent of the allocation; the host's name and the agent's path follow.
inline constexpr const char* srun_command =
    "srun --quiet --unbuffered --nodes=1 --ntasks=1 --overlap --mpi=none --cpu-bind=none --kill-on-bad-exit=0 "
    "--nodelist";

}  // namespace cow::launch
