// What neighbourhood collectives refuse, and what they need not be told where there are no neighbours.
#include "topo/mpi/refused.hpp"

namespace {

class NeighboursRefuse : public testing::Test {
 protected:
  int n = ranks::count();
  ranks::ReturningComm world;
  MPI_Comm ring = MPI_COMM_NULL;
  int send[2] = {1, 2}, recv[2] = {0, 0}, counts[2] = {1, 1}, displs[2] = {0, 1}, negative[2] = {1, -1};
  MPI_Aint bytes[2] = {0, 4};
  MPI_Datatype types[2] = {MPI_INT, MPI_INT}, wrong_types[2] = {MPI_INT, MPI_DATATYPE_NULL};
  MPI_Request request = MPI_REQUEST_NULL;

  void SetUp() override {
    const int dims[1] = {n}, periods[1] = {1};
    ASSERT_MPI_OK(MPI_Cart_create(world, 1, dims, periods, 0, &ring));
  }
  void TearDown() override { ASSERT_MPI_OK(MPI_Comm_free(&ring)); }
};

TEST_F(NeighboursRefuse, CommunicatorsWithoutTopology) {
  const char* const word = "no topology";
  EXPECT_REFUSED(MPI_Neighbor_allgather(send, 1, MPI_INT, recv, 1, MPI_INT, world), MPI_ERR_TOPOLOGY, word);
  EXPECT_REFUSED(MPI_Neighbor_allgatherv(send, 1, MPI_INT, recv, counts, displs, MPI_INT, world), MPI_ERR_TOPOLOGY,
                 word);
  EXPECT_REFUSED(MPI_Neighbor_alltoall(send, 1, MPI_INT, recv, 1, MPI_INT, world), MPI_ERR_TOPOLOGY, word);
  EXPECT_REFUSED(MPI_Neighbor_alltoallv(send, counts, displs, MPI_INT, recv, counts, displs, MPI_INT, world),
                 MPI_ERR_TOPOLOGY, word);
  EXPECT_REFUSED(MPI_Neighbor_alltoallw(send, counts, bytes, types, recv, counts, bytes, types, world),
                 MPI_ERR_TOPOLOGY, word);
  EXPECT_REFUSED(MPI_Ineighbor_allgather(send, 1, MPI_INT, recv, 1, MPI_INT, world, &request), MPI_ERR_TOPOLOGY, word);
  EXPECT_REFUSED(MPI_Neighbor_alltoall_init(send, 1, MPI_INT, recv, 1, MPI_INT, world, MPI_INFO_NULL, &request),
                 MPI_ERR_TOPOLOGY, word);
  EXPECT_EQ(request, MPI_REQUEST_NULL);
}

TEST_F(NeighboursRefuse, WrongData) {
  EXPECT_REFUSED(MPI_Neighbor_allgather(send, 1, MPI_DATATYPE_NULL, recv, 1, MPI_INT, ring), MPI_ERR_TYPE, "sendtype");
  EXPECT_REFUSED(MPI_Neighbor_allgather(send, -1, MPI_INT, recv, 1, MPI_INT, ring), MPI_ERR_COUNT, "sendcount");
  EXPECT_REFUSED(MPI_Neighbor_allgather(send, 1, MPI_INT, recv, -1, MPI_INT, ring), MPI_ERR_COUNT, "recvcount");
  EXPECT_REFUSED(MPI_Neighbor_allgather(MPI_IN_PLACE, 1, MPI_INT, recv, 1, MPI_INT, ring), MPI_ERR_BUFFER, "IN_PLACE");
  EXPECT_REFUSED(MPI_Neighbor_allgather(nullptr, 1, MPI_INT, recv, 1, MPI_INT, ring), MPI_ERR_BUFFER, "sendbuf");
  EXPECT_REFUSED(MPI_Neighbor_alltoall(send, 1, MPI_INT, nullptr, 1, MPI_INT, ring), MPI_ERR_BUFFER, "recvbuf");
  EXPECT_REFUSED(MPI_Neighbor_alltoall(send, 1, MPI_INT, recv, 1, MPI_DATATYPE_NULL, ring), MPI_ERR_TYPE, "recvtype");
  EXPECT_REFUSED(MPI_Neighbor_allgatherv(send, 1, MPI_INT, recv, negative, displs, MPI_INT, ring), MPI_ERR_COUNT,
                 "recvcounts[1] is -1");
  EXPECT_REFUSED(MPI_Neighbor_allgatherv(send, 1, MPI_INT, recv, counts, nullptr, MPI_INT, ring), MPI_ERR_ARG,
                 "displs");
  EXPECT_REFUSED(MPI_Neighbor_alltoallv(send, negative, displs, MPI_INT, recv, counts, displs, MPI_INT, ring),
                 MPI_ERR_COUNT, "sendcounts[1] is -1");
  EXPECT_REFUSED(MPI_Neighbor_alltoallv(send, nullptr, displs, MPI_INT, recv, counts, displs, MPI_INT, ring),
                 MPI_ERR_ARG, "sendcounts");
  EXPECT_REFUSED(MPI_Neighbor_alltoallw(send, counts, bytes, wrong_types, recv, counts, bytes, types, ring),
                 MPI_ERR_TYPE, "sendtype");
  EXPECT_REFUSED(MPI_Neighbor_alltoallw(send, counts, bytes, types, recv, counts, bytes, nullptr, ring), MPI_ERR_ARG,
                 "recvtypes");
  EXPECT_REFUSED(MPI_Ineighbor_alltoall(send, 1, MPI_INT, recv, 1, MPI_INT, ring, nullptr), MPI_ERR_ARG, "request");
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  EXPECT_REFUSED(MPI_Neighbor_alltoall(send, 1, MPI_INT, recv, 1, MPI_INT, MPI_COMM_NULL), MPI_ERR_COMM, "comm");
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
  // Nothing of this has disturbed the communicator.
  EXPECT_MPI_OK(MPI_Neighbor_alltoall(send, 1, MPI_INT, recv, 1, MPI_INT, ring));
  EXPECT_EQ(recv[0], 2);
  EXPECT_EQ(recv[1], 1);
}

TEST_F(NeighboursRefuse, GraphsWithEdgesOneWay) {
  if (n < 2) GTEST_SKIP() << "needs 2 ranks";
  MPI_Comm graph;
  const int index[2] = {1, 1}, edges[1] = {1};
  ASSERT_MPI_OK(MPI_Graph_create(world, 2, index, edges, 0, &graph));
  if (graph == MPI_COMM_NULL) return;
  EXPECT_REFUSED(MPI_Neighbor_alltoall(send, 1, MPI_INT, recv, 1, MPI_INT, graph), MPI_ERR_TOPOLOGY,
                 "from rank 0 to rank 1 than back");
  ASSERT_MPI_OK(MPI_Comm_free(&graph));
}

// Neighbours that nobody has need no types.
TEST_F(NeighboursRefuse, NothingWhereThereIsNobody) {
  MPI_Comm alone;
  ASSERT_MPI_OK(MPI_Dist_graph_create_adjacent(world, 0, nullptr, MPI_UNWEIGHTED, 0, nullptr, MPI_UNWEIGHTED,
                                               MPI_INFO_NULL, 0, &alone));
  EXPECT_MPI_OK(MPI_Neighbor_alltoallw(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, alone));
  EXPECT_MPI_OK(MPI_Neighbor_alltoall(nullptr, 1, MPI_INT, nullptr, 1, MPI_INT, alone));
  EXPECT_MPI_OK(MPI_Neighbor_allgather(nullptr, 0, MPI_INT, nullptr, 0, MPI_INT, alone));
  ASSERT_MPI_OK(MPI_Comm_free(&alone));
}

}  // namespace
