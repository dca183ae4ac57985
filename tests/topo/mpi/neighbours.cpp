// Neighbourhood collectives in all forms and both widths, on all kinds of topology, against messages sent by hand.
#include <algorithm>
#include <map>

#include "topo/mpi/refused.hpp"

namespace {

using Ints = std::vector<int>;
using Larges = std::vector<MPI_Count>;
using Aints = std::vector<MPI_Aint>;

constexpr int unused = -77;

// A communicator with a topology, and what this rank should find in it: for each slot the neighbour, and a number by
// which the two ends of an edge know each other.
struct Hood {
  MPI_Comm comm = MPI_COMM_NULL;
  std::string name;
  Ints sources, source_keys, destinations, destination_keys;

  Hood() = default;
  Hood(const Hood&) = delete;
  Hood& operator=(const Hood&) = delete;
  ~Hood() {
    if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
  }
  std::size_t in() const { return sources.size(); }
  std::size_t out() const { return destinations.size(); }
};

// Any edges, also from a rank to itself and several between the same two.
void make_dist_graph(Hood& hood, ranks::Random& random, int most) {
  const int n = ranks::count();
  const int count = ranks::pick(random, 0, most);
  std::vector<std::pair<int, int>> edges;
  for (int e = 0; e < count; ++e) {
    const int from = ranks::pick(random, 0, n - 1);
    edges.emplace_back(from, ranks::pick(random, 0, n - 1));
  }
  const bool reorder = ranks::pick(random, 0, 1);
  const auto sides = [&](int me) {
    hood.sources.clear(), hood.source_keys.clear(), hood.destinations.clear(), hood.destination_keys.clear();
    for (int e = 0; e < count; ++e) {
      const auto [from, to] = edges[static_cast<std::size_t>(e)];
      if (to == me) hood.sources.push_back(from), hood.source_keys.push_back(e);
      if (from == me) hood.destinations.push_back(to), hood.destination_keys.push_back(e);
    }
  };
  sides(ranks::rank());
  ASSERT_MPI_OK(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, static_cast<int>(hood.in()), hood.sources.data(),
                                               MPI_UNWEIGHTED, static_cast<int>(hood.out()), hood.destinations.data(),
                                               MPI_UNWEIGHTED, MPI_INFO_NULL, reorder, &hood.comm));
  sides(ranks::rank(hood.comm));
  hood.name = "distributed graph of " + std::to_string(count) + " edges";
}

// Symmetric, as neighbourhood collectives need; slots in no particular order.
void make_graph(Hood& hood, ranks::Random& random) {
  const int nodes = ranks::pick(random, 1, ranks::count());
  std::vector<Ints> lists(static_cast<std::size_t>(nodes));
  for (int e = ranks::pick(random, 0, 2 * nodes); e > 0; --e) {
    const auto a = static_cast<std::size_t>(ranks::pick(random, 0, nodes - 1));
    const auto b = static_cast<std::size_t>(ranks::pick(random, 0, nodes - 1));
    lists[a].push_back(static_cast<int>(b));
    if (a != b) lists[b].push_back(static_cast<int>(a));
  }
  Ints index, edges;
  for (Ints& list : lists) {
    std::shuffle(list.begin(), list.end(), random);
    edges.insert(edges.end(), list.begin(), list.end());
    index.push_back(static_cast<int>(edges.size()));
  }
  ASSERT_MPI_OK(MPI_Graph_create(MPI_COMM_WORLD, nodes, index.data(), edges.data(), 1, &hood.comm));
  hood.name = "graph of " + std::to_string(nodes) + " nodes";
  if (hood.comm == MPI_COMM_NULL) return;
  hood.sources = hood.destinations = lists[static_cast<std::size_t>(ranks::rank(hood.comm))];
  std::map<int, int> seen;
  for (const int neighbour : hood.sources) hood.source_keys.push_back(seen[neighbour]++);
  hood.destination_keys = hood.source_keys;
}

// What goes down in a dimension is received from above, and the other way round.
void make_grid(Hood& hood, const Ints& dims, const Ints& periods) {
  const int d = static_cast<int>(dims.size());
  ASSERT_MPI_OK(MPI_Cart_create(MPI_COMM_WORLD, d, dims.data(), periods.data(), 1, &hood.comm));
  hood.name = "grid " + testing::PrintToString(dims) + ", periods " + testing::PrintToString(periods);
  if (hood.comm == MPI_COMM_NULL) return;
  for (int i = 0; i < d; ++i) {
    int below, above;
    ASSERT_MPI_OK(MPI_Cart_shift(hood.comm, i, 1, &below, &above));
    for (const int neighbour : {below, above}) hood.destinations.push_back(neighbour);
    for (const int key : {2 * i, 2 * i + 1}) hood.destination_keys.push_back(key), hood.source_keys.push_back(key ^ 1);
  }
  hood.sources = hood.destinations;
}

