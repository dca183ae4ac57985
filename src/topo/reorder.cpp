#include "topo/reorder.hpp"

#include <algorithm>
#include <numeric>

#include "base/settings.hpp"
#include "coll/comms/new_comm.hpp"
#include "runtime/job.hpp"
#include "runtime/locality.hpp"

namespace cow::topo {
namespace {

Path own_path() {
  const runtime::Locality& inside = runtime::locality();
  return {{static_cast<std::int32_t>(runtime::job().node), inside.package, inside.cache, inside.core}};
}

// The node alone, as the launcher tells it.
Path path_of(Process process) {
  Path path;
  if (process < static_cast<Process>(runtime::job().size))
    path.at[0] = static_cast<std::int32_t>(runtime::node_of(static_cast<int>(process)));
  return path;
}

// The wires of the job, where they are known and say more than the nodes: the first `count` ranks on them.
std::optional<Places> wired_places(const Comm& comm, int count) {
  Layout layout;
  if (settings().layout.empty() || !Layout::parse(settings().layout, layout).empty()) return {};
  if (layout.dimensions() == 0 || layout.size() != runtime::job().size) return {};
  std::vector<int> positions;
  for (int r = 0; r < count; ++r) {
    const Process process = comm.group->process(r);
    if (process >= static_cast<Process>(layout.size())) return {};
    positions.push_back(static_cast<int>(process));
  }
  return Places(layout, std::move(positions));
}

std::vector<int> decide(const Comm& comm, const Edges& edges, const Shape& shape, std::vector<Path> paths) {
  const int count = static_cast<int>(paths.size());
  if (const std::optional<Places> wired = wired_places(comm, count)) return map_graph(edges, shape, *wired);
  return map_graph(edges, shape, Places(std::move(paths)));
}

int vertices(const Shape& shape) { return std::accumulate(shape.begin(), shape.end(), 1, std::multiplies<>()); }

}  // namespace

Error choose_members(Comm& old, const Edges& edges, const Shape& shape, std::vector<int>& members) {
  const Path own = own_path();
  std::vector<Path> paths(static_cast<std::size_t>(old.size()));
  if (Error error = coll::allgather_bytes(old, &own, paths.data(), sizeof own)) return error;
  paths.resize(members.size());
  if (old.rank == 0) members = decide(old, edges, shape, std::move(paths));
  return coll::bcast_bytes(old, members.data(), static_cast<MPI_Count>(members.size() * sizeof(int)), 0);
}

std::vector<int> guess_members(const Comm& old, const Edges& edges, const Shape& shape) {
  std::vector<Path> paths;
  for (int r = 0; r < vertices(shape); ++r) paths.push_back(path_of(old.group->process(r)));
  return decide(old, edges, shape, std::move(paths));
}

std::vector<int> same_members(int count) {
  std::vector<int> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

int rank_in(const std::vector<int>& members, int rank) {
  const auto found = std::find(members.begin(), members.end(), rank);
  return found == members.end() ? int{MPI_UNDEFINED} : static_cast<int>(found - members.begin());
}

}  // namespace cow::topo
