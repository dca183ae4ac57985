// Every collective of an intercommunicator, in every form, with random types, lengths and roots, against what each rank
// must end with. What is not significant at a rank is null there.
#include "coll/mpi/mixed.hpp"

namespace {

using namespace mixed;

class AcrossForms : public testing::TestWithParam<Form> {
 protected:
  void SetUp() override {
    NEED_RANKS(2);
    const int n = ranks::count();
    side = ranks::rank() % 3 == 1;  // groups of different sizes
    ASSERT_MPI_OK(MPI_Comm_split(MPI_COMM_WORLD, side, 0, &part));
    ASSERT_MPI_OK(MPI_Intercomm_create(part, 0, MPI_COMM_WORLD, 1 - side, 3, &inter));
    me = ranks::rank(inter);
    local = ranks::count(inter);
    remote = n - local;
    for (int i = 0; i < 4; ++i) {
      shapes.push_back(std::make_unique<Shape>(random));
      multiple = std::lcm(multiple, shapes.back()->ints());
    }
  }
  void TearDown() override {
    if (inter == MPI_COMM_NULL) return;
    shapes.clear();
    MPI_Comm_free(&inter);
    MPI_Comm_free(&part);
  }

  struct Rooted {
    int side, rank, argument;
    bool is_root, takes_part;  // a rank of the other group
  };
  Rooted pick_root() {
    const int rooted = ranks::pick(random, 0, 1);
    const int rank = ranks::pick(random, 0, 1000) % (rooted == side ? local : remote);
    const bool here = rooted == side && rank == me;
    return {rooted, rank, rooted != side ? rank : here ? MPI_ROOT : MPI_PROC_NULL, here, rooted != side};
  }
  const Shape& shape() { return *shapes[static_cast<std::size_t>(ranks::pick(own, 0, 3))]; }
  int length() { return multiple * std::max(0, ranks::pick(random, -1, 90)); }
  // What rank `from` of a side has for rank `to` of the other: number i, and how many.
  int number(int of_side, int from, int to, int i) const {
    return value(job_number, of_side * 100 + from, to * 5000 + i);
  }
  int given(int of_side, int from, int to) const { return multiple * ((job_number + of_side + from * 3 + to) % 4); }

  // A buffer of one block for each rank of the other group, or none.
  std::unique_ptr<Buffer> blocks(bool any, const std::function<int(int)>& ints) {
    Ints lengths;
    for (int r = 0; any && r < remote; ++r) lengths.push_back(ints(r));
    return std::make_unique<Buffer>(shape(), lengths, &own);
  }

  template <class Call>
  void run(Call call) {
    for (job_number = 0; job_number < 12; ++job_number) {
      Job job;
      job.name = "number " + std::to_string(job_number);
      call(job);
      if (job.request != MPI_REQUEST_NULL) {
        EXPECT_MPI_OK(MPI_Wait(&job.request, MPI_STATUS_IGNORE));
      }
      if (job.persistent) {
        EXPECT_MPI_OK(MPI_Request_free(&job.request));
      }
      if (job.in) job.check();
    }
  }