// A type of ints, with holes or without.
class Shape {
 public:
  explicit Shape(int words) : words_(words) {
    if (words == 1) return;
    MPI_Datatype spread;
    MPI_Type_vector(words, 1, 2, MPI_INT, &spread);
    MPI_Type_create_resized(spread, 0, 2 * words * static_cast<int>(sizeof(int)), &type_);
    MPI_Type_commit(&type_);
    MPI_Type_free(&spread);
  }
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;
  ~Shape() {
    if (words_ > 1) MPI_Type_free(&type_);
  }
  MPI_Datatype type() const { return type_; }
  int memory() const { return words_ == 1 ? 1 : 2 * words_; }  // ints that an element takes
  int words() const { return words_; }

 private:
  int words_;
  MPI_Datatype type_ = MPI_INT;
};

// Blocks in a buffer, one a slot, with gaps between them.
struct Blocks {
  Ints counts, displs, bytes;  // displs: in elements; bytes: in bytes
  std::vector<MPI_Datatype> types;
  Larges large_counts;
  Aints large_displs, large_bytes;
  int memory = 0;

  void add(int count, const Shape& shape, int gap) {
    // Displacements of the v variants count elements, so that blocks begin at a multiple of them.
    const int at = (memory + shape.memory() - 1) / shape.memory() + gap;
    counts.push_back(count);
    displs.push_back(at);
    bytes.push_back(at * shape.memory() * static_cast<int>(sizeof(int)));
    types.push_back(shape.type());
    large_counts.push_back(count);
    large_displs.push_back(at);
    large_bytes.push_back(bytes.back());
    memory = (at + count) * shape.memory();
  }
};

// The length of the block on an edge, as both ends know it.
int length_of(int from, int to, int key, int round) {
  const auto mix = static_cast<unsigned>(from * 7 + to * 3 + key * 5 + round);
  return mix % 4 == 0 ? 0 : static_cast<int>(mix % 11) + (mix % 13 == 5 && round % 3 == 0 ? 3'000 : 0);
}

// What must stand in the receive buffer: the blocks, brought by plain messages.
Ints by_hand(const Hood& hood, const Ints& send, const Blocks& out, const Ints& blank, const Blocks& in) {
  Ints recv = blank;
  std::vector<MPI_Request> requests;
  MPI_Comm comm;
  EXPECT_MPI_OK(MPI_Comm_dup(hood.comm, &comm));
  for (std::size_t i = 0; i < hood.in(); ++i)
    EXPECT_MPI_OK(MPI_Irecv(recv.data() + in.bytes[i] / static_cast<int>(sizeof(int)), in.counts[i], in.types[i],
                            hood.sources[i], hood.source_keys[i], comm, &requests.emplace_back()));
  for (std::size_t j = 0; j < hood.out(); ++j)
    EXPECT_MPI_OK(MPI_Isend(send.data() + out.bytes[j] / static_cast<int>(sizeof(int)), out.counts[j], out.types[j],
                            hood.destinations[j], hood.destination_keys[j], comm, &requests.emplace_back()));
  EXPECT_MPI_OK(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE));
  EXPECT_MPI_OK(MPI_Comm_free(&comm));
  return recv;
}

class Neighbours : public testing::Test {
 protected:
  // A buffer of numbers that tell the rank and the place.
  static Ints numbers(const Hood& hood, int memory) {
    Ints out(static_cast<std::size_t>(memory) + 2);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = ranks::rank(hood.comm) * 100'003 + static_cast<int>(i);
    return out;
  }

  // The call in its three forms, each of which must bring `expected` into `recv`.
  template <class Blocking, class Begin, class Init>
  static void forms(const char* what, Ints& recv, const Ints& expected, Blocking blocking, Begin begin, Init init) {
    SCOPED_TRACE(what);
    const Ints before = recv;
    MPI_Request request = MPI_REQUEST_NULL;
    EXPECT_MPI_OK(blocking());
    EXPECT_EQ(recv, expected);
    recv = before;
    EXPECT_MPI_OK(begin(&request));
    EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(recv, expected);
    EXPECT_MPI_OK(init(MPI_INFO_NULL, &request));
    for (int i = 0; i < 2; ++i) {
      recv = before;
      EXPECT_MPI_OK(MPI_Start(&request));
      EXPECT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
      EXPECT_EQ(recv, expected);
    }
    EXPECT_MPI_OK(MPI_Request_free(&request));
    recv = before;
  }

