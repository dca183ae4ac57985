// Every algorithm forced in turn, in the blocking, the nonblocking and the persistent form, in place or not, with plain
// and with derived types, against what each rank must end with.
#include <functional>

#include "coll/select/registry.hpp"
#include "support/ranks.hpp"

namespace {

using cow::coll::Algorithm;
using cow::coll::Collective;
using Ints = std::vector<int>;

constexpr int unused = -77;

int value(int rank, int i) { return rank * 10'007 + i * 3 + 1; }

// A type of two ints with a hole between them and one behind, or plain ints.
class Shape {
 public:
  explicit Shape(bool holes) : holes_(holes), type_(MPI_INT) {
    if (!holes) return;
    MPI_Datatype two;
    MPI_Type_vector(2, 1, 2, MPI_INT, &two);
    MPI_Type_create_resized(two, 0, 4 * sizeof(int), &type_);
    MPI_Type_commit(&type_);
    MPI_Type_free(&two);
  }
  ~Shape() {
    if (holes_) MPI_Type_free(&type_);
  }
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;
  MPI_Datatype type() const { return type_; }
  int ints(int count) const { return holes_ ? 2 * count : count; }    // of data in `count` elements
  int memory(int count) const { return holes_ ? 4 * count : count; }  // ints of memory that they take
  std::size_t place(int i) const { return static_cast<std::size_t>(holes_ ? i / 2 * 4 + i % 2 * 2 : i); }

  Ints blank(int count) const { return Ints(static_cast<std::size_t>(memory(count)), unused); }
  // Writes ints of data from element `at` on.
  template <class Value>
  void write(Ints& into, int at, int count, Value value) const {
    for (int i = 0; i < ints(count); ++i) into[static_cast<std::size_t>(memory(at)) + place(i)] = value(i);
  }

 private:
  bool holes_;
  MPI_Datatype type_;
};

// How a collective is called. Each of the three functions makes the same call in another form.
struct Forms {
  std::function<void()> reset;
  std::function<void()> check;
  template <class Blocking, class Nonblocking, class Persistent>
  void run(Blocking blocking, Nonblocking nonblocking, Persistent persistent) {
    reset();
    EXPECT_EQ(blocking(), MPI_SUCCESS);
    check();
    MPI_Request request = MPI_REQUEST_NULL;
    reset();
    EXPECT_EQ(nonblocking(&request), MPI_SUCCESS);
    EXPECT_EQ(MPI_Wait(&request, MPI_STATUS_IGNORE), MPI_SUCCESS);
    EXPECT_EQ(request, MPI_REQUEST_NULL);
    check();
    EXPECT_EQ(persistent(&request), MPI_SUCCESS);
    for (int i = 0; i < 2; ++i) {
      reset();
      EXPECT_EQ(MPI_Start(&request), MPI_SUCCESS);
      EXPECT_EQ(MPI_Wait(&request, MPI_STATUS_IGNORE), MPI_SUCCESS);
      check();
    }
    EXPECT_EQ(MPI_Request_free(&request), MPI_SUCCESS);
  }
};

// One case: everything that varies beside the algorithm.
struct Case {
  MPI_Comm comm;
  int me, n, root, count;
  bool in_place;
  const Shape& shape;
};

int block_length(const Case& c, int rank) { return (c.count * (rank % 3) + rank % 2 + 1) / 2; }

struct Blocks {
  Ints counts, displs;
  int total = 0;
  Blocks(const Case& c, int shift = 0) {
    for (int i = 0; i < c.n; ++i) {
      counts.push_back(block_length(c, i + shift));
      displs.push_back(++total);
      total += counts.back();
    }
    ++total;
  }
  int count(int i) const { return counts[static_cast<std::size_t>(i)]; }
  int place(int i) const { return displs[static_cast<std::size_t>(i)]; }
};

void barrier(const Case& c) {
  Forms forms{[] {}, [] {}};
  forms.run([&] { return MPI_Barrier(c.comm); }, [&](MPI_Request* r) { return MPI_Ibarrier(c.comm, r); },
            [&](MPI_Request* r) { return MPI_Barrier_init(c.comm, MPI_INFO_NULL, r); });
}

void bcast(const Case& c) {
  Ints buffer = c.shape.blank(c.count), expected = buffer;
  c.shape.write(expected, 0, c.count, [&](int i) { return value(c.root, i); });
  const Ints before = c.me == c.root ? expected : buffer;
  Forms forms{[&] { std::copy(before.begin(), before.end(), buffer.begin()); }, [&] { EXPECT_EQ(buffer, expected); }};
  forms.run([&] { return MPI_Bcast(buffer.data(), c.count, c.shape.type(), c.root, c.comm); },
            [&](MPI_Request* r) { return MPI_Ibcast(buffer.data(), c.count, c.shape.type(), c.root, c.comm, r); },
            [&](MPI_Request* r) {
              return MPI_Bcast_init(buffer.data(), c.count, c.shape.type(), c.root, c.comm, MPI_INFO_NULL, r);
            });
}

// Gather and allgather, with equal or uneven blocks: `everywhere` says who gets the result.
struct Gathering {
  const Case& c;
  bool everywhere;
  bool uneven;
  Blocks blocks;
  bool gets, in_place;
  int own, length;
  Ints send, recv, expected, before;

  Gathering(const Case& cs, bool all, bool given) : c(cs), everywhere(all), uneven(given), blocks(cs) {
    if (!uneven)
      for (int i = 0; i < c.n; ++i) {
        blocks.counts[static_cast<std::size_t>(i)] = c.count;
        blocks.displs[static_cast<std::size_t>(i)] = i * c.count;
      }
    if (!uneven) blocks.total = c.count * c.n;
    gets = everywhere || c.me == c.root;
    in_place = c.in_place && gets;
    own = blocks.count(c.me);
    send = c.shape.blank(own);
    c.shape.write(send, 0, own, [&](int i) { return value(c.me, i); });
    before = expected = recv = c.shape.blank(blocks.total);
    for (int r = 0; r < c.n; ++r)
      c.shape.write(expected, blocks.place(r), blocks.count(r), [&](int i) { return value(r, i); });
    if (in_place) c.shape.write(before, blocks.place(c.me), own, [&](int i) { return value(c.me, i); });
  }
  const void* from() const { return in_place ? MPI_IN_PLACE : send.data(); }
  Forms forms() {
    return {[this] { std::copy(before.begin(), before.end(), recv.begin()); },
            [this] { EXPECT_EQ(recv, gets ? expected : before); }};
  }
};

void gather(const Case& c) {
  Gathering g(c, false, false);
  const MPI_Datatype t = c.shape.type();
  g.forms().run(
      [&] { return MPI_Gather(g.from(), c.count, t, g.recv.data(), c.count, t, c.root, c.comm); },
      [&](MPI_Request* r) { return MPI_Igather(g.from(), c.count, t, g.recv.data(), c.count, t, c.root, c.comm, r); },
      [&](MPI_Request* r) {
        return MPI_Gather_init(g.from(), c.count, t, g.recv.data(), c.count, t, c.root, c.comm, MPI_INFO_NULL, r);
      });
}

void gatherv(const Case& c) {
  Gathering g(c, false, true);
  const MPI_Datatype t = c.shape.type();
  const int *n = g.blocks.counts.data(), *d = g.blocks.displs.data();
  g.forms().run(
      [&] { return MPI_Gatherv(g.from(), g.own, t, g.recv.data(), n, d, t, c.root, c.comm); },
      [&](MPI_Request* r) { return MPI_Igatherv(g.from(), g.own, t, g.recv.data(), n, d, t, c.root, c.comm, r); },
      [&](MPI_Request* r) {
        return MPI_Gatherv_init(g.from(), g.own, t, g.recv.data(), n, d, t, c.root, c.comm, MPI_INFO_NULL, r);
      });
}

void allgather(const Case& c) {
  Gathering g(c, true, false);
  const MPI_Datatype t = c.shape.type();
  g.forms().run(
      [&] { return MPI_Allgather(g.from(), c.count, t, g.recv.data(), c.count, t, c.comm); },
      [&](MPI_Request* r) { return MPI_Iallgather(g.from(), c.count, t, g.recv.data(), c.count, t, c.comm, r); },
      [&](MPI_Request* r) {
        return MPI_Allgather_init(g.from(), c.count, t, g.recv.data(), c.count, t, c.comm, MPI_INFO_NULL, r);
      });
}

void allgatherv(const Case& c) {
  Gathering g(c, true, true);
  const MPI_Datatype t = c.shape.type();
  const int *n = g.blocks.counts.data(), *d = g.blocks.displs.data();
  g.forms().run([&] { return MPI_Allgatherv(g.from(), g.own, t, g.recv.data(), n, d, t, c.comm); },
                [&](MPI_Request* r) { return MPI_Iallgatherv(g.from(), g.own, t, g.recv.data(), n, d, t, c.comm, r); },
                [&](MPI_Request* r) {
                  return MPI_Allgatherv_init(g.from(), g.own, t, g.recv.data(), n, d, t, c.comm, MPI_INFO_NULL, r);
                });
}

void scatter_blocks(const Case& c, bool uneven) {
  Gathering g(c, false, uneven);  // for its blocks
  const MPI_Datatype t = c.shape.type();
  const bool in_place = c.in_place && c.me == c.root;
  Ints all = c.shape.blank(g.blocks.total), got, blank = c.shape.blank(g.own), expected = blank;
  c.shape.write(all, 0, g.blocks.total, [&](int i) { return value(c.root, i); });
  const int first = c.shape.ints(g.blocks.place(c.me));
  c.shape.write(expected, 0, g.own, [&](int i) { return value(c.root, first + i); });
  got = blank;
  void* const into = in_place ? MPI_IN_PLACE : got.data();
  const int *n = g.blocks.counts.data(), *d = g.blocks.displs.data();
  Forms forms{[&] { std::copy(blank.begin(), blank.end(), got.begin()); },
              [&] { EXPECT_EQ(got, in_place ? blank : expected); }};
  if (uneven)
    forms.run([&] { return MPI_Scatterv(all.data(), n, d, t, into, g.own, t, c.root, c.comm); },
              [&](MPI_Request* r) { return MPI_Iscatterv(all.data(), n, d, t, into, g.own, t, c.root, c.comm, r); },
              [&](MPI_Request* r) {
                return MPI_Scatterv_init(all.data(), n, d, t, into, g.own, t, c.root, c.comm, MPI_INFO_NULL, r);
              });
  else
    forms.run([&] { return MPI_Scatter(all.data(), c.count, t, into, c.count, t, c.root, c.comm); },
              [&](MPI_Request* r) { return MPI_Iscatter(all.data(), c.count, t, into, c.count, t, c.root, c.comm, r); },
              [&](MPI_Request* r) {
                return MPI_Scatter_init(all.data(), c.count, t, into, c.count, t, c.root, c.comm, MPI_INFO_NULL, r);
              });
}

// What rank `from` has for rank `to`.
int cross(int from, int to, int i) { return value(from, 1000 * to + i); }

void alltoall(const Case& c) {
  const MPI_Datatype t = c.shape.type();
  Ints send = c.shape.blank(c.count * c.n), recv = send, expected = send, before = send;
  for (int r = 0; r < c.n; ++r) {
    c.shape.write(send, r * c.count, c.count, [&](int i) { return cross(c.me, r, i); });
    c.shape.write(expected, r * c.count, c.count, [&](int i) { return cross(r, c.me, i); });
  }
  if (c.in_place) before = send;
  const void* const from = c.in_place ? MPI_IN_PLACE : send.data();
  Forms forms{[&] { std::copy(before.begin(), before.end(), recv.begin()); }, [&] { EXPECT_EQ(recv, expected); }};
  forms.run([&] { return MPI_Alltoall(from, c.count, t, recv.data(), c.count, t, c.comm); },
            [&](MPI_Request* r) { return MPI_Ialltoall(from, c.count, t, recv.data(), c.count, t, c.comm, r); },
            [&](MPI_Request* r) {
              return MPI_Alltoall_init(from, c.count, t, recv.data(), c.count, t, c.comm, MPI_INFO_NULL, r);
            });
}

// MPI_Alltoallv, then MPI_Alltoallw with the same blocks. The block between two ranks has the same length both ways, so
// that it can be exchanged in place.
void alltoallv(const Case& c) {
  const MPI_Datatype t = c.shape.type();
  const Blocks blocks(c, c.me);
  Ints send = c.shape.blank(blocks.total), recv = send, expected = send, before = send;
  Ints bytes;
  const std::vector<MPI_Datatype> types(static_cast<std::size_t>(c.n), t);
  for (int r = 0; r < c.n; ++r) {
    c.shape.write(send, blocks.place(r), blocks.count(r), [&](int i) { return cross(c.me, r, i); });
    c.shape.write(expected, blocks.place(r), blocks.count(r), [&](int i) { return cross(r, c.me, i); });
    bytes.push_back(c.shape.memory(blocks.place(r)) * static_cast<int>(sizeof(int)));
  }
  if (c.in_place) before = send;
  const void* const from = c.in_place ? MPI_IN_PLACE : send.data();
  const int *n = blocks.counts.data(), *d = blocks.displs.data(), *b = bytes.data();
  const MPI_Datatype* const ts = types.data();
  Forms forms{[&] { std::copy(before.begin(), before.end(), recv.begin()); }, [&] { EXPECT_EQ(recv, expected); }};
  forms.run([&] { return MPI_Alltoallv(from, n, d, t, recv.data(), n, d, t, c.comm); },
            [&](MPI_Request* r) { return MPI_Ialltoallv(from, n, d, t, recv.data(), n, d, t, c.comm, r); },
            [&](MPI_Request* r) {
              return MPI_Alltoallv_init(from, n, d, t, recv.data(), n, d, t, c.comm, MPI_INFO_NULL, r);
            });
  forms.run([&] { return MPI_Alltoallw(from, n, b, ts, recv.data(), n, b, ts, c.comm); },
            [&](MPI_Request* r) { return MPI_Ialltoallw(from, n, b, ts, recv.data(), n, b, ts, c.comm, r); },
            [&](MPI_Request* r) {
              return MPI_Alltoallw_init(from, n, b, ts, recv.data(), n, b, ts, c.comm, MPI_INFO_NULL, r);
            });
}

// Reductions: 2 x 2 matrices over the integers modulo 2^32, whose product does not commute, in a type with holes; or
// sums.
struct Operand {
  bool product;
  MPI_Op op = MPI_SUM;
  MPI_Datatype type = MPI_UINT32_T;
  int words = 1;   // of data in an element
  int memory = 1;  // words of memory that an element takes

  explicit Operand(bool matrices) : product(matrices) {
    if (!matrices) return;
    words = 4;
    memory = 6;
    const int lengths[2] = {2, 2};
    const int places[2] = {0, 3};
    MPI_Datatype parts;
    MPI_Type_indexed(2, lengths, places, MPI_UINT32_T, &parts);
    MPI_Type_create_resized(parts, 0, 6 * sizeof(uint32_t), &type);
    MPI_Type_commit(&type);
    MPI_Type_free(&parts);
    MPI_Op_create(multiply, 0, &op);
  }
  ~Operand() {
    if (product) MPI_Type_free(&type);
    if (product) MPI_Op_free(&op);
  }
  static void multiply(void* left, void* right, int* n, MPI_Datatype*) {
    auto* a = static_cast<uint32_t*>(left);
    auto* b = static_cast<uint32_t*>(right);
    for (int i = 0; i < *n; ++i, a += 6, b += 6) {
      const uint32_t x[4] = {a[0] * b[0] + a[1] * b[3], a[0] * b[1] + a[1] * b[4], a[3] * b[0] + a[4] * b[3],
                             a[3] * b[1] + a[4] * b[4]};
      b[0] = x[0], b[1] = x[1], b[3] = x[2], b[4] = x[3];
    }
  }
  using Words = std::vector<uint32_t>;
  Words contribution(int rank, int first, int count) const {
    Words out(static_cast<std::size_t>(count * memory), 99);
    for (int i = 0; i < count * words; ++i) {
      const int at = product ? i / 4 * 6 + i % 4 + (i % 4 >= 2 ? 1 : 0) : i;
      out[static_cast<std::size_t>(at)] = static_cast<uint32_t>(value(rank, first * words + i));
    }
    return out;
  }
  // Over ranks 0 … last.
  Words fold(int last, int first, int count) const {
    Words out = contribution(last, first, count);
    for (int r = last - 1; r >= 0; --r) {
      Words left = contribution(r, first, count);
      if (product)
        multiply(left.data(), out.data(), &count, nullptr);
      else
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += left[i];
    }
    return out;
  }
};

void sums(const Case& c, Collective which, const Operand& o) {
  using Words = Operand::Words;
  const bool gets = which != Collective::reduce || c.me == c.root;
  const bool in_place = c.in_place && gets;
  Words send = o.contribution(c.me, 0, c.count);
  Words before = in_place ? send : Words(send.size(), 99), recv = before, expected = before;
  if (which == Collective::scan) expected = o.fold(c.me, 0, c.count);
  if (which == Collective::exscan && c.me > 0) expected = o.fold(c.me - 1, 0, c.count);
  if ((which == Collective::allreduce || which == Collective::reduce) && gets) expected = o.fold(c.n - 1, 0, c.count);
  const void* const from = in_place ? MPI_IN_PLACE : send.data();
  Forms forms{[&] { std::copy(before.begin(), before.end(), recv.begin()); },
              [&] {
                if (which == Collective::exscan && c.me == 0) return;  // undefined
                EXPECT_EQ(recv, expected);
              }};
  const auto run = [&](auto blocking, auto nonblocking, auto persistent) {
    forms.run(
        [&] { return blocking(from, recv.data(), c.count, o.type, o.op, c.comm); },
        [&](MPI_Request* r) { return nonblocking(from, recv.data(), c.count, o.type, o.op, c.comm, r); },
        [&](MPI_Request* r) { return persistent(from, recv.data(), c.count, o.type, o.op, c.comm, MPI_INFO_NULL, r); });
  };
  if (which == Collective::allreduce) run(MPI_Allreduce, MPI_Iallreduce, MPI_Allreduce_init);
  if (which == Collective::scan) run(MPI_Scan, MPI_Iscan, MPI_Scan_init);
  if (which == Collective::exscan) run(MPI_Exscan, MPI_Iexscan, MPI_Exscan_init);
  if (which == Collective::reduce)
    forms.run([&] { return MPI_Reduce(from, recv.data(), c.count, o.type, o.op, c.root, c.comm); },
              [&](MPI_Request* r) { return MPI_Ireduce(from, recv.data(), c.count, o.type, o.op, c.root, c.comm, r); },
              [&](MPI_Request* r) {
                return MPI_Reduce_init(from, recv.data(), c.count, o.type, o.op, c.root, c.comm, MPI_INFO_NULL, r);
              });
}

void reduce_scatter(const Case& c, bool uneven, const Operand& o) {
  using Words = Operand::Words;
  Ints counts;
  int total = 0, first = 0;
  for (int r = 0; r < c.n; ++r) {
    if (r == c.me) first = total;
    counts.push_back(uneven ? block_length(c, r) : c.count);
    total += counts.back();
  }
  const int own = counts[static_cast<std::size_t>(c.me)];
  Words send = o.contribution(c.me, 0, total);
  Words before = c.in_place ? send : Words(static_cast<std::size_t>(own * o.memory), 99), recv = before;
  const Words expected = o.fold(c.n - 1, first, own);
  const void* const from = c.in_place ? MPI_IN_PLACE : send.data();
  Forms forms{[&] { std::copy(before.begin(), before.end(), recv.begin()); },
              [&] { EXPECT_EQ(Words(recv.begin(), recv.begin() + own * o.memory), expected); }};
  if (uneven)
    forms.run(
        [&] { return MPI_Reduce_scatter(from, recv.data(), counts.data(), o.type, o.op, c.comm); },
        [&](MPI_Request* r) { return MPI_Ireduce_scatter(from, recv.data(), counts.data(), o.type, o.op, c.comm, r); },
        [&](MPI_Request* r) {
          return MPI_Reduce_scatter_init(from, recv.data(), counts.data(), o.type, o.op, c.comm, MPI_INFO_NULL, r);
        });
  else
    forms.run(
        [&] { return MPI_Reduce_scatter_block(from, recv.data(), own, o.type, o.op, c.comm); },
        [&](MPI_Request* r) { return MPI_Ireduce_scatter_block(from, recv.data(), own, o.type, o.op, c.comm, r); },
        [&](MPI_Request* r) {
          return MPI_Reduce_scatter_block_init(from, recv.data(), own, o.type, o.op, c.comm, MPI_INFO_NULL, r);
        });
}

void run_case(Collective which, const Case& c, const Operand& operand) {
  switch (which) {
    case Collective::barrier: return barrier(c);
    case Collective::bcast: return bcast(c);
    case Collective::gather: return gather(c);
    case Collective::gatherv: return gatherv(c);
    case Collective::scatter: return scatter_blocks(c, false);
    case Collective::scatterv: return scatter_blocks(c, true);
    case Collective::allgather: return allgather(c);
    case Collective::allgatherv: return allgatherv(c);
    case Collective::alltoall: return alltoall(c);
    case Collective::alltoallv: return alltoallv(c);
    case Collective::reduce:
    case Collective::allreduce:
    case Collective::scan:
    case Collective::exscan: return sums(c, which, operand);
    case Collective::reduce_scatter_block: return reduce_scatter(c, false, operand);
    case Collective::reduce_scatter: return reduce_scatter(c, true, operand);
    case Collective::neighbor_allgather:
    case Collective::neighbor_alltoall: return;  // tests/topo
  }
}

// The layouts of so many ranks.
std::vector<std::string> layouts(int n) {
  std::vector<std::string> out{"", "ring:" + std::to_string(n)};
  if (n == 4) out.insert(out.end(), {"torus:2x2", "hypercube:2"});
  if (n == 8) out.insert(out.end(), {"torus:4x2", "hypercube:3"});
  return out;
}

MPI_Comm comm_with(const char* coll, const std::string& layout) {
  MPI_Info info;
  MPI_Comm comm;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_coll", coll);
  if (!layout.empty()) MPI_Info_set(info, "cow_layout", layout.c_str());
  EXPECT_EQ(MPI_Comm_dup_with_info(MPI_COMM_WORLD, info, &comm), MPI_SUCCESS);
  MPI_Info_free(&info);
  return comm;
}

// Who shares a node, found by asking MPI.
cow::coll::Nodes nodes_of_world() {
  MPI_Comm node;
  EXPECT_EQ(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node), MPI_SUCCESS);
  std::uint32_t first = static_cast<std::uint32_t>(ranks::rank());
  EXPECT_EQ(MPI_Bcast(&first, 1, MPI_UINT32_T, 0, node), MPI_SUCCESS);
  EXPECT_EQ(MPI_Comm_free(&node), MPI_SUCCESS);
  std::vector<std::uint32_t> ids(static_cast<std::size_t>(ranks::count()));
  EXPECT_EQ(MPI_Allgather(&first, 1, MPI_UINT32_T, ids.data(), 1, MPI_UINT32_T, MPI_COMM_WORLD), MPI_SUCCESS);
  return cow::coll::Nodes(ids);
}

class Forced : public testing::TestWithParam<const Algorithm*> {};

TEST_P(Forced, EveryForm) {
  const Algorithm& a = *GetParam();
  const Collective which = a.collective;
  const int n = ranks::count();
  static const cow::coll::Nodes nodes = nodes_of_world();
  auto random = ranks::shared_random(static_cast<std::uint64_t>(GetParam() - cow::coll::algorithms().data()));
  for (const std::string& layout_text : layouts(n)) {
    cow::Layout layout;
    const std::string wrong = layout_text.empty() ? std::string() : cow::Layout::parse(layout_text, layout);
    ASSERT_EQ(wrong, "");
    if (!a.valid({n, 0, true, layout_text.empty() ? nullptr : &layout, &nodes})) continue;
    const std::string name = std::string(cow::coll::name_of(which)) + "=" + a.name;
    MPI_Comm comm = comm_with(name.c_str(), layout_text);
    for (const bool in_place : {false, true})
      for (const bool holes : {false, true}) {
        const Shape shape(holes);
        const Operand operand(holes);
        // Nothing, a few, or more than fits into one eager message.
        const int sizes[] = {0, ranks::pick(random, 1, 40), ranks::pick(random, 4200, 6000)};
        const int count = sizes[ranks::pick(random, 0, 2)];
        SCOPED_TRACE(name + " on " + layout_text + ", count " + std::to_string(count) + (in_place ? ", in place" : "") +
                     (holes ? ", derived" : ""));
        run_case(which, {comm, ranks::rank(), n, ranks::pick(random, 0, n - 1), count, in_place, shape}, operand);
      }
    MPI_Comm_free(&comm);
  }
}

std::vector<const Algorithm*> all() {
  std::vector<const Algorithm*> out;
  for (const Algorithm& a : cow::coll::algorithms()) out.push_back(&a);
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, Forced, testing::ValuesIn(all()), [](const auto& instance) {
  return std::string(cow::coll::name_of(instance.param->collective)) + "_" + instance.param->name;
});

}  // namespace
