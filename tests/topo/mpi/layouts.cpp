// The layout that collectives of a communicator go by, as MPI_Comm_get_info tells it. Run with COW_LAYOUT=mesh:2x4 on
// eight ranks, or without.
#include <cstdlib>

#include "topo/mpi/refused.hpp"

namespace {

std::string layout_of(MPI_Comm comm) {
  MPI_Info info;
  char text[64] = "";
  int length = sizeof text, flag = 0;
  EXPECT_MPI_OK(MPI_Comm_get_info(comm, &info));
  EXPECT_MPI_OK(MPI_Info_get_string(info, "cow_layout", &length, text, &flag));
  EXPECT_MPI_OK(MPI_Info_free(&info));
  return flag ? text : "";
}

MPI_Comm with_layout(MPI_Comm comm, const char* layout) {
  MPI_Info info;
  MPI_Comm out;
  EXPECT_MPI_OK(MPI_Info_create(&info));
  EXPECT_MPI_OK(MPI_Info_set(info, "cow_layout", layout));
  EXPECT_MPI_OK(MPI_Comm_dup_with_info(comm, info, &out));
  EXPECT_MPI_OK(MPI_Info_free(&info));
  return out;
}

// Collectives are right whatever the layout.
void check_sum(MPI_Comm comm) {
  const int me = ranks::rank(comm), n = ranks::count(comm);
  std::vector<int> send(5'000, me + 1), recv(send.size());
  EXPECT_MPI_OK(MPI_Allreduce(send.data(), recv.data(), static_cast<int>(send.size()), MPI_INT, MPI_SUM, comm));
  EXPECT_EQ(recv, std::vector<int>(send.size(), n * (n + 1) / 2));
  EXPECT_MPI_OK(MPI_Bcast(send.data(), static_cast<int>(send.size()), MPI_INT, n - 1, comm));
  EXPECT_EQ(send.front(), n);
}

std::string of_the_job() {
  const char* text = std::getenv("COW_LAYOUT");
  return text ? text : "";
}

bool one_node() {
  MPI_Comm node;
  EXPECT_MPI_OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  const bool all = ranks::count(node) == ranks::count();
  EXPECT_MPI_OK(MPI_Comm_free(&node));
  return all;
}

TEST(Layouts, OfTheJob) {
  EXPECT_EQ(layout_of(MPI_COMM_WORLD), of_the_job());
  EXPECT_EQ(layout_of(MPI_COMM_SELF), "");
  check_sum(MPI_COMM_WORLD);
  // Those of its ranks in another order, and some of them, are wired otherwise.
  MPI_Comm turned;
  ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, 0, -ranks::rank(), &turned));
  if (ranks::count() > 1) {
    EXPECT_EQ(layout_of(turned), "");
  }
  check_sum(turned);
  ASSERT_MPI_OK(MPI_Comm_free(&turned));
}

TEST(Layouts, OfACommunicatorByInfo) {
  const std::string ring = "ring:" + std::to_string(ranks::count());
  MPI_Comm comm = with_layout(MPI_COMM_WORLD, ring.c_str());
  EXPECT_EQ(layout_of(comm), ring);
  check_sum(comm);
  MPI_Comm copy;  // hints are not copied
  ASSERT_MPI_OK(MPI_Comm_dup(comm, &copy));
  EXPECT_EQ(layout_of(copy), of_the_job());
  ASSERT_MPI_OK(MPI_Comm_free(&copy));
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
}

TEST(Layouts, OfAGrid) {
  const int n = ranks::count();
  const bool many = !one_node();
  for (const bool around : {true, false}) {
    int dims[2] = {0, 0};
    const int periods[2] = {around, around};
    ASSERT_MPI_OK(MPI_Dims_create(n, 2, dims));
    MPI_Comm grid;
    ASSERT_MPI_OK(MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 0, &grid));
    const std::string own = n == 8 ? (around ? "torus:4x2" : "mesh:4x2") : n == 4 ? "hypercube:2" : "";
    // The ranks are those of the world in their order: what is said of the job goes first.
    const std::string by_itself = !of_the_job().empty() ? of_the_job() : many ? own : "";
    if (n == 4 || n == 8) {
      EXPECT_EQ(layout_of(grid), by_itself);
    }
    check_sum(grid);
    MPI_Comm asked = with_layout(grid, "cart");
    if (n == 4 || n == 8) {
      EXPECT_EQ(layout_of(asked), own);
    }
    check_sum(asked);
    ASSERT_MPI_OK(MPI_Comm_free(&asked));
    ASSERT_MPI_OK(MPI_Comm_free(&grid));
  }
}

// `reorder` lays a grid along the job's wires: neighbours are one link apart. So are those of its rows.
TEST(Layouts, AGridAlongTheWiresOfTheJob) {
  if (of_the_job() != "mesh:2x4") GTEST_SKIP() << "needs COW_LAYOUT=mesh:2x4";
  const int dims[2] = {4, 2}, periods[2] = {0, 0}, rows[2] = {1, 0};
  MPI_Comm grid, row;
  ASSERT_MPI_OK(MPI_Cart_create(MPI_COMM_WORLD, 2, dims, periods, 1, &grid));
  int place = ranks::rank(), others[4] = {-1, -1, -1, -1};
  ASSERT_MPI_OK(MPI_Neighbor_allgather(&place, 1, MPI_INT, others, 1, MPI_INT, grid));
  for (const int other : others)
    if (other >= 0) {
      EXPECT_EQ(std::abs(place / 4 - other / 4) + std::abs(place % 4 - other % 4), 1) << place << " and " << other;
    }
  EXPECT_EQ(layout_of(grid), "mesh:4x2");
  check_sum(grid);
  ASSERT_MPI_OK(MPI_Cart_sub(grid, rows, &row));
  EXPECT_EQ(layout_of(row), "mesh:4");
  check_sum(row);
  ASSERT_MPI_OK(MPI_Comm_free(&row));
  ASSERT_MPI_OK(MPI_Comm_free(&grid));
}

TEST(Layouts, WrongOnesAreRefusedByTheFirstCollective) {
  const ranks::ReturningComm world;
  for (const auto& [layout, word] : {std::pair{"torus:7x11", "it would fit: torus:"},
                                     {"hypercube:9", "it would fit: hypercube:"},
                                     {"circle:3", "expected switch, ring:N"},
                                     {"cart", "no Cartesian topology"}}) {
    MPI_Comm comm = with_layout(world, layout);
    EXPECT_REFUSED(MPI_Barrier(comm), MPI_ERR_OTHER, word);
    ASSERT_MPI_OK(MPI_Comm_free(&comm));
  }
}

}  // namespace
