// Distributed graph topologies: what the calls answer, and what they refuse.
#include <algorithm>

#include "topo/mpi/refused.hpp"

namespace {

using Ints = std::vector<int>;

struct Edge {
  int from, to, weight;
};
// The whole graph, which every rank draws by itself.
std::vector<Edge> random_edges(ranks::Random& random, int n, int most) {
  std::vector<Edge> out;
  for (int i = ranks::pick(random, 0, most); i > 0; --i) {
    const int from = ranks::pick(random, 0, n - 1), to = ranks::pick(random, 0, n - 1);
    out.push_back({from, to, ranks::pick(random, 0, 9)});
  }
  return out;
}

// What one rank has of it, in order.
struct Sides {
  Ints sources, source_weights, destinations, destination_weights;
  Sides(const std::vector<Edge>& edges, int rank) {
    for (const Edge& e : edges) {
      if (e.to == rank) sources.push_back(e.from), source_weights.push_back(e.weight);
      if (e.from == rank) destinations.push_back(e.to), destination_weights.push_back(e.weight);
    }
  }
  static const int* weights(const Ints& list, bool weighted) {
    return !weighted ? MPI_UNWEIGHTED : list.empty() ? MPI_WEIGHTS_EMPTY : list.data();
  }
};

int create_adjacent(const std::vector<Edge>& edges, bool weighted, bool reorder, MPI_Comm* out) {
  const Sides s(edges, ranks::rank());
  return MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, static_cast<int>(s.sources.size()), s.sources.data(),
                                        Sides::weights(s.source_weights, weighted),
                                        static_cast<int>(s.destinations.size()), s.destinations.data(),
                                        Sides::weights(s.destination_weights, weighted), MPI_INFO_NULL, reorder, out);
}

// Pairs of neighbour and weight. Sorted where the order is the library's own.
std::vector<std::pair<int, int>> pairs(const Ints& nodes, const Ints& weights, bool weighted, bool sorted) {
  std::vector<std::pair<int, int>> out;
  for (std::size_t i = 0; i < nodes.size(); ++i) out.emplace_back(nodes[i], weighted ? weights[i] : 0);
  if (sorted) std::sort(out.begin(), out.end());
  return out;
}

void check_graph(MPI_Comm comm, const std::vector<Edge>& edges, bool weighted, bool in_order) {
  const Sides expected(edges, ranks::rank(comm));
  EXPECT_EQ(topology_of(comm), MPI_DIST_GRAPH);
  int in = -1, out = -1, has_weights = -1;
  ASSERT_MPI_OK(MPI_Dist_graph_neighbors_count(comm, &in, &out, &has_weights));
  ASSERT_EQ(in, static_cast<int>(expected.sources.size()));
  ASSERT_EQ(out, static_cast<int>(expected.destinations.size()));
  EXPECT_EQ(has_weights != 0, weighted);
  Ints sources(expected.sources.size()), source_weights(sources.size(), -5);
  Ints destinations(expected.destinations.size()), destination_weights(destinations.size(), -5);
  ASSERT_MPI_OK(MPI_Dist_graph_neighbors(comm, in, sources.data(), source_weights.data(), out, destinations.data(),
                                         destination_weights.data()));
  EXPECT_EQ(pairs(sources, source_weights, weighted, !in_order),
            pairs(expected.sources, expected.source_weights, weighted, !in_order));
  EXPECT_EQ(pairs(destinations, destination_weights, weighted, !in_order),
            pairs(expected.destinations, expected.destination_weights, weighted, !in_order));
  if (!weighted) {
    EXPECT_EQ(source_weights, Ints(sources.size(), -5)) << "untouched";
  }
  // Only the first part of each list, without weights.
  Ints first(2, -5);
  ASSERT_MPI_OK(MPI_Dist_graph_neighbors(comm, std::min(in, 1), first.data(), MPI_UNWEIGHTED, std::min(out, 1),
                                         first.data() + 1, MPI_UNWEIGHTED));
  EXPECT_EQ(first[0], in > 0 ? sources[0] : -5);
  EXPECT_EQ(first[1], out > 0 ? destinations[0] : -5);
}

TEST(DistGraph, Adjacent) {
  ranks::Random random = ranks::shared_random(1);
  const int n = ranks::count();
  for (int round = 0; round < 16; ++round) {
    const std::vector<Edge> edges = random_edges(random, n, 3 * n);
    const bool weighted = round % 2, reorder = round % 4 >= 2;
    MPI_Comm comm, copy;
    ASSERT_MPI_OK(create_adjacent(edges, weighted, reorder, &comm));
    ASSERT_EQ(ranks::count(comm), n);
    check_graph(comm, edges, weighted, true);
    ASSERT_MPI_OK(MPI_Comm_dup(comm, &copy));
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
    check_graph(copy, edges, weighted, true);
    ASSERT_MPI_OK(MPI_Comm_free(&copy));
  }
}

