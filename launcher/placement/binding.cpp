#include "launcher/placement/binding.hpp"

#include <hwloc.h>
#include <sched.h>

#include <algorithm>
#include <iterator>

namespace cow::launch {
namespace {

struct Word {
  const char* word;
  Level level;
};
// In the order of the levels, and then what else they are called. A first-level cache is a core's.
constexpr Word words[] = {
    {"none", Level::none},     {"hwthread", Level::hwthread}, {"core", Level::core},     {"l2", Level::l2},
    {"l3", Level::l3},         {"numa", Level::numa},         {"socket", Level::socket}, {"node", Level::node},
    {"l1", Level::core},       {"l1cache", Level::core},      {"l2cache", Level::l2},    {"l3cache", Level::l3},
    {"package", Level::socket}};

hwloc_obj_type_t type_of(Level level) {
  switch (level) {
    case Level::hwthread: return HWLOC_OBJ_PU;
    case Level::core: return HWLOC_OBJ_CORE;
    case Level::l2: return HWLOC_OBJ_L2CACHE;
    case Level::l3: return HWLOC_OBJ_L3CACHE;
    case Level::numa: return HWLOC_OBJ_NUMANODE;
    case Level::socket: return HWLOC_OBJ_PACKAGE;
    default: return HWLOC_OBJ_MACHINE;
  }
}

Cpus cpus_of(hwloc_const_bitmap_t set) {
  Cpus out;
  for (int cpu = hwloc_bitmap_first(set); cpu >= 0; cpu = hwloc_bitmap_next(set, cpu)) {
    out.push_back(static_cast<std::uint32_t>(cpu));
  }
  return out;
}

Cpus common(const Cpus& a, const Cpus& b) {
  Cpus out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

Cpus merged(const Cpus& a, const Cpus& b) {
  Cpus out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

// Slice `index` of `count` nearly equal ones.
Cpus share_of(const std::vector<Cpus>& units, std::uint32_t index, std::uint32_t count) {
  Cpus out;
  for (std::size_t i = units.size() * index / count; i < units.size() * (index + 1) / count; ++i) {
    out = merged(out, units[i]);
  }
  return out;
}

std::vector<Cpus> equal_shares(hwloc_topology_t topology, const Cpus& allowed, std::uint32_t count) {
  std::vector<Cpus> out(count);
  for (const Level level : {Level::core, Level::hwthread}) {
    const std::vector<Cpus> units = objects_of(topology, allowed, level);
    if (count > units.size()) continue;
    for (std::uint32_t i = 0; i < count; ++i) out[i] = share_of(units, i, count);
    break;
  }
  return out;
}

// Numbers go round the objects of a kind: the first rank of each object, then the second of each, …
std::vector<Cpus> renumber(std::vector<Cpus> in, const std::vector<Cpus>& objects) {
  std::vector<std::vector<std::size_t>> of_object(objects.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto home =
        std::find_if(objects.begin(), objects.end(), [&](const Cpus& o) { return !common(o, in[i]).empty(); });
    of_object[static_cast<std::size_t>(home - objects.begin())].push_back(i);
  }
  std::vector<Cpus> out;
  for (std::size_t turn = 0; out.size() < in.size(); ++turn) {
    for (const auto& members : of_object) {
      if (turn < members.size()) out.push_back(std::move(in[members[turn]]));
    }
  }
  return out;
}

}  // namespace

bool parse_level(std::string_view word, Level& out) {
  for (const Word& known : words) {
    if (word == known.word) return out = known.level, true;
  }
  return false;
}

const char* name_of(Level level) { return words[static_cast<std::size_t>(level)].word; }

std::vector<Cpus> objects_of(hwloc_topology* topology, const Cpus& allowed, Level level) {
  std::vector<Cpus> out;
  for (; out.empty() && level < Level::node; level = static_cast<Level>(static_cast<int>(level) + 1)) {
    const hwloc_obj_type_t type = type_of(level);
    hwloc_obj_t object = nullptr;
    while ((object = hwloc_get_next_obj_by_type(topology, type, object))) {
      Cpus cpus = common(cpus_of(object->cpuset), allowed);
      if (!cpus.empty()) out.push_back(std::move(cpus));
    }
    // Objects that leave some CPUs out (memory without processors, hybrid caches) are no partition.
    std::size_t covered = 0;
    for (const Cpus& cpus : out) covered += cpus.size();
    if (covered != allowed.size()) out.clear();
  }
  if (out.empty()) out.push_back(allowed);
  return out;
}

Binding choose_cpus(hwloc_topology* topology, const Cpus& allowed, std::uint32_t count, const BindingPlan& plan) {
  Binding out;
  if (plan.equal_shares) {
    out.of_rank.resize(count);
    if (plan.most_cpus == 0 || allowed.size() <= plan.most_cpus) out.of_rank = equal_shares(topology, allowed, count);
    return out;
  }
  out.of_rank.resize(count);
  if (plan.bind == Level::none) return out;
  const std::vector<Cpus> targets = objects_of(topology, allowed, plan.bind);
  // Without a map, the ranks go round what they are bound to, `width` at a time.
  const std::vector<Cpus> homes =
      plan.map == Level::none ? std::vector<Cpus>{allowed} : objects_of(topology, allowed, plan.map);
  std::vector<std::uint32_t> next(homes.size());
  for (std::uint32_t rank = 0; rank < count; ++rank) {
    const std::size_t home = rank / plan.per_object % homes.size();
    std::vector<const Cpus*> inside;
    for (const Cpus& target : targets) {
      if (!common(target, homes[home]).empty()) inside.push_back(&target);
    }
    if (plan.width > inside.size()) {
      out.error = std::to_string(plan.width) + " times " + name_of(plan.bind) +
                  " for each rank were asked for, but there " + (inside.size() == 1 ? "is " : "are ") +
                  std::to_string(inside.size()) +
                  (plan.map == Level::none ? "" : std::string(" in a ") + name_of(plan.map));
      return out;
    }
    // Groups of `width` that do not overlap; what is left over at the end serves nobody.
    const std::size_t groups = inside.size() / plan.width;
    const std::size_t group = next[home]++ % groups;
    for (std::size_t i = 0; i < plan.width; ++i) {
      out.of_rank[rank] = merged(out.of_rank[rank], *inside[group * plan.width + i]);
    }
  }
  if (plan.rank != Level::none && plan.rank != Level::node) {
    out.of_rank = renumber(std::move(out.of_rank), objects_of(topology, allowed, plan.rank));
  }
  return out;
}

std::string list_numbers(const std::vector<std::uint32_t>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    out += (out.empty() ? "" : ",") + std::to_string(numbers[i]) + (end > i ? "-" + std::to_string(numbers[end]) : "");
    i = end + 1;
  }
  return out;
}

std::string describe_cpus(hwloc_topology* topology, const Cpus& cpus) {
  std::string out = (cpus.size() == 1 ? "CPU " : "CPUs ") + list_numbers(cpus);
  if (!topology) return out;
  std::vector<std::uint32_t> numbers[2];
  const hwloc_obj_type_t types[2] = {HWLOC_OBJ_CORE, HWLOC_OBJ_PACKAGE};
  for (int i = 0; i < 2; ++i) {
    hwloc_obj_t object = nullptr;
    while ((object = hwloc_get_next_obj_by_type(topology, types[i], object))) {
      if (!common(cpus_of(object->cpuset), cpus).empty()) numbers[i].push_back(object->logical_index);
    }
    if (numbers[i].empty()) return out;
  }
  return out + (numbers[0].size() == 1 ? " (core " : " (cores ") + list_numbers(numbers[0]) +
         (numbers[1].size() == 1 ? " of socket " : " of sockets ") + list_numbers(numbers[1]) + ")";
}

Machine::Machine() {
  allowed_ = affinity_of(0);
  if (hwloc_topology_init(&topology_) != 0) return;
  if (hwloc_topology_load(topology_) != 0) {
    hwloc_topology_destroy(topology_);
    topology_ = nullptr;
    return;
  }
  allowed_ = common(allowed_, cpus_of(hwloc_topology_get_allowed_cpuset(topology_)));
}

Machine::~Machine() {
  if (topology_) hwloc_topology_destroy(topology_);
}

Cpus affinity_of(int pid) {
  Cpus out;
  for (std::size_t most = 1024; most <= (1u << 20); most *= 4) {  // the kernel refuses a set that is too small
    cpu_set_t* set = CPU_ALLOC(most);
    const std::size_t size = CPU_ALLOC_SIZE(most);
    CPU_ZERO_S(size, set);
    const bool good = sched_getaffinity(pid, size, set) == 0;
    for (std::size_t cpu = 0; good && cpu < most; ++cpu) {
      if (CPU_ISSET_S(cpu, size, set)) out.push_back(static_cast<std::uint32_t>(cpu));
    }
    CPU_FREE(set);
    if (good) break;
  }
  return out;
}

}  // namespace cow::launch
