// Graph topologies: what the calls answer, and what they refuse.
#include "topo/mpi/refused.hpp"

namespace {

using Ints = std::vector<int>;

struct Graph {
  Ints index, edges;
  int nodes() const { return static_cast<int>(index.size()); }
  Ints neighbours(int node) const {
    const int first = node == 0 ? 0 : index[static_cast<std::size_t>(node - 1)];
    return {edges.begin() + first, edges.begin() + index[static_cast<std::size_t>(node)]};
  }
};

// With edges from a node to itself, and several between the same two.
Graph random_graph(ranks::Random& random, int nodes) {
  Graph out;
  for (int node = 0; node < nodes; ++node) {
    for (int k = ranks::pick(random, 0, 4); k > 0; --k) out.edges.push_back(ranks::pick(random, 0, nodes - 1));
    out.index.push_back(static_cast<int>(out.edges.size()));
  }
  return out;
}

int create(MPI_Comm comm, const Graph& graph, bool reorder, MPI_Comm* out) {
  return MPI_Graph_create(comm, graph.nodes(), graph.index.data(), graph.edges.data(), reorder, out);
}

void check_graph(MPI_Comm comm, const Graph& graph) {
  EXPECT_EQ(topology_of(comm), MPI_GRAPH);
  EXPECT_EQ(ranks::count(comm), graph.nodes());
  int nodes = -1, edges = -1;
  ASSERT_MPI_OK(MPI_Graphdims_get(comm, &nodes, &edges));
  EXPECT_EQ(nodes, graph.nodes());
  ASSERT_EQ(edges, static_cast<int>(graph.edges.size()));
  Ints index(graph.index.size()), list(graph.edges.size());
  ASSERT_MPI_OK(MPI_Graph_get(comm, nodes, edges, index.data(), list.data()));
  EXPECT_EQ(index, graph.index);
  EXPECT_EQ(list, graph.edges);
  for (int node = 0; node < nodes; ++node) {
    int count = -1;
    ASSERT_MPI_OK(MPI_Graph_neighbors_count(comm, node, &count));
    Ints neighbours(static_cast<std::size_t>(count));
    ASSERT_MPI_OK(MPI_Graph_neighbors(comm, node, count, neighbours.data()));
    EXPECT_EQ(neighbours, graph.neighbours(node));
  }
}

TEST(Graph, RandomGraphs) {
  ranks::Random random = ranks::shared_random(1);
  const int n = ranks::count();
  for (int round = 0; round < 20; ++round) {
    const Graph graph = random_graph(random, ranks::pick(random, 0, n));
    const bool reorder = round % 2 == 1;
    MPI_Comm comm;
    ASSERT_MPI_OK(create(MPI_COMM_WORLD, graph, reorder, &comm));
    EXPECT_EQ(comm != MPI_COMM_NULL, ranks::rank() < graph.nodes());
    if (comm == MPI_COMM_NULL) continue;
    check_graph(comm, graph);
    int sum = 0;
    const int me = ranks::rank(comm);
    ASSERT_MPI_OK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, comm));
    EXPECT_EQ(sum, graph.nodes() * (graph.nodes() - 1) / 2);
    MPI_Comm copy;
    ASSERT_MPI_OK(MPI_Comm_dup(comm, &copy));
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    check_graph(copy, graph);
    ASSERT_MPI_OK(MPI_Comm_free(&copy));
  }
}