  static void allgather(const Hood& h, int round) {
    // Equal blocks; a sender's elements may be cut otherwise than a receiver's.
    const Shape six(6), two(2);
    const int count = round % 4 == 0 ? 0 : round % 3 == 0 ? 700 : round % 4;
    Blocks out, in;
    for (std::size_t j = 0; j < h.out(); ++j)
      out.counts.push_back(count), out.bytes.push_back(0), out.types.push_back(six.type());
    for (std::size_t i = 0; i < h.in(); ++i) in.add(3 * count, two, 0);
    const Ints send = numbers(h, count * six.memory());
    const Ints blank(static_cast<std::size_t>(in.memory) + 2, unused);
    const Ints expected = by_hand(h, send, out, blank, in);
    Ints recv = blank;
    const MPI_Datatype st = six.type(), rt = two.type();
    const int rc = 3 * count;
    forms(
        "allgather", recv, expected,
        [&] { return MPI_Neighbor_allgather(send.data(), count, st, recv.data(), rc, rt, h.comm); },
        [&](MPI_Request* r) { return MPI_Ineighbor_allgather(send.data(), count, st, recv.data(), rc, rt, h.comm, r); },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_allgather_init(send.data(), count, st, recv.data(), rc, rt, h.comm, info, r);
        });
    forms(
        "allgather_c", recv, expected,
        [&] { return MPI_Neighbor_allgather_c(send.data(), count, st, recv.data(), rc, rt, h.comm); },
        [&](MPI_Request* r) {
          return MPI_Ineighbor_allgather_c(send.data(), count, st, recv.data(), rc, rt, h.comm, r);
        },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_allgather_init_c(send.data(), count, st, recv.data(), rc, rt, h.comm, info, r);
        });
  }

  static void allgatherv(const Hood& h, int round) {
    const Shape shape(round % 2 ? 1 : 3);
    const auto length = [&](int rank) { return length_of(rank, 0, 0, round); };
    const int count = length(ranks::rank(h.comm));
    Blocks out, in;
    for (std::size_t j = 0; j < h.out(); ++j)
      out.counts.push_back(count), out.bytes.push_back(0), out.types.push_back(shape.type());
    for (std::size_t i = 0; i < h.in(); ++i)
      in.add(h.sources[i] == MPI_PROC_NULL ? 2 : length(h.sources[i]), shape, static_cast<int>(i % 2));
    const Ints send = numbers(h, count * shape.memory());
    const Ints blank(static_cast<std::size_t>(in.memory) + 2, unused);
    const Ints expected = by_hand(h, send, out, blank, in);
    Ints recv = blank;
    const MPI_Datatype t = shape.type();
    const int *n = in.counts.data(), *d = in.displs.data();
    const MPI_Count* large_n = in.large_counts.data();
    const MPI_Aint* large_d = in.large_displs.data();
    forms(
        "allgatherv", recv, expected,
        [&] { return MPI_Neighbor_allgatherv(send.data(), count, t, recv.data(), n, d, t, h.comm); },
        [&](MPI_Request* r) {
          return MPI_Ineighbor_allgatherv(send.data(), count, t, recv.data(), n, d, t, h.comm, r);
        },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_allgatherv_init(send.data(), count, t, recv.data(), n, d, t, h.comm, info, r);
        });
    forms(
        "allgatherv_c", recv, expected,
        [&] { return MPI_Neighbor_allgatherv_c(send.data(), count, t, recv.data(), large_n, large_d, t, h.comm); },
        [&](MPI_Request* r) {
          return MPI_Ineighbor_allgatherv_c(send.data(), count, t, recv.data(), large_n, large_d, t, h.comm, r);
        },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_allgatherv_init_c(send.data(), count, t, recv.data(), large_n, large_d, t, h.comm, info,
                                                r);
        });
  }

  static void alltoall(const Hood& h, int round) {
    const Shape one(1), four(4);
    const int count = round % 5 == 0 ? 0 : round % 3 == 0 ? 1'100 : round % 5;
    Blocks out, in;
    for (std::size_t j = 0; j < h.out(); ++j) out.add(count, four, 0);
    for (std::size_t i = 0; i < h.in(); ++i) in.add(4 * count, one, 0);
    const Ints send = numbers(h, out.memory);
    const Ints blank(static_cast<std::size_t>(in.memory) + 2, unused);
    const Ints expected = by_hand(h, send, out, blank, in);
    Ints recv = blank;
    const MPI_Datatype st = four.type(), rt = one.type();
    const int rc = 4 * count;
    forms(
        "alltoall", recv, expected,
        [&] { return MPI_Neighbor_alltoall(send.data(), count, st, recv.data(), rc, rt, h.comm); },
        [&](MPI_Request* r) { return MPI_Ineighbor_alltoall(send.data(), count, st, recv.data(), rc, rt, h.comm, r); },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_alltoall_init(send.data(), count, st, recv.data(), rc, rt, h.comm, info, r);
        });
    forms(
        "alltoall_c", recv, expected,
        [&] { return MPI_Neighbor_alltoall_c(send.data(), count, st, recv.data(), rc, rt, h.comm); },
        [&](MPI_Request* r) {
          return MPI_Ineighbor_alltoall_c(send.data(), count, st, recv.data(), rc, rt, h.comm, r);
        },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_alltoall_init_c(send.data(), count, st, recv.data(), rc, rt, h.comm, info, r);
        });
  }

  // Blocks of every edge, of the shapes that shape(key) gives.
  template <class ShapeOf>
  static void lay_out(const Hood& h, int round, ShapeOf shape, Blocks& out, Blocks& in) {
    const int me = ranks::rank(h.comm);
    for (std::size_t j = 0; j < h.out(); ++j)
      out.add(length_of(me, h.destinations[j], h.destination_keys[j], round), shape(h.destination_keys[j]),
              static_cast<int>(j % 3));
    for (std::size_t i = 0; i < h.in(); ++i)
      in.add(length_of(h.sources[i], me, h.source_keys[i], round), shape(h.source_keys[i]), static_cast<int>(i % 2));
  }

  static void alltoallv(const Hood& h, int round) {
    const Shape shape(round % 2 ? 2 : 1);
    Blocks out, in;
    lay_out(h, round, [&](int) -> const Shape& { return shape; }, out, in);
    const Ints send = numbers(h, out.memory);
    const Ints blank(static_cast<std::size_t>(in.memory) + 2, unused);
    const Ints expected = by_hand(h, send, out, blank, in);
    Ints recv = blank;
    const void* const s = send.data();
    void* const v = recv.data();
    const MPI_Datatype t = shape.type();
    const int *sn = out.counts.data(), *sd = out.displs.data(), *rn = in.counts.data(), *rd = in.displs.data();
    const MPI_Count *lsn = out.large_counts.data(), *lrn = in.large_counts.data();
    const MPI_Aint *lsd = out.large_displs.data(), *lrd = in.large_displs.data();
    forms(
        "alltoallv", recv, expected, [&] { return MPI_Neighbor_alltoallv(s, sn, sd, t, v, rn, rd, t, h.comm); },
        [&](MPI_Request* r) { return MPI_Ineighbor_alltoallv(s, sn, sd, t, v, rn, rd, t, h.comm, r); },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_alltoallv_init(s, sn, sd, t, v, rn, rd, t, h.comm, info, r);
        });
    forms(
        "alltoallv_c", recv, expected, [&] { return MPI_Neighbor_alltoallv_c(s, lsn, lsd, t, v, lrn, lrd, t, h.comm); },
        [&](MPI_Request* r) { return MPI_Ineighbor_alltoallv_c(s, lsn, lsd, t, v, lrn, lrd, t, h.comm, r); },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_alltoallv_init_c(s, lsn, lsd, t, v, lrn, lrd, t, h.comm, info, r);
        });
  }

  static void alltoallw(const Hood& h, int round) {
    const Shape shapes[] = {Shape(1), Shape(2), Shape(5)};
    // The key of a grid's edge is its direction, which both ends number alike.
    Blocks out, in;
    lay_out(h, round, [&](int key) -> const Shape& { return shapes[key % 3]; }, out, in);
    const Ints send = numbers(h, out.memory);
    const Ints blank(static_cast<std::size_t>(in.memory) + 2, unused);
    const Ints expected = by_hand(h, send, out, blank, in);
    Ints recv = blank;
    const void* const s = send.data();
    void* const v = recv.data();
    const int *sn = out.counts.data(), *rn = in.counts.data();
    const MPI_Count *lsn = out.large_counts.data(), *lrn = in.large_counts.data();
    const MPI_Aint *sb = out.large_bytes.data(), *rb = in.large_bytes.data();
    const MPI_Datatype *st = out.types.data(), *rt = in.types.data();
    forms(
        "alltoallw", recv, expected, [&] { return MPI_Neighbor_alltoallw(s, sn, sb, st, v, rn, rb, rt, h.comm); },
        [&](MPI_Request* r) { return MPI_Ineighbor_alltoallw(s, sn, sb, st, v, rn, rb, rt, h.comm, r); },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_alltoallw_init(s, sn, sb, st, v, rn, rb, rt, h.comm, info, r);
        });
    forms(
        "alltoallw_c", recv, expected, [&] { return MPI_Neighbor_alltoallw_c(s, lsn, sb, st, v, lrn, rb, rt, h.comm); },
        [&](MPI_Request* r) { return MPI_Ineighbor_alltoallw_c(s, lsn, sb, st, v, lrn, rb, rt, h.comm, r); },
        [&](MPI_Info info, MPI_Request* r) {
          return MPI_Neighbor_alltoallw_init_c(s, lsn, sb, st, v, lrn, rb, rt, h.comm, info, r);
        });
  }

  static void check(const Hood& hood, int round) {
    if (hood.comm == MPI_COMM_NULL || HasFailure()) return;
    SCOPED_TRACE(hood.name + ", round " + std::to_string(round));
    allgather(hood, round);
    allgatherv(hood, round);
    alltoall(hood, round);
    alltoallv(hood, round);
    alltoallw(hood, round);
  }
};

