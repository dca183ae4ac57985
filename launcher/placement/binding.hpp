// Which CPUs the ranks of one node run on. Pure functions on an hwloc topology; CPUs are the kernel's numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/core/plans.hpp"

struct hwloc_topology;

namespace cow::launch {

// "core", "socket" (or "package"), "numa", "l2", "l3" (or "l3cache"), "hwthread", "node", "none", in small letters. False: no
// such word.
bool parse_level(std::string_view word, Level& out);
const char* name_of(Level level);

using Cpus = std::vector<std::uint32_t>;  // sorted

// The CPUs of each object of a kind, as far as they are allowed, in the order of the machine. A machine that has no such
// objects (no third-level cache, say) is taken to have those of the next larger kind.
std::vector<Cpus> objects_of(hwloc_topology* topology, const Cpus& allowed, Level level);

// One set of CPUs for each of `count` ranks; an empty set: not bound. More ranks than objects share them, in turn.
struct Binding {
  std::vector<Cpus> of_rank;
  std::string error;
};
Binding choose_cpus(hwloc_topology* topology, const Cpus& allowed, std::uint32_t count, const BindingPlan& plan);

// "CPUs 0-3 (cores 0-1 of socket 0)".
std::string describe_cpus(hwloc_topology* topology, const Cpus& cpus);

// "0-3,8".
std::string list_numbers(const std::vector<std::uint32_t>& numbers);

// The machine that this process runs on, and the CPUs that it may use. Null: hwloc cannot tell.
class Machine {
 public:
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  hwloc_topology* topology() const { return topology_; }
  const Cpus& allowed() const { return allowed_; }

 private:
  hwloc_topology* topology_ = nullptr;
  Cpus allowed_;
};

// The CPUs that a process may run on, as the kernel says.
Cpus affinity_of(int pid);

}  // namespace cow::launch