TEST(Graph, MapPutsEveryRankOnce) {
  ranks::Random random = ranks::shared_random(2);
  const int n = ranks::count();
  const Graph graph = random_graph(random, n);
  int place = -1, sum = 0;
  ASSERT_MPI_OK(MPI_Graph_map(MPI_COMM_WORLD, n, graph.index.data(), graph.edges.data(), &place));
  ASSERT_GE(place, 0);
  const int bit = 1 << place;
  ASSERT_MPI_OK(MPI_Allreduce(&bit, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(sum, (1 << n) - 1);
  ASSERT_MPI_OK(MPI_Graph_map(MPI_COMM_WORLD, 0, nullptr, nullptr, &place));
  EXPECT_EQ(place, MPI_UNDEFINED);
}

Graph ring_of(int n) {
  Graph ring;
  for (int r = 0; r < n; ++r) {
    ring.edges.push_back((r + 1) % n);
    ring.index.push_back(r + 1);
  }
  return ring;
}

TEST(Graph, RefusesWhatMakesNoGraph) {
  const int n = ranks::count();
  const ranks::ReturningComm world;
  MPI_Comm made = MPI_COMM_NULL;
  int place = -1;
  const Graph ring = ring_of(n);
  EXPECT_REFUSED(MPI_Graph_create(world, n + 1, ring.index.data(), ring.edges.data(), 0, &made), MPI_ERR_ARG, "nnodes");
  EXPECT_REFUSED(MPI_Graph_create(world, -1, ring.index.data(), ring.edges.data(), 0, &made), MPI_ERR_ARG, "nnodes");
  EXPECT_REFUSED(MPI_Graph_create(world, n, nullptr, ring.edges.data(), 0, &made), MPI_ERR_ARG, "index");
  EXPECT_REFUSED(MPI_Graph_create(world, n, ring.index.data(), nullptr, 0, &made), MPI_ERR_ARG, "edges");
  EXPECT_REFUSED(MPI_Graph_create(world, n, ring.index.data(), ring.edges.data(), 0, nullptr), MPI_ERR_ARG,
                 "comm_graph");
  Graph wrong = ring;
  wrong.edges[0] = n;
  EXPECT_REFUSED(create(world, wrong, false, &made), MPI_ERR_ARG, "edges[0]");
  EXPECT_REFUSED(MPI_Graph_map(world, n, wrong.index.data(), wrong.edges.data(), &place), MPI_ERR_ARG, "edges[0]");
  wrong = ring;
  wrong.index[0] = -1;
  EXPECT_REFUSED(create(world, wrong, false, &made), MPI_ERR_ARG, "index[0]");
  EXPECT_EQ(made, MPI_COMM_NULL);
  if (n < 2) return;
  const Bridge bridge;
  EXPECT_REFUSED(create(bridge, Graph{}, false, &made), MPI_ERR_COMM, "intercommunicator");
}

TEST(Graph, RefusesWrongQuestions) {
  const int n = ranks::count();
  const ranks::ReturningComm world;
  MPI_Comm comm = MPI_COMM_NULL;
  ASSERT_MPI_OK(create(world, ring_of(n), false, &comm));
  int one = -1, two = -1;
  Ints list(static_cast<std::size_t>(n)), more = list;
  EXPECT_REFUSED(MPI_Graph_get(comm, n - 1, n, list.data(), more.data()), MPI_ERR_ARG, "maxindex");
  EXPECT_REFUSED(MPI_Graph_get(comm, n, n - 1, list.data(), more.data()), MPI_ERR_ARG, "maxedges");
  EXPECT_REFUSED(MPI_Graph_neighbors(comm, n, n, list.data()), MPI_ERR_RANK, "does not exist");
  EXPECT_REFUSED(MPI_Graph_neighbors(comm, 0, 0, list.data()), MPI_ERR_ARG, "maxneighbors is 0");
  EXPECT_REFUSED(MPI_Graph_neighbors(comm, 0, n, nullptr), MPI_ERR_ARG, "neighbors");
  EXPECT_REFUSED(MPI_Graph_neighbors_count(comm, -1, &one), MPI_ERR_RANK, "rank -1");
  EXPECT_REFUSED(MPI_Graphdims_get(comm, nullptr, &one), MPI_ERR_ARG, "nnodes");
  EXPECT_REFUSED(MPI_Graphdims_get(world, &one, &two), MPI_ERR_TOPOLOGY, "graph");
  EXPECT_REFUSED(MPI_Graph_get(world, n, n, list.data(), more.data()), MPI_ERR_TOPOLOGY, "graph");
  EXPECT_REFUSED(MPI_Graph_neighbors(world, 0, n, list.data()), MPI_ERR_TOPOLOGY, "graph");
  EXPECT_REFUSED(MPI_Graph_neighbors_count(world, 0, &one), MPI_ERR_TOPOLOGY, "graph");
  EXPECT_REFUSED(MPI_Cartdim_get(comm, &one), MPI_ERR_TOPOLOGY, "Cartesian");
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(Graph, RefusesNoCommunicator) {
  const int n = ranks::count();
  MPI_Comm made = MPI_COMM_NULL;
  int one = -1, two = -1;
  Ints list(static_cast<std::size_t>(n)), more = list;
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  EXPECT_REFUSED(create(MPI_COMM_NULL, ring_of(n), false, &made), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Graph_map(MPI_COMM_NULL, 0, nullptr, nullptr, &one), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Graph_get(MPI_COMM_NULL, n, n, list.data(), more.data()), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Graphdims_get(MPI_COMM_NULL, &one, &two), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Graph_neighbors(MPI_COMM_NULL, 0, n, list.data()), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Graph_neighbors_count(MPI_COMM_NULL, 0, &one), MPI_ERR_COMM, "comm");
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
}

}  // namespace