TEST_F(Neighbours, OnDistributedGraphs) {
  ranks::Random random = ranks::shared_random(1);
  for (int round = 0; round < 12; ++round) {
    Hood hood;
    make_dist_graph(hood, random, 4 * ranks::count());
    check(hood, round);
  }
}

TEST_F(Neighbours, OnGraphs) {
  ranks::Random random = ranks::shared_random(2);
  for (int round = 0; round < 8; ++round) {
    Hood hood;
    make_graph(hood, random);
    check(hood, round);
  }
}

// One and two ranks around a dimension, borders, and no dimension at all.
TEST_F(Neighbours, OnGrids) {
  const int n = ranks::count();
  std::vector<Ints> grids{{}, {1}, {n}, {1, n}, {1, 1, 1}};
  if (n >= 2) grids.insert(grids.end(), {{2}, {2, 1}});
  if (n >= 4) grids.insert(grids.end(), {{2, 2}, {n / 2, 2}});
  if (n >= 8) grids.insert(grids.end(), {{2, 2, 2}, {4, 2, 1}});
  int round = 0;
  for (const Ints& dims : grids)
    for (const int pattern : {0, 7, 2}) {
      Ints periods;
      for (std::size_t d = 0; d < dims.size(); ++d) periods.push_back(pattern >> d & 1);
      Hood hood;
      make_grid(hood, dims, periods);
      check(hood, ++round);
    }
}

// Many at once on one communicator, completed in another order.
TEST_F(Neighbours, ManyAtOnce) {
  const int n = ranks::count();
  Hood hood;
  make_grid(hood, {n}, {1});
  constexpr int many = 50;
  std::vector<Ints> send, recv;
  std::vector<MPI_Request> requests(many);
  for (int i = 0; i < many; ++i) {
    send.push_back({ranks::rank(hood.comm) * 1'000 + 2 * i, ranks::rank(hood.comm) * 1'000 + 2 * i + 1});
    recv.push_back({unused, unused});
  }
  for (int i = 0; i < many; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_MPI_OK(MPI_Ineighbor_alltoall(send[at].data(), 1, MPI_INT, recv[at].data(), 1, MPI_INT, hood.comm,
                                         &requests[static_cast<std::size_t>(many - 1 - i)]));
  }
  ASSERT_MPI_OK(MPI_Waitall(many, requests.data(), MPI_STATUSES_IGNORE));
  for (int i = 0; i < many; ++i)
    EXPECT_EQ(recv[static_cast<std::size_t>(i)],
              (Ints{hood.sources[0] * 1'000 + 2 * i + 1, hood.sources[1] * 1'000 + 2 * i}));
}

}  // namespace