// Any rank may tell of any edge.
TEST(DistGraph, ToldByAnybody) {
  ranks::Random random = ranks::shared_random(2);
  const int n = ranks::count(), me = ranks::rank();
  for (int round = 0; round < 16; ++round) {
    const std::vector<Edge> edges = random_edges(random, n, 4 * n);
    const bool weighted = round % 2, reorder = round % 4 >= 2;
    Ints sources, degrees, destinations, weights;
    int previous = -1;
    for (const Edge& e : edges) {
      if (ranks::pick(random, 0, n - 1) != me) continue;
      if (previous == e.from)
        ++degrees.back();
      else
        sources.push_back(e.from), degrees.push_back(1);
      previous = e.from;
      destinations.push_back(e.to);
      weights.push_back(e.weight);
    }
    if (me == 0) sources.push_back(n - 1), degrees.push_back(0);  // a node without edges
    MPI_Comm comm;
    ASSERT_MPI_OK(MPI_Dist_graph_create(MPI_COMM_WORLD, static_cast<int>(sources.size()), sources.data(),
                                        degrees.data(), destinations.data(), Sides::weights(weights, weighted),
                                        MPI_INFO_NULL, reorder, &comm));
    check_graph(comm, edges, weighted, false);
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
}

// Pairs of ranks that stand apart, as many as possible on different nodes, come together.
TEST(DistGraph, ReorderBringsNeighboursTogether) {
  const int n = ranks::count(), me = ranks::rank();
  if (n % 2 != 0) GTEST_SKIP() << "needs an even number of ranks";
  // Each process' node, named by the lowest rank on it.
  const auto strangers = [](MPI_Comm comm) {
    MPI_Comm node;
    EXPECT_MPI_OK(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
    int own = ranks::rank(comm), other = -1, partner = (own + ranks::count(comm) / 2) % ranks::count(comm), sum = 0;
    const int here = own;
    EXPECT_MPI_OK(MPI_Bcast(&own, 1, MPI_INT, 0, node));
    EXPECT_MPI_OK(MPI_Sendrecv(&own, 1, MPI_INT, partner, 1, &other, 1, MPI_INT, partner, 1, comm, MPI_STATUS_IGNORE));
    const int apart = own != other && here < partner;
    EXPECT_MPI_OK(MPI_Allreduce(&apart, &sum, 1, MPI_INT, MPI_SUM, comm));
    EXPECT_MPI_OK(MPI_Comm_free(&node));
    return sum;
  };
  const int partner = (me + n / 2) % n, before = strangers(MPI_COMM_WORLD);
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, &partner, MPI_UNWEIGHTED, 1, &partner, MPI_UNWEIGHTED,
                                               MPI_INFO_NULL, 1, &comm));
  const int after = strangers(comm);
  EXPECT_LE(after, before);
  if (!ranks::foreign()) {
    EXPECT_LE(after, 1) << "all pairs but the one left over where nodes have odd numbers of ranks";
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(DistGraph, TakesHints) {
  MPI_Info info, used;
  char value[32] = "";
  int flag = 0, length = sizeof value;
  ASSERT_MPI_OK(MPI_Info_create(&info));
  ASSERT_MPI_OK(MPI_Info_set(info, "mpi_assert_no_any_tag", "true"));
  MPI_Comm comm;
  ASSERT_MPI_OK(MPI_Dist_graph_create(MPI_COMM_WORLD, 0, nullptr, nullptr, nullptr, MPI_UNWEIGHTED, info, 0, &comm));
  ASSERT_MPI_OK(MPI_Comm_get_info(comm, &used));
  ASSERT_MPI_OK(MPI_Info_get_string(used, "mpi_assert_no_any_tag", &length, value, &flag));
  if (!ranks::foreign()) {
    EXPECT_TRUE(flag);
    EXPECT_STREQ(value, "true");
  }
  ASSERT_MPI_OK(MPI_Info_free(&used));
  ASSERT_MPI_OK(MPI_Info_free(&info));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

class DistGraphRefuses : public testing::Test {
 protected:
  int n = ranks::count();
  ranks::ReturningComm world;
  MPI_Comm made = MPI_COMM_NULL;
  int node[1] = {0}, weight[1] = {1}, one[1] = {1};

  int adjacent(int in, const int* sources, const int* in_weights, int out, const int* destinations,
               const int* out_weights) {
    return MPI_Dist_graph_create_adjacent(world, in, sources, in_weights, out, destinations, out_weights, MPI_INFO_NULL,
                                          0, &made);
  }
  int create(int count, const int* sources, const int* degrees, const int* destinations, const int* weights) {
    return MPI_Dist_graph_create(world, count, sources, degrees, destinations, weights, MPI_INFO_NULL, 0, &made);
  }
};

TEST_F(DistGraphRefuses, WrongNeighbours) {
  const int outside[1] = {n}, negative[1] = {-1};
  EXPECT_REFUSED(adjacent(1, outside, MPI_UNWEIGHTED, 0, node, MPI_UNWEIGHTED), MPI_ERR_RANK, "sources[0]");
  EXPECT_REFUSED(adjacent(0, node, MPI_UNWEIGHTED, 1, negative, MPI_UNWEIGHTED), MPI_ERR_RANK, "destinations[0]");
  EXPECT_REFUSED(adjacent(-1, node, MPI_UNWEIGHTED, 0, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "indegree");
  EXPECT_REFUSED(adjacent(0, node, MPI_UNWEIGHTED, -1, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "outdegree");
  EXPECT_REFUSED(adjacent(1, nullptr, MPI_UNWEIGHTED, 0, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "sources");
  EXPECT_REFUSED(create(1, outside, one, node, MPI_UNWEIGHTED), MPI_ERR_RANK, "sources[0]");
  EXPECT_REFUSED(create(1, node, one, outside, MPI_UNWEIGHTED), MPI_ERR_RANK, "destinations[0]");
  EXPECT_REFUSED(create(1, node, negative, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "degrees[0]");
  EXPECT_REFUSED(create(-1, node, one, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "negative");
  EXPECT_REFUSED(create(1, nullptr, one, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "sources");
  EXPECT_REFUSED(create(1, node, nullptr, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "degrees");
  EXPECT_EQ(made, MPI_COMM_NULL);
}

TEST_F(DistGraphRefuses, WrongWeights) {
  const int negative[1] = {-1};
  EXPECT_REFUSED(adjacent(1, node, negative, 1, node, weight), MPI_ERR_ARG, "sourceweights[0]");
  EXPECT_REFUSED(adjacent(1, node, weight, 1, node, MPI_UNWEIGHTED), MPI_ERR_ARG, "MPI_UNWEIGHTED");
  EXPECT_REFUSED(adjacent(1, node, weight, 1, node, MPI_WEIGHTS_EMPTY), MPI_ERR_ARG, "MPI_WEIGHTS_EMPTY");
  EXPECT_REFUSED(create(1, node, one, node, negative), MPI_ERR_ARG, "weights[0]");
  EXPECT_REFUSED(create(1, node, one, node, nullptr), MPI_ERR_ARG, "weights");
}

// Weights at some ranks only: those that do not agree with rank 0 say so.
TEST_F(DistGraphRefuses, WeightsAtSomeRanks) {
  if (ranks::foreign()) GTEST_SKIP() << "others do not look";
  const bool weighted = ranks::rank() % 2 == 1;
  const int code = create(0, node, one, node, weighted ? MPI_WEIGHTS_EMPTY : MPI_UNWEIGHTED);
  if (weighted) {
    EXPECT_REFUSED(code, MPI_ERR_ARG, "the same everywhere");
  } else {
    ASSERT_MPI_OK(code);
    ASSERT_MPI_OK(MPI_Comm_free(&made));
  }
}

TEST_F(DistGraphRefuses, WrongCommunicators) {
  int a = 0, b = 0, c = 0;
  EXPECT_REFUSED(MPI_Dist_graph_neighbors_count(world, &a, &b, &c), MPI_ERR_TOPOLOGY, "distributed graph");
  EXPECT_REFUSED(MPI_Dist_graph_neighbors(world, 0, &a, &b, 0, &a, &b), MPI_ERR_TOPOLOGY, "distributed graph");
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  EXPECT_REFUSED(MPI_Dist_graph_neighbors_count(MPI_COMM_NULL, &a, &b, &c), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Dist_graph_neighbors(MPI_COMM_NULL, 0, &a, &b, 0, &a, &b), MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Dist_graph_create(MPI_COMM_NULL, 0, node, one, node, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &made),
                 MPI_ERR_COMM, "comm");
  EXPECT_REFUSED(MPI_Dist_graph_create_adjacent(MPI_COMM_NULL, 0, node, MPI_UNWEIGHTED, 0, node, MPI_UNWEIGHTED,
                                                MPI_INFO_NULL, 0, &made),
                 MPI_ERR_COMM, "comm");
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
  if (n < 2) return;
  const Bridge bridge;
  EXPECT_REFUSED(MPI_Dist_graph_create(bridge, 0, node, one, node, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &made),
                 MPI_ERR_COMM, "intercommunicator");
}

}  // namespace
