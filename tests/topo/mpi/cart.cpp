// Cartesian communicators: what the calls answer, and what they refuse.
#include <algorithm>
#include <numeric>

#include "topo/mpi/refused.hpp"

namespace {

using Ints = std::vector<int>;

int product(const Ints& numbers) { return std::accumulate(numbers.begin(), numbers.end(), 1, std::multiplies<>()); }

// Grids of at most so many places, of one to three dimensions.
std::vector<Ints> grids(int most) {
  std::vector<Ints> out{{}};
  for (int a = 1; a <= most; ++a) {
    out.push_back({a});
    for (int b = 1; a * b <= most; ++b) {
      out.push_back({a, b});
      for (int c = 1; a * b * c <= most && c <= 2; ++c) out.push_back({a, b, c});
    }
  }
  return out;
}

Ints coords_of(const Ints& dims, int rank) {
  Ints out(dims.size());
  for (std::size_t d = dims.size(); d-- > 0; rank /= dims[d]) out[d] = rank % dims[d];
  return out;
}

// All that can be asked of a grid.
void check_grid(MPI_Comm grid, const Ints& dims, const Ints& periods) {
  const int n = static_cast<int>(dims.size()), me = ranks::rank(grid);
  EXPECT_EQ(ranks::count(grid), product(dims));
  EXPECT_EQ(topology_of(grid), MPI_CART);
  int number = -1;
  ASSERT_MPI_OK(MPI_Cartdim_get(grid, &number));
  EXPECT_EQ(number, n);
  Ints got_dims(dims.size() + 1, -7), got_periods = got_dims, got_coords = got_dims, coords = got_dims;
  ASSERT_MPI_OK(MPI_Cart_get(grid, n + 1, got_dims.data(), got_periods.data(), got_coords.data()));
  Ints wanted_dims = dims, wanted_periods = periods, wanted_coords = coords_of(dims, me);
  for (Ints* list : {&wanted_dims, &wanted_periods, &wanted_coords}) list->push_back(-7);  // beyond the end: untouched
  EXPECT_EQ(got_dims, wanted_dims);
  EXPECT_EQ(got_periods, wanted_periods);
  EXPECT_EQ(got_coords, wanted_coords);
  for (int r = 0; r < ranks::count(grid); ++r) {
    int back = -1;
    ASSERT_MPI_OK(MPI_Cart_coords(grid, r, n, coords.data()));
    for (int d = 0; d < n; ++d)
      EXPECT_EQ(coords[static_cast<std::size_t>(d)], coords_of(dims, r)[static_cast<std::size_t>(d)]);
    ASSERT_MPI_OK(MPI_Cart_rank(grid, coords.data(), &back));
    EXPECT_EQ(back, r);
  }
}

// The rank `by` steps away, computed from the coordinates.
int expected_shift(const Ints& dims, const Ints& periods, int me, std::size_t d, int by) {
  Ints coords = coords_of(dims, me);
  const int to = coords[d] + by;
  if (!periods[d] && (to < 0 || to >= dims[d])) return MPI_PROC_NULL;
  coords[d] = ((to % dims[d]) + dims[d]) % dims[d];
  int rank = 0;
  for (std::size_t i = 0; i < dims.size(); ++i) rank = rank * dims[i] + coords[i];
  return rank;
}

TEST(Cart, EveryGrid) {
  const int n = ranks::count();
  for (const Ints& dims : grids(n)) {
    Ints periods(dims.size());
    for (std::size_t d = 0; d < dims.size(); ++d) periods[d] = (dims[d] + static_cast<int>(d)) % 2;
    MPI_Comm grid;
    ASSERT_MPI_OK(
        MPI_Cart_create(MPI_COMM_WORLD, static_cast<int>(dims.size()), dims.data(), periods.data(), 0, &grid));
    ASSERT_EQ(grid != MPI_COMM_NULL, ranks::rank() < product(dims));
    if (grid == MPI_COMM_NULL) continue;
    EXPECT_EQ(ranks::rank(grid), ranks::rank());
    check_grid(grid, dims, periods);
    for (std::size_t d = 0; d < dims.size(); ++d)
      for (const int by : {0, 1, -1, 2, 5, -13, 2'000'000'000, -2'000'000'000}) {
        int source = -1, destination = -1;
        ASSERT_MPI_OK(MPI_Cart_shift(grid, static_cast<int>(d), by, &source, &destination));
        if (by > 1'000 || by < -1'000) {
          EXPECT_EQ(source == MPI_PROC_NULL, !periods[d]);
          continue;
        }
        EXPECT_EQ(source, expected_shift(dims, periods, ranks::rank(grid), d, -by));
        EXPECT_EQ(destination, expected_shift(dims, periods, ranks::rank(grid), d, by));
      }
    ASSERT_MPI_OK(MPI_Comm_free(&grid));
  }
}

// Reordered or not, coordinates belong to the new ranks, and messages reach them.
TEST(Cart, ReorderedGridsAreGrids) {
  const int n = ranks::count();
  Ints dims(2), periods{1, 0};
  ASSERT_MPI_OK(MPI_Dims_create(n, 2, dims.data()));
  MPI_Comm grid;
  ASSERT_MPI_OK(MPI_Cart_create(MPI_COMM_WORLD, 2, dims.data(), periods.data(), 1, &grid));
  ASSERT_NE(grid, MPI_COMM_NULL);
  check_grid(grid, dims, periods);
  int source, destination, got = -1;
  const int me = ranks::rank(grid);
  ASSERT_MPI_OK(MPI_Cart_shift(grid, 0, 1, &source, &destination));
  ASSERT_MPI_OK(MPI_Sendrecv(&me, 1, MPI_INT, destination, 1, &got, 1, MPI_INT, source, 1, grid, MPI_STATUS_IGNORE));
  EXPECT_EQ(got, source);
  // Every process has another rank.
  int sum = 0;
  ASSERT_MPI_OK(MPI_Allreduce(&me, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
  EXPECT_EQ(sum, n * (n - 1) / 2);
  ASSERT_MPI_OK(MPI_Comm_free(&grid));
}

TEST(Cart, RankOfCoordinatesOutside) {
  const int n = ranks::count();
  const Ints dims{n, 1}, periods{1, 0};
  MPI_Comm grid;
  const ranks::ReturningComm world;
  ASSERT_MPI_OK(MPI_Cart_create(world, 2, dims.data(), periods.data(), 0, &grid));
  int rank = -1;
  ASSERT_MPI_OK(MPI_Cart_rank(grid, Ints{-1, 0}.data(), &rank));
  EXPECT_EQ(rank, n - 1);
  ASSERT_MPI_OK(MPI_Cart_rank(grid, Ints{3 * n, 0}.data(), &rank));
  EXPECT_EQ(rank, 0);
  EXPECT_REFUSED(MPI_Cart_rank(grid, Ints{0, 1}.data(), &rank), MPI_ERR_ARG, "coords[1] is 1");
  EXPECT_REFUSED(MPI_Cart_rank(grid, Ints{0, -1}.data(), &rank), MPI_ERR_ARG, "not periodic");
  ASSERT_MPI_OK(MPI_Comm_free(&grid));
}

TEST(Cart, PartsOfAGrid) {
  const int n = ranks::count();
  Ints dims(3), periods{1, 0, 1};
  ASSERT_MPI_OK(MPI_Dims_create(n, 3, dims.data()));
  MPI_Comm grid;
  ASSERT_MPI_OK(MPI_Cart_create(MPI_COMM_WORLD, 3, dims.data(), periods.data(), 0, &grid));
  const Ints coords = coords_of(dims, ranks::rank(grid));
  for (int mask = 0; mask < 8; ++mask) {
    const Ints remain{mask & 1, mask & 2, mask & 4};
    Ints part_dims, part_periods, part_coords;
    for (std::size_t d = 0; d < 3; ++d)
      if (remain[d]) {
        part_dims.push_back(dims[d]);
        part_periods.push_back(periods[d]);
        part_coords.push_back(coords[d]);
      }
    MPI_Comm part;
    ASSERT_MPI_OK(MPI_Cart_sub(grid, remain.data(), &part));
    check_grid(part, part_dims, part_periods);
    EXPECT_EQ(coords_of(part_dims, ranks::rank(part)), part_coords);
    // Together are those that agree in the dimensions left out.
    int own = 0, sum = 0;
    for (std::size_t d = 0; d < 3; ++d) own = own * 100 + (remain[d] ? 0 : coords[d]);
    ASSERT_MPI_OK(MPI_Allreduce(&own, &sum, 1, MPI_INT, MPI_SUM, part));
    EXPECT_EQ(sum, own * ranks::count(part));
    MPI_Comm point;  // of a part without dimensions too
    const Ints none(3);
    ASSERT_MPI_OK(MPI_Cart_sub(part, none.data(), &point));
    check_grid(point, {}, {});
    ASSERT_MPI_OK(MPI_Comm_free(&point));
    ASSERT_MPI_OK(MPI_Comm_free(&part));
  }
  ASSERT_MPI_OK(MPI_Comm_free(&grid));
}

TEST(Cart, DuplicatesKeepTheGridAndPartsOfTheRanksDoNot) {
  const int n = ranks::count();
  const Ints dims{n}, periods{1};
  MPI_Comm grid, copy, late, hinted, part;
  ASSERT_MPI_OK(MPI_Cart_create(MPI_COMM_WORLD, 1, dims.data(), periods.data(), 0, &grid));
  ASSERT_MPI_OK(MPI_Comm_dup(grid, &copy));
  ASSERT_MPI_OK(MPI_Comm_dup_with_info(grid, MPI_INFO_NULL, &hinted));
  MPI_Request request;
  ASSERT_MPI_OK(MPI_Comm_idup(grid, &late, &request));
  ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
  ASSERT_MPI_OK(MPI_Comm_split(grid, 0, 0, &part));
  ASSERT_MPI_OK(MPI_Comm_free(&grid));
  for (MPI_Comm* comm : {&copy, &late, &hinted}) {
    check_grid(*comm, dims, periods);
    ASSERT_MPI_OK(MPI_Comm_free(comm));
  }
  EXPECT_EQ(topology_of(part), MPI_UNDEFINED);
  ASSERT_MPI_OK(MPI_Comm_free(&part));
  EXPECT_EQ(topology_of(MPI_COMM_WORLD), MPI_UNDEFINED);
}

TEST(Cart, MapPutsEveryRankOnce) {
  const int n = ranks::count(), me = ranks::rank();
  for (const int used : {n, n - 1}) {
    if (used == 0) continue;
    const Ints dims{used}, periods{0};
    int place = -1;
    ASSERT_MPI_OK(MPI_Cart_map(MPI_COMM_WORLD, 1, dims.data(), periods.data(), &place));
    Ints all(static_cast<std::size_t>(n));
    ASSERT_MPI_OK(MPI_Allgather(&place, 1, MPI_INT, all.data(), 1, MPI_INT, MPI_COMM_WORLD));
    EXPECT_EQ(all[static_cast<std::size_t>(me)], place);
    EXPECT_EQ(std::count(all.begin(), all.end(), int{MPI_UNDEFINED}), n - used);
    for (int k = 0; k < used; ++k) EXPECT_EQ(std::count(all.begin(), all.end(), k), 1);
  }
}

class CartRefuses : public testing::Test {
 protected:
  int n = ranks::count();
  ranks::ReturningComm world;
  MPI_Comm grid = MPI_COMM_NULL, made = MPI_COMM_NULL;
  int dims[2] = {n, 1}, periods[2] = {0, 0}, out[2], other[2], third[2];

  void SetUp() override { ASSERT_MPI_OK(MPI_Cart_create(world, 2, dims, periods, 0, &grid)); }
  void TearDown() override { ASSERT_MPI_OK(MPI_Comm_free(&grid)); }
};

TEST_F(CartRefuses, WrongGrids) {
  const int large[2] = {n, 2}, zero[2] = {n, 0}, huge[2] = {1 << 30, 1 << 30};
  EXPECT_REFUSED(MPI_Cart_create(world, 2, large, periods, 0, &made), MPI_ERR_DIMS, "a grid of");
  EXPECT_REFUSED(MPI_Cart_create(world, 2, huge, periods, 0, &made), MPI_ERR_DIMS, "a grid of");
  EXPECT_REFUSED(MPI_Cart_create(world, 2, zero, periods, 0, &made), MPI_ERR_DIMS, "dims[1] is 0");
  EXPECT_REFUSED(MPI_Cart_create(world, -1, dims, periods, 0, &made), MPI_ERR_DIMS, "ndims is -1");
  EXPECT_REFUSED(MPI_Cart_create(world, 2, nullptr, periods, 0, &made), MPI_ERR_ARG, "dims is a null pointer");
  EXPECT_REFUSED(MPI_Cart_create(world, 2, dims, nullptr, 0, &made), MPI_ERR_ARG, "periods");
  EXPECT_REFUSED(MPI_Cart_create(world, 2, dims, periods, 0, nullptr), MPI_ERR_ARG, "comm_cart");
  EXPECT_REFUSED(MPI_Cart_map(world, 2, large, periods, out), MPI_ERR_DIMS, "a grid of");
  EXPECT_REFUSED(MPI_Cart_map(world, 2, dims, periods, nullptr), MPI_ERR_ARG, "newrank");
  EXPECT_EQ(made, MPI_COMM_NULL);
}

TEST_F(CartRefuses, WrongQuestions) {
  EXPECT_REFUSED(MPI_Cart_get(grid, 1, out, other, third), MPI_ERR_ARG, "maxdims is 1");
  EXPECT_REFUSED(MPI_Cart_get(grid, 2, nullptr, other, third), MPI_ERR_ARG, "dims");
  EXPECT_REFUSED(MPI_Cart_coords(grid, n, 2, out), MPI_ERR_RANK, "does not exist");
  EXPECT_REFUSED(MPI_Cart_coords(grid, -1, 2, out), MPI_ERR_RANK, "rank -1");
  EXPECT_REFUSED(MPI_Cart_coords(grid, 0, 1, out), MPI_ERR_ARG, "maxdims is 1");
  EXPECT_REFUSED(MPI_Cart_coords(grid, 0, 2, nullptr), MPI_ERR_ARG, "coords");
  EXPECT_REFUSED(MPI_Cart_rank(grid, nullptr, out), MPI_ERR_ARG, "coords");
  EXPECT_REFUSED(MPI_Cart_rank(grid, out, nullptr), MPI_ERR_ARG, "rank");
  EXPECT_REFUSED(MPI_Cart_shift(grid, 2, 1, out, other), MPI_ERR_DIMS, "direction is 2");
  EXPECT_REFUSED(MPI_Cart_shift(grid, -1, 1, out, other), MPI_ERR_DIMS, "direction is -1");
  EXPECT_REFUSED(MPI_Cart_shift(grid, 0, 1, nullptr, other), MPI_ERR_ARG, "rank_source");
  EXPECT_REFUSED(MPI_Cart_sub(grid, nullptr, &made), MPI_ERR_ARG, "remain_dims");
  EXPECT_REFUSED(MPI_Cartdim_get(grid, nullptr), MPI_ERR_ARG, "ndims");
  EXPECT_REFUSED(MPI_Topo_test(grid, nullptr), MPI_ERR_ARG, "status");
}

TEST_F(CartRefuses, CommunicatorsWithoutAGrid) {
  EXPECT_REFUSED(MPI_Cartdim_get(world, out), MPI_ERR_TOPOLOGY, "Cartesian");
  EXPECT_REFUSED(MPI_Cart_get(world, 2, out, other, third), MPI_ERR_TOPOLOGY, "Cartesian");
  EXPECT_REFUSED(MPI_Cart_rank(world, out, other), MPI_ERR_TOPOLOGY, "Cartesian");
  EXPECT_REFUSED(MPI_Cart_coords(world, 0, 2, out), MPI_ERR_TOPOLOGY, "Cartesian");
  EXPECT_REFUSED(MPI_Cart_shift(world, 0, 1, out, other), MPI_ERR_TOPOLOGY, "Cartesian");
  EXPECT_REFUSED(MPI_Cart_sub(world, out, &made), MPI_ERR_TOPOLOGY, "Cartesian");
}

TEST_F(CartRefuses, NoCommunicators) {
  MPI_Comm freed;
  ASSERT_MPI_OK(MPI_Comm_dup(world, &freed));
  const MPI_Comm gone = freed;
  ASSERT_MPI_OK(MPI_Comm_free(&freed));
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  for (const MPI_Comm comm : {MPI_COMM_NULL, gone}) {
    EXPECT_REFUSED(MPI_Cart_create(comm, 2, dims, periods, 0, &made), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cart_map(comm, 2, dims, periods, out), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cart_sub(comm, out, &made), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cart_get(comm, 2, out, other, third), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cart_rank(comm, out, other), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cart_coords(comm, 0, 2, out), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cart_shift(comm, 0, 1, out, other), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Cartdim_get(comm, out), MPI_ERR_COMM, "comm");
    EXPECT_REFUSED(MPI_Topo_test(comm, out), MPI_ERR_COMM, "comm");
  }
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
}

TEST_F(CartRefuses, Intercommunicators) {
  if (n < 2) GTEST_SKIP() << "needs 2 ranks";
  const Bridge bridge;
  EXPECT_REFUSED(MPI_Cart_create(bridge, 0, dims, periods, 0, &made), MPI_ERR_COMM, "intercommunicator");
  EXPECT_REFUSED(MPI_Cart_map(bridge, 0, dims, periods, out), MPI_ERR_COMM, "intercommunicator");
  EXPECT_EQ(topology_of(bridge), MPI_UNDEFINED);
}

TEST(Dims, FillsWhatIsOpen) {
  const auto filled = [](int nodes, Ints dims) {
    EXPECT_MPI_OK(MPI_Dims_create(nodes, static_cast<int>(dims.size()), dims.data()));
    return dims;
  };
  // The standard's own examples.
  EXPECT_EQ(filled(6, {0, 0}), (Ints{3, 2}));
  EXPECT_EQ(filled(7, {0, 0}), (Ints{7, 1}));
  EXPECT_EQ(filled(6, {0, 3, 0}), (Ints{2, 3, 1}));
  EXPECT_EQ(filled(24, {0, 0, 0}), (Ints{4, 3, 2}));
  EXPECT_EQ(filled(24, {2, 0, 0}), (Ints{2, 4, 3}));
  EXPECT_EQ(filled(24, {4, 3, 2}), (Ints{4, 3, 2}));
  EXPECT_EQ(filled(5, {}), Ints{});
}

TEST(Dims, RefusesWhatDoesNotDivide) {
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  Ints dims{0, 3, 0};
  EXPECT_REFUSED(MPI_Dims_create(7, 3, dims.data()), MPI_ERR_DIMS, "not a multiple");
  EXPECT_EQ(dims, (Ints{0, 3, 0}));
  dims = {2, 3};
  EXPECT_REFUSED(MPI_Dims_create(12, 2, dims.data()), MPI_ERR_DIMS, "a grid of 6 places");
  dims = {-1, 0};
  EXPECT_REFUSED(MPI_Dims_create(12, 2, dims.data()), MPI_ERR_DIMS, "dims[0] is -1");
  EXPECT_REFUSED(MPI_Dims_create(0, 2, dims.data()), MPI_ERR_DIMS, "nnodes is 0");
  EXPECT_REFUSED(MPI_Dims_create(4, -2, dims.data()), MPI_ERR_DIMS, "ndims is -2");
  EXPECT_REFUSED(MPI_Dims_create(4, 2, nullptr), MPI_ERR_ARG, "dims");
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
}

}  // namespace
