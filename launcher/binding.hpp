// Which CPUs the ranks of one node run on. Pure functions on an hwloc topology; CPUs are the kernel's numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct hwloc_topology;

namespace cow::launch {

// A kind of place in a machine, from small to large.
enum class Level : std::uint8_t { none = 0, hwthread = 1, core = 2, l3 = 3, numa = 4, socket = 5, node = 6 };

// "core", "socket" (or "package"), "numa", "l3" (or "l3cache"), "hwthread", "node", "none". False: no such word.
bool parse_level(std::string_view word, Level& out);
const char* name_of(Level level);

// How the ranks of each node are bound: part of the job, acted on by the agents.
struct BindingPlan {
  Level map = Level::none;   // consecutive ranks go round the objects of this kind
  Level bind = Level::none;  // each rank may run on one object of this kind …
  std::uint32_t width = 1;   // … or on so many
  Level rank = Level::none;  // numbers go round the objects of this kind; none: as mapped
  std::uint32_t per_object = 1;  // ranks that follow each other on one object of `map`
  bool equal_shares = false;     // each rank gets an equal share of the cores; not bound when there are more ranks
  std::uint32_t most_cpus = 0;   // no shares where more are allowed than so many (then others may use them); 0: no limit
  bool report = false;           // tell mpirun where each rank may run
  bool operator==(const BindingPlan&) const = default;
};

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
