// --map-by, --bind-to and --rank-by, as words and as what they mean.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/placement/binding.hpp"
#include "launcher/placement/hosts.hpp"

namespace cow::launch {

struct MappingWords {
  std::string map_by, bind_to, rank_by;  // as written; empty: not said
  std::uint32_t per_node = 0;            // -ppn N; 0: not said
  std::uint32_t cpus_per_rank = 0;
  bool hwthreads = false;  // processing elements are hardware threads, not cores
};

struct MappingPlan {
  Spread spread;                   // over the nodes
  BindingPlan binding;             // on each
  Level per_object = Level::none;  // ppr:N:OBJECT: the ranks of a node are N times its objects of this kind
  std::uint32_t ranks_per_object = 0;
  bool by_layout = false;  // neighbours of the layout are put near each other
  // What qualifiers ask for beside the map.
  bool oversubscribe = false, no_local = false, show_map = false, dry_run = false;
};

// What is wrong with the words, or empty.
std::string read_mapping(const MappingWords& words, MappingPlan& out);

// "a: ranks 0-3\nb: ranks 4-5\n": which ranks are on which host. `programs`: the name of each rank's program.
std::string draw_map(const std::vector<std::string>& nodes, const std::vector<std::uint32_t>& node_of_rank,
                     const std::vector<std::string>& program_of_rank);

}  // namespace cow::launch