  ranks::Random random = ranks::shared_random(5), own = ranks::own_random(6);
  MPI_Comm part = MPI_COMM_NULL, inter = MPI_COMM_NULL;
  int side = 0, me = 0, local = 0, remote = 0, multiple = 1, job_number = 0;
  std::vector<std::unique_ptr<Shape>> shapes;
};

INSTANTIATE_TEST_SUITE_P(All, AcrossForms, testing::Values(Form::blocking, Form::nonblocking, Form::persistent));

TEST_P(AcrossForms, Barrier) {
  run([&](Job& job) {
    call(
        job, GetParam(), [&] { return MPI_Barrier(inter); }, [&](MPI_Request* r) { return MPI_Ibarrier(inter, r); },
        [&](MPI_Request* r) { return MPI_Barrier_init(inter, MPI_INFO_NULL, r); });
  });
}

TEST_P(AcrossForms, Bcast) {
  run([&](Job& job) {
    const Rooted root = pick_root();
    const int ints = length();
    make_buffers(job, shape(), shape(), 0, 0, 0);
    job.in = std::make_unique<Buffer>(shape(), ints, root.is_root || root.takes_part);
    job.expected = std::make_unique<Buffer>(*job.in);
    if (root.is_root || root.takes_part)
      job.expected->fill(0, [&](int i) { return number(root.side, root.rank, 0, i); });
    if (root.is_root) job.in->memory = job.expected->memory;
    void* const data = job.in->data();
    const int n = job.in->count();
    const MPI_Datatype t = job.in->types.empty() ? MPI_DATATYPE_NULL : job.in->types[0];
    call(
        job, GetParam(), [&] { return MPI_Bcast(data, n, t, root.argument, inter); },
        [&](MPI_Request* r) { return MPI_Ibcast(data, n, t, root.argument, inter, r); },
        [&](MPI_Request* r) { return MPI_Bcast_init(data, n, t, root.argument, inter, MPI_INFO_NULL, r); });
  });
}

TEST_P(AcrossForms, Gather) {
  run([&](Job& job) {
    const Rooted root = pick_root();
    const int ints = length();
    const bool uneven = job_number % 2;
    const auto from_rank = [&](int r) { return uneven ? given(1 - root.side, r, 0) : ints; };
    job.out = std::make_unique<Buffer>(shape(), from_rank(me), root.takes_part);
    if (root.takes_part) job.out->fill(0, [&](int i) { return number(side, me, 0, i); });
    if (uneven)
      job.in = blocks(root.is_root, from_rank);
    else
      job.in = std::make_unique<Buffer>(shape(), ints, root.is_root ? remote : 0);
    job.expected = std::make_unique<Buffer>(*job.in);
    for (int r = 0; root.is_root && r < remote; ++r)
      job.expected->fill(r, [&](int i) { return number(1 - side, r, 0, i); });
    const void* const from = root.takes_part ? job.out->data() : nullptr;
    void* const to = root.is_root ? job.in->data() : nullptr;
    const int a = job.out->count(), b = job.in->count();
    const int *const n = root.is_root ? job.in->counts.data() : nullptr, *const d = root.is_root ? job.in->displs.data()
                                                                                                 : nullptr;
    const MPI_Datatype t = root.takes_part ? job.out->types[0] : MPI_DATATYPE_NULL;
    const MPI_Datatype u = root.is_root ? job.in->types[0] : MPI_DATATYPE_NULL;
    const int g = root.argument;
    if (uneven)
      call(
          job, GetParam(), [&] { return MPI_Gatherv(from, a, t, to, n, d, u, g, inter); },
          [&](MPI_Request* r) { return MPI_Igatherv(from, a, t, to, n, d, u, g, inter, r); },
          [&](MPI_Request* r) { return MPI_Gatherv_init(from, a, t, to, n, d, u, g, inter, MPI_INFO_NULL, r); });
    else
      call(
          job, GetParam(), [&] { return MPI_Gather(from, a, t, to, b, u, g, inter); },
          [&](MPI_Request* r) { return MPI_Igather(from, a, t, to, b, u, g, inter, r); },
          [&](MPI_Request* r) { return MPI_Gather_init(from, a, t, to, b, u, g, inter, MPI_INFO_NULL, r); });
  });
}

TEST_P(AcrossForms, Scatter) {
  run([&](Job& job) {
    const Rooted root = pick_root();
    const int ints = length();
    const bool uneven = job_number % 2;
    const auto to_rank = [&](int r) { return uneven ? given(root.side, root.rank, r) : ints; };
    if (uneven)
      job.out = blocks(root.is_root, to_rank);
    else
      job.out = std::make_unique<Buffer>(shape(), ints, root.is_root ? remote : 0);
    for (int r = 0; root.is_root && r < remote; ++r) job.out->fill(r, [&](int i) { return number(side, me, r, i); });
    job.in = std::make_unique<Buffer>(shape(), to_rank(me), root.takes_part);
    job.expected = std::make_unique<Buffer>(*job.in);
    if (root.takes_part) job.expected->fill(0, [&](int i) { return number(root.side, root.rank, me, i); });
    const void* const from = root.is_root ? job.out->data() : nullptr;
    void* const to = root.takes_part ? job.in->data() : nullptr;
    const int a = job.out->count(), b = job.in->count();
    const int *const n = root.is_root ? job.out->counts.data() : nullptr, *const d = root.is_root
                                                                                         ? job.out->displs.data()
                                                                                         : nullptr;
    const MPI_Datatype t = root.is_root ? job.out->types[0] : MPI_DATATYPE_NULL;
    const MPI_Datatype u = root.takes_part ? job.in->types[0] : MPI_DATATYPE_NULL;
    const int g = root.argument;
    if (uneven)
      call(
          job, GetParam(), [&] { return MPI_Scatterv(from, n, d, t, to, b, u, g, inter); },
          [&](MPI_Request* r) { return MPI_Iscatterv(from, n, d, t, to, b, u, g, inter, r); },
          [&](MPI_Request* r) { return MPI_Scatterv_init(from, n, d, t, to, b, u, g, inter, MPI_INFO_NULL, r); });
    else
      call(
          job, GetParam(), [&] { return MPI_Scatter(from, a, t, to, b, u, g, inter); },
          [&](MPI_Request* r) { return MPI_Iscatter(from, a, t, to, b, u, g, inter, r); },
          [&](MPI_Request* r) { return MPI_Scatter_init(from, a, t, to, b, u, g, inter, MPI_INFO_NULL, r); });
  });
}

// The two groups give each other vectors of different lengths.
TEST_P(AcrossForms, Allgather) {
  run([&](Job& job) {
    const int lengths[] = {length(), length()};
    const bool uneven = job_number % 2;
    const auto from_rank = [&](int of_side, int r) { return uneven ? given(of_side, r, 0) : lengths[of_side]; };
    job.out = std::make_unique<Buffer>(shape(), from_rank(side, me), 1);
    job.out->fill(0, [&](int i) { return number(side, me, 0, i); });
    if (uneven)
      job.in = blocks(true, [&](int r) { return from_rank(1 - side, r); });
    else
      job.in = std::make_unique<Buffer>(shape(), lengths[1 - side], remote);
    job.expected = std::make_unique<Buffer>(*job.in);
    for (int r = 0; r < remote; ++r) job.expected->fill(r, [&](int i) { return number(1 - side, r, 0, i); });
    const void* const from = job.out->data();
    void* const to = job.in->data();
    const int a = job.out->count(), b = job.in->count();
    const int *const n = job.in->counts.data(), *const d = job.in->displs.data();
    const MPI_Datatype t = job.out->types[0], u = job.in->types[0];
    if (uneven)
      call(
          job, GetParam(), [&] { return MPI_Allgatherv(from, a, t, to, n, d, u, inter); },
          [&](MPI_Request* r) { return MPI_Iallgatherv(from, a, t, to, n, d, u, inter, r); },
          [&](MPI_Request* r) { return MPI_Allgatherv_init(from, a, t, to, n, d, u, inter, MPI_INFO_NULL, r); });
    else
      call(
          job, GetParam(), [&] { return MPI_Allgather(from, a, t, to, b, u, inter); },
          [&](MPI_Request* r) { return MPI_Iallgather(from, a, t, to, b, u, inter, r); },
          [&](MPI_Request* r) { return MPI_Allgather_init(from, a, t, to, b, u, inter, MPI_INFO_NULL, r); });
  });
}

TEST_P(AcrossForms, Alltoall) {
  run([&](Job& job) {
    const int lengths[] = {length(), length()};
    const int kind = job_number % 3;  // equal blocks, given blocks, given blocks and types
    if (kind == 0) {
      job.out = std::make_unique<Buffer>(shape(), lengths[side], remote);
      job.in = std::make_unique<Buffer>(shape(), lengths[1 - side], remote);
    } else {
      job.out = blocks(true, [&](int r) { return given(side, me, r); });
      job.in = blocks(true, [&](int r) { return given(1 - side, r, me); });
    }
    job.expected = std::make_unique<Buffer>(*job.in);
    for (int r = 0; r < remote; ++r) {
      job.out->fill(r, [&](int i) { return number(side, me, r, i); });
      job.expected->fill(r, [&](int i) { return number(1 - side, r, me, i); });
    }
    const void* const from = job.out->data();
    void* const to = job.in->data();
    const int a = job.out->count(), b = job.in->count();
    const int *const n = job.out->counts.data(), *const m = job.in->counts.data();
    const int *const d = job.out->displs.data(), *const e = job.in->displs.data();
    const int *const x = job.out->bytes.data(), *const y = job.in->bytes.data();
    const MPI_Datatype *const ts = job.out->types.data(), *const us = job.in->types.data();
    const MPI_Datatype t = ts[0], u = us[0];
    if (kind == 0)
      call(
          job, GetParam(), [&] { return MPI_Alltoall(from, a, t, to, b, u, inter); },
          [&](MPI_Request* r) { return MPI_Ialltoall(from, a, t, to, b, u, inter, r); },
          [&](MPI_Request* r) { return MPI_Alltoall_init(from, a, t, to, b, u, inter, MPI_INFO_NULL, r); });
    else if (kind == 1)
      call(
          job, GetParam(), [&] { return MPI_Alltoallv(from, n, d, t, to, m, e, u, inter); },
          [&](MPI_Request* r) { return MPI_Ialltoallv(from, n, d, t, to, m, e, u, inter, r); },
          [&](MPI_Request* r) { return MPI_Alltoallv_init(from, n, d, t, to, m, e, u, inter, MPI_INFO_NULL, r); });
    else
      call(
          job, GetParam(), [&] { return MPI_Alltoallw(from, n, x, ts, to, m, y, us, inter); },
          [&](MPI_Request* r) { return MPI_Ialltoallw(from, n, x, ts, to, m, y, us, inter, r); },
          [&](MPI_Request* r) { return MPI_Alltoallw_init(from, n, x, ts, to, m, y, us, inter, MPI_INFO_NULL, r); });
  });
}

// Each group gets the sum of the other's vectors, in the order of its ranks.
TEST_P(AcrossForms, Reductions) {
  static const Shape plain;
  run([&](Job& job) {
    const Rooted root = pick_root();
    const int kind = job_number % 4;  // reduce, allreduce, reduce_scatter_block, reduce_scatter
    const auto op = static_cast<Operator>(ranks::pick(random, 0, 2));
    const Shape& element =
        op == Operator::exclusive_or ? plain : *shapes[static_cast<std::size_t>(ranks::pick(random, 0, 3))];
    const bool spread = kind >= 2, gives = kind != 0 || root.takes_part, gets = kind != 0 || root.is_root;
    const int whole = spread ? multiple * local * remote * 2 : length();
    // The block of this rank; uneven ones are half as long at rank 0, and the last takes the rest.
    const int even = whole / local;
    Ints lengths(static_cast<std::size_t>(local), even / element.ints());
    if (kind == 3 && local > 1)
      lengths.front() = even / 2 / element.ints(), lengths.back() = (even + even / 2) / element.ints();
    const int mine = spread ? lengths[static_cast<std::size_t>(me)] * element.ints() : whole;
    const int first = spread ? std::accumulate(lengths.begin(), lengths.begin() + me, 0) * element.ints() : 0;
    job.out = std::make_unique<Buffer>(element, gives ? whole : 0, 1);
    job.out->fill(0, [&](int i) { return operand(number(side, me, 0, i)); });
    job.in = std::make_unique<Buffer>(element, gets ? mine : 0, 1);
    job.expected = std::make_unique<Buffer>(*job.in);
    job.expected->fill(
        0, [&](int i) { return fold(op, remote, [&](int r) { return operand(number(1 - side, r, 0, first + i)); }); });
    const void* const from = gives ? job.out->data() : nullptr;
    void* const to = gets ? job.in->data() : nullptr;
    const MPI_Datatype t = element.type();
    const MPI_Op f = handle_of(op, element);
    const int n = mine / element.ints(), g = root.argument, *const c = lengths.data();
    if (kind == 0)
      call(
          job, GetParam(), [&] { return MPI_Reduce(from, to, n, t, f, g, inter); },
          [&](MPI_Request* r) { return MPI_Ireduce(from, to, n, t, f, g, inter, r); },
          [&](MPI_Request* r) { return MPI_Reduce_init(from, to, n, t, f, g, inter, MPI_INFO_NULL, r); });
    else if (kind == 1)
      call(
          job, GetParam(), [&] { return MPI_Allreduce(from, to, n, t, f, inter); },
          [&](MPI_Request* r) { return MPI_Iallreduce(from, to, n, t, f, inter, r); },
          [&](MPI_Request* r) { return MPI_Allreduce_init(from, to, n, t, f, inter, MPI_INFO_NULL, r); });
    else if (kind == 2)
      call(
          job, GetParam(), [&] { return MPI_Reduce_scatter_block(from, to, n, t, f, inter); },
          [&](MPI_Request* r) { return MPI_Ireduce_scatter_block(from, to, n, t, f, inter, r); },
          [&](MPI_Request* r) { return MPI_Reduce_scatter_block_init(from, to, n, t, f, inter, MPI_INFO_NULL, r); });
    else
      call(
          job, GetParam(), [&] { return MPI_Reduce_scatter(from, to, c, t, f, inter); },
          [&](MPI_Request* r) { return MPI_Ireduce_scatter(from, to, c, t, f, inter, r); },
          [&](MPI_Request* r) { return MPI_Reduce_scatter_init(from, to, c, t, f, inter, MPI_INFO_NULL, r); });
  });
}

}  // namespace
