// Distributed graph topologies: each rank knows its own edges.
#include <algorithm>

#include "api/bodies.hpp"
#include "coll/comms/new_comm.hpp"
#include "topo/adjacency.hpp"
#include "topo/make.hpp"
#include "topo/reorder.hpp"

namespace cow {

using namespace topo;

namespace {

// Nodes and weights, as the program gave them. `weights` is null where it gave none.
struct Given {
  const int* nodes;
  const int* weights;
  int count;
  const char* nodes_name;
  const char* weights_name;
};

// A null pointer instead of MPI_WEIGHTS_EMPTY is often seen.
const int* weights_of(const int* weights) {
  return weights == MPI_UNWEIGHTED || weights == MPI_WEIGHTS_EMPTY ? nullptr : weights;
}

Error check_nodes(const Comm& comm, const Given& given) {
  if (Error error = need_array(given.nodes, given.count, given.nodes_name)) return error;
  for (int i = 0; i < given.count; ++i)
    if (given.nodes[i] < 0 || given.nodes[i] >= comm.size())
      return fail(ErrorClass::rank, "%s[%d] is %d: expected a rank, 0 to %d", given.nodes_name, i, given.nodes[i],
                  comm.size() - 1);
  return success;
}

Error check_weights(const Given& given, const int* as_given) {
  if (as_given == MPI_UNWEIGHTED) return success;
  if (!given.weights && given.count > 0)
    return fail(ErrorClass::arg, "%s is %s: expected an array of %d, or MPI_UNWEIGHTED", given.weights_name,
                as_given ? "MPI_WEIGHTS_EMPTY" : "a null pointer", given.count);
  for (int i = 0; i < given.count; ++i)
    if (given.weights[i] < 0)
      return fail(ErrorClass::arg, "%s[%d] is %d: expected 0 or more", given.weights_name, i, given.weights[i]);
  return success;
}

void copy_weights(const Given& given, std::vector<int>& out) {
  if (given.weights)
    out.assign(given.weights, given.weights + given.count);
  else
    out.assign(static_cast<std::size_t>(given.count), 1);
}

// The communicator, from what each rank knows of its node.
Error make_dist_graph(Comm& old, Adjacency& adjacency, bool weighted, const Info* info, bool reorder, MPI_Comm* out) {
  std::vector<int> members = same_members(old.size());
  if (reorder) {
    Edges edges;
    if (Error error = gather_edges(old, adjacency, edges)) return error;
    if (Error error = choose_members(old, edges, {old.size()}, members)) return error;
    if (Error error = hand_over(old, members, adjacency)) return error;
  }
  Comm* made;
  int told = weighted;  // by rank 0
  if (Error error = make_topology_comm(old, members, made, told)) return error;
  AtEnd discarding([made] { coll::discard(*made); });
  if ((told != 0) != weighted)
    return fail(ErrorClass::arg, "this rank gave %s, and rank 0 %s: expected the same everywhere",
                weighted ? "weights" : "MPI_UNWEIGHTED", told ? "weights" : "MPI_UNWEIGHTED");
  auto topology = std::make_shared<DistGraphTopology>();
  topology->neighbours.sources = std::move(adjacency.sources);
  topology->neighbours.destinations = std::move(adjacency.destinations);
  topology->weighted = weighted;
  if (weighted) {
    topology->source_weights = std::move(adjacency.source_weights);
    topology->destination_weights = std::move(adjacency.destination_weights);
  }
  set_topology(*made, std::move(topology));
  if (info) set_hints(*made, *info);
  discarding.forget();
  give(made, out);
  return success;
}

Error need_dist_graph(const Comm& comm, const DistGraphTopology*& out) {
  out = dist_graph_of(comm);
  return out ? success : fail(ErrorClass::topology, "the communicator has no distributed graph topology");
}

// The first ones of a list that there is room for.
Error copy_list(const std::vector<int>& list, int room, int* out, const char* name) {
  const auto count = std::min(static_cast<int>(list.size()), room);
  if (Error error = need_array(out, count, name)) return error;
  std::copy_n(list.begin(), count, out);
  return success;
}

Error copy_weight_list(const std::vector<int>& list, int room, int* out, const char* name) {
  if (list.empty() || out == MPI_UNWEIGHTED || out == MPI_WEIGHTS_EMPTY) return success;
  return copy_list(list, room, out, name);
}

}  // namespace

Error body::Dist_graph_create_adjacent(Comm& comm_old, int indegree, const int* sources, const int* sourceweights,
                                       int outdegree, const int* destinations, const int* destweights, Info* info,
                                       int reorder, MPI_Comm* comm_dist_graph) {
  if (Error error = need_intra(comm_old)) return error;
  if (indegree < 0) return fail(ErrorClass::arg, "indegree is %d: expected 0 or more", indegree);
  if (outdegree < 0) return fail(ErrorClass::arg, "outdegree is %d: expected 0 or more", outdegree);
  const bool weighted = sourceweights != MPI_UNWEIGHTED;
  if (weighted != (destweights != MPI_UNWEIGHTED))
    return fail(ErrorClass::arg, "MPI_UNWEIGHTED for %s only: expected both, or neither",
                weighted ? "destweights" : "sourceweights");
  const Given in{sources, weights_of(sourceweights), indegree, "sources", "sourceweights"};
  const Given out{destinations, weights_of(destweights), outdegree, "destinations", "destweights"};
  for (const Given& given : {in, out})
    if (Error error = check_nodes(comm_old, given)) return error;
  if (Error error = check_weights(in, sourceweights)) return error;
  if (Error error = check_weights(out, destweights)) return error;
  Adjacency adjacency;
  adjacency.sources.assign(sources, sources + indegree);
  adjacency.destinations.assign(destinations, destinations + outdegree);
  copy_weights(in, adjacency.source_weights);
  copy_weights(out, adjacency.destination_weights);
  return make_dist_graph(comm_old, adjacency, weighted, info, reorder != 0, comm_dist_graph);
}

Error body::Dist_graph_create(Comm& comm_old, int n, const int* sources, const int* degrees, const int* destinations,
                              const int* weights, Info* info, int reorder, MPI_Comm* comm_dist_graph) {
  if (Error error = need_intra(comm_old)) return error;
  if (n < 0) return fail(ErrorClass::arg, "n is %d: expected 0 or more", n);
  if (Error error = need_array(degrees, n, "degrees")) return error;
  std::int64_t count = 0;
  for (int i = 0; i < n; ++i) {
    if (degrees[i] < 0) return fail(ErrorClass::arg, "degrees[%d] is %d: expected 0 or more", i, degrees[i]);
    count += degrees[i];
  }
  if (count > INT32_MAX) return fail(ErrorClass::arg, "the degrees add up to more than %d edges", INT32_MAX);
  const Given from{sources, nullptr, n, "sources", ""};
  const Given to{destinations, weights_of(weights), static_cast<int>(count), "destinations", "weights"};
  if (Error error = check_nodes(comm_old, from)) return error;
  if (Error error = check_nodes(comm_old, to)) return error;
  if (Error error = check_weights(to, weights)) return error;
  std::vector<ToldEdge> told;
  for (int i = 0, e = 0; i < n; ++i)
    for (int k = 0; k < degrees[i]; ++k, ++e)
      told.push_back({sources[i], destinations[e], to.weights ? to.weights[e] : 1});
  Adjacency adjacency;
  if (Error error = collect_edges(comm_old, told, adjacency)) return error;
  return make_dist_graph(comm_old, adjacency, weights != MPI_UNWEIGHTED, info, reorder != 0, comm_dist_graph);
}

Error body::Dist_graph_neighbors_count(Comm& comm, int* indegree, int* outdegree, int* weighted) {
  const DistGraphTopology* graph;
  if (Error error = need_dist_graph(comm, graph)) return error;
  *indegree = graph->neighbours.indegree();
  *outdegree = graph->neighbours.outdegree();
  *weighted = graph->weighted;
  return success;
}

Error body::Dist_graph_neighbors(Comm& comm, int maxindegree, int* sources, int* sourceweights, int maxoutdegree,
                                 int* destinations, int* destweights) {
  const DistGraphTopology* graph;
  if (Error error = need_dist_graph(comm, graph)) return error;
  const Neighbours& n = graph->neighbours;
  if (Error error = copy_list(n.sources, maxindegree, sources, "sources")) return error;
  if (Error error = copy_list(n.destinations, maxoutdegree, destinations, "destinations")) return error;
  if (Error error = copy_weight_list(graph->source_weights, maxindegree, sourceweights, "sourceweights")) return error;
  return copy_weight_list(graph->destination_weights, maxoutdegree, destweights, "destweights");
}

}  // namespace cow
