// Buffers that begin at the same address, and whose types name other bytes from there on: MPI_BOTTOM with absolute
// addresses, or one stretch of memory of which one half is sent and the other received. Nothing is in place then, whatever
// the addresses say. Every collective that moves data, in each form, among all ranks and among neighbours.
#include <functional>
#include <string>
#include <vector>

#include "support/ranks.hpp"

namespace {

enum class Form { blocking, nonblocking, persistent };
constexpr Form forms[] = {Form::blocking, Form::nonblocking, Form::persistent};
constexpr int untouched = -1;

int number(int from, int to, int i) { return 1 + from * 1'000'003 + to * 10'007 + i * 7; }

// How the memory is shared: from which address it is named, and whether the two halves are interleaved.
struct Way {
  bool bottom;
  bool interleaved;
  int length;  // ints of a block
  int pieces;  // elements that a received block has
};

// One half of the memory as elements of `ints` ints, counted from `base`.
class Half {
 public:
  Half(std::vector<int>& memory, const Way& way, bool second, int ints) {
    const int step = way.interleaved ? 2 : 1;
    int* const first = memory.data() + (!second ? 0 : way.interleaved ? 1 : static_cast<int>(memory.size() / 2));
    base = way.bottom ? MPI_BOTTOM : memory.data();
    step_ = step, first_ = first;
    extent = ints * step * static_cast<int>(sizeof(int));
    MPI_Datatype some, placed;
    MPI_Aint to, from = 0;
    MPI_Get_address(first, &to);
    if (!way.bottom) MPI_Get_address(memory.data(), &from);
    const MPI_Aint at = MPI_Aint_diff(to, from);
    constexpr int one = 1;
    MPI_Type_vector(ints, 1, step, MPI_INT, &some);
    MPI_Type_create_struct(1, &one, &at, &some, &placed);
    MPI_Type_create_resized(placed, 0, extent, &type);
    MPI_Type_commit(&type);
    MPI_Type_free(&some);
    MPI_Type_free(&placed);
  }
  Half(const Half&) = delete;
  Half& operator=(const Half&) = delete;
  ~Half() { MPI_Type_free(&type); }
  int& at(int i) const { return first_[i * step_]; }

  void* base;
  MPI_Datatype type;
  int extent;

 private:
  int* first_;
  int step_;
};

// Both halves, and the arguments of collectives that have blocks of one length in order.
struct Buffers {
  Buffers(const Way& way, int blocks, int root)
      : memory(static_cast<std::size_t>(2 * blocks * way.length), untouched), out(memory, way, false, way.length),
        in(memory, way, true, way.length / way.pieces), pieces(way.pieces), me(ranks::rank()), n(blocks), root(root),
        ones(static_cast<std::size_t>(n), 1), counts(static_cast<std::size_t>(n), pieces),
        out_types(static_cast<std::size_t>(n), out.type), in_types(static_cast<std::size_t>(n), in.type) {
    for (int r = 0; r < n; ++r) {
      out_displs.push_back(r);
      in_displs.push_back(r * pieces);
      out_bytes.push_back(r * out.extent);
      in_bytes.push_back(r * pieces * in.extent);
    }
    out_addresses.assign(out_bytes.begin(), out_bytes.end());
    in_addresses.assign(in_bytes.begin(), in_bytes.end());
  }
  std::vector<int> memory;
  Half out, in;
  int pieces, me, n, root;
  std::vector<int> ones, counts, out_displs, in_displs, out_bytes, in_bytes;
  std::vector<MPI_Aint> out_addresses, in_addresses;
  std::vector<MPI_Datatype> out_types, in_types;
};

using Start = std::function<int(MPI_Request*)>;

struct Call {
  const char* name;
  bool sends_each, gets_each;  // a block for each rank, or one for all
  bool root_sends, root_gets;  // and nobody else
  std::function<int()> blocking;
  Start nonblocking, persistent;
};

// One collective as its three forms: the same arguments, with what the nonblocking and the persistent ones have more.
#define CALL(NAME, INAME, each_out, each_in, root_out, root_in, ...)                                   \
  Call {                                                                                               \
    #NAME, each_out, each_in, root_out, root_in, [&b, comm] { return MPI_##NAME(__VA_ARGS__, comm); }, \
        [&b, comm](MPI_Request* q) { return MPI_##INAME(__VA_ARGS__, comm, q); },                      \
        [&b, comm](MPI_Request* q) { return MPI_##NAME##_init(__VA_ARGS__, comm, MPI_INFO_NULL, q); }  \
  }

#define SENT b.out.base, 1, b.out.type
#define SENT_V b.out.base, b.ones.data(), b.out_displs.data(), b.out.type
#define SENT_W b.out.base, b.ones.data(), b.out_bytes.data(), b.out_types.data()
#define SENT_NW b.out.base, b.ones.data(), b.out_addresses.data(), b.out_types.data()
#define GOT b.in.base, b.pieces, b.in.type
#define GOT_V b.in.base, b.counts.data(), b.in_displs.data(), b.in.type
#define GOT_W b.in.base, b.counts.data(), b.in_bytes.data(), b.in_types.data()
#define GOT_NW b.in.base, b.counts.data(), b.in_addresses.data(), b.in_types.data()

std::vector<Call> among_all(const Buffers& b, MPI_Comm comm) {
  return {CALL(Gather, Igather, false, true, false, true, SENT, GOT, b.root),
          CALL(Gatherv, Igatherv, false, true, false, true, SENT, GOT_V, b.root),
          CALL(Scatter, Iscatter, true, false, true, false, SENT, GOT, b.root),
          CALL(Scatterv, Iscatterv, true, false, true, false, SENT_V, GOT, b.root),
          CALL(Allgather, Iallgather, false, true, false, false, SENT, GOT),
          CALL(Allgatherv, Iallgatherv, false, true, false, false, SENT, GOT_V),
          CALL(Alltoall, Ialltoall, true, true, false, false, SENT, GOT),
          CALL(Alltoallv, Ialltoallv, true, true, false, false, SENT_V, GOT_V),
          CALL(Alltoallw, Ialltoallw, true, true, false, false, SENT_W, GOT_W)};
}

std::vector<Call> among_neighbours(const Buffers& b, MPI_Comm comm) {
  return {CALL(Neighbor_allgather, Ineighbor_allgather, false, true, false, false, SENT, GOT),
          CALL(Neighbor_allgatherv, Ineighbor_allgatherv, false, true, false, false, SENT, GOT_V),
          CALL(Neighbor_alltoall, Ineighbor_alltoall, true, true, false, false, SENT, GOT),
          CALL(Neighbor_alltoallv, Ineighbor_alltoallv, true, true, false, false, SENT_V, GOT_V),
          CALL(Neighbor_alltoallw, Ineighbor_alltoallw, true, true, false, false, SENT_NW, GOT_NW)};
}

// What stands in the halves before, and what must stand there afterwards.
void fill(Buffers& b, const Call& call, int length) {
  for (int i = 0; i < b.n * length; ++i) b.in.at(i) = untouched;
  for (int r = 0; r < b.n; ++r)
    for (int i = 0; i < length; ++i) b.out.at(r * length + i) = number(b.me, call.sends_each ? r : 0, i);
}

void check(const Buffers& b, const Call& call, int length) {
  const bool gets = !call.root_gets || b.me == b.root;
  for (int r = 0; r < b.n; ++r) {
    const bool comes = gets && (call.gets_each || r == 0);
    for (int i = 0; i < length; ++i) {
      const int from = call.root_sends ? b.root : r, to = call.sends_each ? b.me : 0;
      ASSERT_EQ(b.in.at(r * length + i), comes ? number(from, to, i) : untouched) << "int " << i << " of block " << r;
      ASSERT_EQ(b.out.at(r * length + i), number(b.me, call.sends_each ? r : 0, i)) << "what was sent has changed";
    }
  }
}

int perform(const Call& call, Form form, MPI_Request& request) {
  if (form == Form::blocking) return call.blocking();
  const int error = form == Form::nonblocking ? call.nonblocking(&request) : MPI_Start(&request);
  return error ? error : MPI_Wait(&request, MPI_STATUS_IGNORE);
}

void run(Buffers& b, const Call& call, Form form, int length) {
  const bool persistent = form == Form::persistent;
  MPI_Request request = MPI_REQUEST_NULL;
  if (persistent) {
    ASSERT_MPI_OK(call.persistent(&request));
  }
  for (int i = 0; i < (persistent ? 2 : 1); ++i) {
    fill(b, call, length);
    ASSERT_MPI_OK(perform(call, form, request));
    check(b, call, length);
  }
  if (persistent) {
    ASSERT_MPI_OK(MPI_Request_free(&request));
  }
}

// So that nobody waits for one that has given up.
bool somebody_failed(MPI_Comm comm) {
  const int own = testing::Test::HasFailure();
  int all = 0;
  MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MAX, comm);
  return all != 0;
}

using Calls = std::vector<Call> (*)(const Buffers&, MPI_Comm);

void each_way(Calls calls, MPI_Comm comm) {
  const int n = ranks::count(comm);
  for (const int length : {2, 300, 20'000})
    for (const bool bottom : {true, false})
      for (const bool interleaved : {false, true})
        for (const int pieces : {1, 2}) {
          const int root = pieces == 1 ? 0 : n - 1;
          Buffers b({bottom, interleaved, length, pieces}, n, root);
          for (const Call& call : calls(b, comm))
            for (const Form form : forms) {
              SCOPED_TRACE(std::string(call.name) + (bottom ? " from MPI_BOTTOM, " : " in one buffer, ") +
                           (interleaved ? "interleaved, " : "half and half, ") + std::to_string(length) + " ints in " +
                           std::to_string(pieces) + ", root " + std::to_string(root) + ", form " +
                           std::to_string(static_cast<int>(form)));
              run(b, call, form, length);
            }
          if (somebody_failed(comm)) return;
        }
}

TEST(SameAddress, AmongAll) { each_way(among_all, MPI_COMM_WORLD); }

// Every rank is everybody's neighbour, its own as well.
TEST(SameAddress, AmongNeighbours) {
  std::vector<int> all;
  for (int r = 0; r < ranks::count(); ++r) all.push_back(r);
  MPI_Comm graph;
  ASSERT_MPI_OK(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, ranks::count(), all.data(), MPI_UNWEIGHTED,
                                               ranks::count(), all.data(), MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &graph));
  each_way(among_neighbours, graph);
  MPI_Comm_free(&graph);
}

// Messages of a rank to itself.
TEST(SameAddress, ToOneself) {
  for (const int length : {2, 300, 20'000})
    for (const bool bottom : {true, false})
      for (const bool interleaved : {false, true})
        for (const int pieces : {1, 2}) {
          Buffers b({bottom, interleaved, length, pieces}, 1, 0);
          const Call call{
              "Sendrecv", true,
              true,       false,
              false,      [&b] {
                            return MPI_Sendrecv(SENT, b.me, 5, GOT, b.me, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE); },
              {},         {}};
          fill(b, call, length);
          ASSERT_MPI_OK(call.blocking());
          for (int i = 0; i < length; ++i) ASSERT_EQ(b.in.at(i), number(b.me, 0, i));
        }
}

}  // namespace
