#include "objects/topology.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace cow {
namespace {

struct CommTopology : CommExtension {
  explicit CommTopology(std::shared_ptr<const Topology> t) : shared(std::move(t)) {}
  std::shared_ptr<const Topology> shared;
};

template <class Kind>
const Kind* of_kind(const Comm& comm, Topology::Kind kind) {
  const Topology* const topology = topology_of(comm);
  return topology && topology->kind == kind ? static_cast<const Kind*>(topology) : nullptr;
}

// An edge that occurs more often than the edge back.
void find_one_way(const GraphTopology& graph, int& from, int& to) {
  std::map<std::pair<int, int>, int> balance;  // edges minus edges back, for the lower rank first
  for (int r = 0; r < static_cast<int>(graph.index.size()); ++r)
    for (int e = graph.first(r); e < graph.index[static_cast<std::size_t>(r)]; ++e) {
      const int other = graph.edges[static_cast<std::size_t>(e)];
      if (other != r) balance[std::minmax(r, other)] += r < other ? 1 : -1;
    }
  for (const auto& [ends, count] : balance)
    if (count != 0) {
      from = count > 0 ? ends.first : ends.second;
      to = count > 0 ? ends.second : ends.first;
      return;
    }
}

}  // namespace

CartTopology::CartTopology(std::vector<int> extents, std::vector<bool> around, int rank)
    : Topology(Kind::cart), dims(std::move(extents)), periods(std::move(around)), coords(place_of(rank)) {
  for (int d = 0; d < dimensions(); ++d)
    for (const int step : {-1, 1}) neighbours.sources.push_back(moved(rank, d, step));
  neighbours.destinations = neighbours.sources;
  neighbours.crossed = true;
}

int CartTopology::size() const {
  int size = 1;
  for (const int extent : dims) size *= extent;
  return size;
}

int CartTopology::rank_at(const std::vector<int>& place) const {
  int rank = 0;
  for (std::size_t d = 0; d < dims.size(); ++d) rank = rank * dims[d] + place[d];
  return rank;
}

std::vector<int> CartTopology::place_of(int rank) const {
  std::vector<int> place(dims.size());
  for (std::size_t d = dims.size(); d-- > 0; rank /= dims[d]) place[d] = rank % dims[d];
  return place;
}

int CartTopology::moved(int rank, int dimension, std::int64_t steps) const {
  const auto d = static_cast<std::size_t>(dimension);
  std::vector<int> place = place_of(rank);
  std::int64_t to = place[d] + steps;
  if (periods[d])
    to = (to % dims[d] + dims[d]) % dims[d];
  else if (to < 0 || to >= dims[d])
    return MPI_PROC_NULL;
  place[d] = static_cast<int>(to);
  return rank_at(place);
}

GraphTopology::GraphTopology(std::vector<int> ends, std::vector<int> others, int rank)
    : Topology(Kind::graph), index(std::move(ends)), edges(std::move(others)) {
  const auto first_edge = edges.begin() + first(rank);
  neighbours.sources.assign(first_edge, first_edge + degree(rank));
  neighbours.destinations = neighbours.sources;
  find_one_way(*this, one_way_from, one_way_to);
}

const Topology* topology_of(const Comm& comm) {
  return comm.topology ? static_cast<const CommTopology*>(comm.topology)->shared.get() : nullptr;
}
const CartTopology* cart_of(const Comm& comm) { return of_kind<CartTopology>(comm, Topology::Kind::cart); }
const GraphTopology* graph_of(const Comm& comm) { return of_kind<GraphTopology>(comm, Topology::Kind::graph); }
const DistGraphTopology* dist_graph_of(const Comm& comm) {
  return of_kind<DistGraphTopology>(comm, Topology::Kind::dist_graph);
}

void set_topology(Comm& comm, std::shared_ptr<const Topology> topology) {
  delete std::exchange(comm.topology, new CommTopology(std::move(topology)));
}

void share_topology(const Comm& from, Comm& to) {
  if (from.topology) set_topology(to, static_cast<const CommTopology*>(from.topology)->shared);
}

}  // namespace cow
