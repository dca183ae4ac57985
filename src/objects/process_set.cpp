#include "objects/process_set.hpp"

#include <strings.h>

#include "runtime/job.hpp"

namespace cow {
namespace {

constexpr const char* own_sets[] = {"mpi://WORLD", "mpi://SELF", "cow://NODE"};

Group* ranks_of_node() {
  std::vector<Process> members;
  for (int rank = 0; rank < runtime::job().size; ++rank)
    if (runtime::node_of(rank) == runtime::job().node) members.push_back(static_cast<Process>(rank));
  return make_group(std::move(members));
}

// Programs written for other libraries have "mpi://world" too, so that the case of these names does not matter.
bool is(const std::string& name, const char* own) { return strcasecmp(name.c_str(), own) == 0; }

}  // namespace

std::vector<std::string> process_set_names() {
  std::vector<std::string> names(std::begin(own_sets), std::end(own_sets));
  for (std::string& name : runtime::process_sets())
    if (name.size() < MPI_MAX_PSET_NAME_LEN) names.push_back(std::move(name));
  return names;
}

Group* make_process_set(const std::string& name) {
  if (is(name, own_sets[0])) return make_group(0, 1, runtime::job().size);
  if (is(name, own_sets[1])) return make_group(this_process, 1, 1);
  if (is(name, own_sets[2])) return ranks_of_node();
  for (const std::string& known : runtime::process_sets())
    if (known == name) return make_group(runtime::members_of(name));
  return nullptr;
}

}  // namespace cow
