// Graph topologies, which every rank knows in full.
#include <algorithm>

#include "api/bodies.hpp"
#include "topo/make.hpp"
#include "topo/reorder.hpp"

namespace cow {

using namespace topo;

namespace {

struct Graph {
  std::vector<int> index;
  std::vector<int> edges;
};

// The graph that the arguments ask for, which must have room in `comm`.
Error read_graph(const Comm& comm, int nnodes, const int* index, const int* edges, Graph& out) {
  if (Error error = need_intra(comm)) return error;
  if (nnodes < 0 || nnodes > comm.size())
    return fail(ErrorClass::arg, "nnodes is %d: expected 0 to %d, the ranks of the communicator", nnodes, comm.size());
  if (Error error = need_array(index, nnodes, "index")) return error;
  for (int r = 0, before = 0; r < nnodes; before = index[r++])
    if (index[r] < before)
      return fail(ErrorClass::arg, "index[%d] is %d: expected the number of edges of nodes 0 to %d, not less than %d",
                  r, index[r], r, before);
  const int count = nnodes > 0 ? index[nnodes - 1] : 0;
  if (Error error = need_array(edges, count, "edges")) return error;
  for (int e = 0; e < count; ++e)
    if (edges[e] < 0 || edges[e] >= nnodes)
      return fail(ErrorClass::arg, "edges[%d] is %d: expected a node, 0 to %d", e, edges[e], nnodes - 1);
  out.index.assign(index, index + nnodes);
  out.edges.assign(edges, edges + count);
  return success;
}

Edges edges_of(const Graph& graph) {
  Edges out;
  std::size_t e = 0;
  for (std::size_t r = 0; r < graph.index.size(); ++r)
    for (; e < static_cast<std::size_t>(graph.index[r]); ++e) out.push_back({static_cast<int>(r), graph.edges[e], 1});
  return out;
}

Error need_graph(const Comm& comm, const GraphTopology*& out) {
  out = graph_of(comm);
  return out ? success : fail(ErrorClass::topology, "the communicator has no graph topology");
}

Error need_node(const GraphTopology& graph, int rank) {
  const auto nodes = static_cast<int>(graph.index.size());
  if (rank >= 0 && rank < nodes) return success;
  return fail(ErrorClass::rank, "rank %d does not exist: the graph has %d nodes", rank, nodes);
}

}  // namespace

Error body::Graph_create(Comm& comm_old, int nnodes, const int* index, const int* edges, int reorder,
                         MPI_Comm* comm_graph) {
  Graph graph;
  if (Error error = read_graph(comm_old, nnodes, index, edges, graph)) return error;
  std::vector<int> members = same_members(nnodes);
  if (reorder) {
    const Edges edges = comm_old.rank == 0 ? edges_of(graph) : Edges{};
    if (Error error = choose_members(comm_old, edges, {nnodes}, members)) return error;
  }
  Comm* made;
  if (Error error = make_topology_comm(comm_old, members, made)) return error;
  if (made) add_topology<GraphTopology>(*made, graph.index, graph.edges);
  give(made, comm_graph);
  return success;
}

Error body::Graph_map(Comm& comm, int nnodes, const int* index, const int* edges, int* newrank) {
  Graph graph;
  if (Error error = read_graph(comm, nnodes, index, edges, graph)) return error;
  *newrank = rank_in(guess_members(comm, edges_of(graph), {nnodes}), comm.rank);
  return success;
}

Error body::Graphdims_get(Comm& comm, int* nnodes, int* nedges) {
  const GraphTopology* graph;
  if (Error error = need_graph(comm, graph)) return error;
  *nnodes = static_cast<int>(graph->index.size());
  *nedges = static_cast<int>(graph->edges.size());
  return success;
}

Error body::Graph_get(Comm& comm, int maxindex, int maxedges, int* index, int* edges) {
  const GraphTopology* graph;
  if (Error error = need_graph(comm, graph)) return error;
  const auto nodes = static_cast<int>(graph->index.size());
  const auto count = static_cast<int>(graph->edges.size());
  if (maxindex < nodes) return fail(ErrorClass::arg, "maxindex is %d: the graph has %d nodes", maxindex, nodes);
  if (maxedges < count) return fail(ErrorClass::arg, "maxedges is %d: the graph has %d edges", maxedges, count);
  if (Error error = need_array(index, nodes, "index")) return error;
  if (Error error = need_array(edges, count, "edges")) return error;
  std::copy(graph->index.begin(), graph->index.end(), index);
  std::copy(graph->edges.begin(), graph->edges.end(), edges);
  return success;
}

Error body::Graph_neighbors_count(Comm& comm, int rank, int* nneighbors) {
  const GraphTopology* graph;
  if (Error error = need_graph(comm, graph)) return error;
  if (Error error = need_node(*graph, rank)) return error;
  *nneighbors = graph->degree(rank);
  return success;
}

Error body::Graph_neighbors(Comm& comm, int rank, int maxneighbors, int* neighbors) {
  const GraphTopology* graph;
  if (Error error = need_graph(comm, graph)) return error;
  if (Error error = need_node(*graph, rank)) return error;
  const int degree = graph->degree(rank);
  if (maxneighbors < degree)
    return fail(ErrorClass::arg, "maxneighbors is %d: rank %d has %d neighbours", maxneighbors, rank, degree);
  if (Error error = need_array(neighbors, degree, "neighbors")) return error;
  std::copy_n(graph->edges.begin() + graph->first(rank), degree, neighbors);
  return success;
}

}  // namespace cow
