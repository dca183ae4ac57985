// Random collectives on several communicators at once, in all three forms, with random types, counts, roots and
// algorithms, against what plain loops say each rank must end with.
#include "coll/mpi/mixed.hpp"

#include <cstdlib>

#include "coll/mpi/pieces.hpp"
#include "coll/select/registry.hpp"

namespace {

using cow::coll::Algorithm;
using namespace mixed;

void bcast(Job& job, const Setting& s, const Shape& in, int ints) {
  make_buffers(job, in, in, ints, 0, 1);
  job.expected->fill(0, [&](int i) { return value(s.id, s.root, i); });
  if (s.me == s.root) job.in->memory = job.expected->memory;
  Buffer& b = *job.in;
  call(
      job, s.form, [&] { return MPI_Bcast(b.data(), b.count(), in.type(), s.root, s.comm); },
      [&](MPI_Request* r) { return MPI_Ibcast(b.data(), b.count(), in.type(), s.root, s.comm, r); },
      [&](MPI_Request* r) { return MPI_Bcast_init(b.data(), b.count(), in.type(), s.root, s.comm, MPI_INFO_NULL, r); });
}

// Gather (at the root) or allgather.
void collect(Job& job, const Setting& s, const Shape& out, const Shape& in, int ints, bool everywhere) {
  const bool gets = everywhere || s.me == s.root;
  make_buffers(job, out, in, ints, 1, gets ? s.n : 0);
  job.out->fill(0, [&](int i) { return value(s.id, s.me, i); });
  for (int r = 0; gets && r < s.n; ++r) job.expected->fill(r, [&](int i) { return value(s.id, r, i); });
  const bool in_place = s.in_place && gets;
  if (in_place) job.in->fill(s.me, [&](int i) { return value(s.id, s.me, i); });
  const void* const from = in_place ? MPI_IN_PLACE : job.out->data();
  void* const to = job.in->data();
  const int a = job.out->count(), b = job.in->count();
  const MPI_Datatype t = out.type(), u = in.type();
  if (everywhere)
    call(
        job, s.form, [&] { return MPI_Allgather(from, a, t, to, b, u, s.comm); },
        [&](MPI_Request* r) { return MPI_Iallgather(from, a, t, to, b, u, s.comm, r); },
        [&](MPI_Request* r) { return MPI_Allgather_init(from, a, t, to, b, u, s.comm, MPI_INFO_NULL, r); });
  else
    call(
        job, s.form, [&] { return MPI_Gather(from, a, t, to, b, u, s.root, s.comm); },
        [&](MPI_Request* r) { return MPI_Igather(from, a, t, to, b, u, s.root, s.comm, r); },
        [&](MPI_Request* r) { return MPI_Gather_init(from, a, t, to, b, u, s.root, s.comm, MPI_INFO_NULL, r); });
}

void scatter(Job& job, const Setting& s, const Shape& out, const Shape& in, int ints) {
  make_buffers(job, out, in, ints, s.me == s.root ? s.n : 0, 1);
  for (int r = 0; s.me == s.root && r < s.n; ++r)
    job.out->fill(r, [&](int i) { return value(s.id, s.root, r * ints + i); });
  const bool in_place = s.in_place && s.me == s.root;
  if (!in_place) job.expected->fill(0, [&](int i) { return value(s.id, s.root, s.me * ints + i); });
  const void* const from = job.out->data();
  void* const to = in_place ? MPI_IN_PLACE : job.in->data();
  const int a = job.out->count(), b = job.in->count();
  const MPI_Datatype t = out.type(), u = in.type();
  call(
      job, s.form, [&] { return MPI_Scatter(from, a, t, to, b, u, s.root, s.comm); },
      [&](MPI_Request* r) { return MPI_Iscatter(from, a, t, to, b, u, s.root, s.comm, r); },
      [&](MPI_Request* r) { return MPI_Scatter_init(from, a, t, to, b, u, s.root, s.comm, MPI_INFO_NULL, r); });
}

void alltoall(Job& job, const Setting& s, const Shape& out, const Shape& in, int ints) {
  make_buffers(job, out, in, ints, s.n, s.n);
  for (int r = 0; r < s.n; ++r) {
    job.out->fill(r, [&](int i) { return value(s.id, s.me, r * ints + i); });
    job.expected->fill(r, [&](int i) { return value(s.id, r, s.me * ints + i); });
    if (s.in_place) job.in->fill(r, [&](int i) { return value(s.id, s.me, r * ints + i); });
  }
  const void* const from = s.in_place ? MPI_IN_PLACE : job.out->data();
  void* const to = job.in->data();
  const int a = job.out->count(), b = job.in->count();
  const MPI_Datatype t = out.type(), u = in.type();
  call(
      job, s.form, [&] { return MPI_Alltoall(from, a, t, to, b, u, s.comm); },
      [&](MPI_Request* r) { return MPI_Ialltoall(from, a, t, to, b, u, s.comm, r); },
      [&](MPI_Request* r) { return MPI_Alltoall_init(from, a, t, to, b, u, s.comm, MPI_INFO_NULL, r); });
}

void barrier(Job& job, const Setting& s) {
  static const Shape plain;
  make_buffers(job, plain, plain, 0, 0, 0);
  call(
      job, s.form, [&] { return MPI_Barrier(s.comm); }, [&](MPI_Request* r) { return MPI_Ibarrier(s.comm, r); },
      [&](MPI_Request* r) { return MPI_Barrier_init(s.comm, MPI_INFO_NULL, r); });
}

// All but those among neighbours, which tests/topo looks at.
constexpr int kinds = static_cast<int>(Collective::neighbor_allgather);

// An algorithm for each collective, and a layout: any of those that exist; where one does not apply it is passed over.
void set_hints(MPI_Comm comm, ranks::Random& random) {
  std::string names;
  for (int kind = 0; kind < kinds; ++kind) {
    const auto which = static_cast<Collective>(kind);
    std::vector<const char*> all;
    for (const Algorithm& a : cow::coll::algorithms())
      if (a.collective == which) all.push_back(a.name);
    const int chosen = ranks::pick(random, 0, static_cast<int>(all.size()) - 1);
    names += (names.empty() ? "" : ",") + std::string(name_of(which)) + "=" + all[static_cast<std::size_t>(chosen)];
  }
  const bool ring = ranks::pick(random, 0, 1) == 1;
  if (comm == MPI_COMM_NULL) return;  // what is picked must be the same everywhere
  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(info, "cow_coll", names.c_str());
  if (ring) MPI_Info_set(info, "cow_layout", ("ring:" + std::to_string(ranks::count(comm))).c_str());
  EXPECT_MPI_OK(MPI_Comm_set_info(comm, info));
  MPI_Info_free(&info);
}

std::vector<MPI_Comm> make_comms(ranks::Random& random, bool with_hints) {
  const int n = ranks::count(), me = ranks::rank();
  std::vector<MPI_Comm> comms(5, MPI_COMM_NULL);
  MPI_Comm_dup(MPI_COMM_WORLD, &comms[0]);
  MPI_Comm_dup(MPI_COMM_WORLD, &comms[1]);
  MPI_Comm_split(MPI_COMM_WORLD, 0, -me, &comms[2]);                                         // the other way round
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, me, &comms[3]);                                     // two at once
  MPI_Comm_split(MPI_COMM_WORLD, me >= n / 3 ? 0 : MPI_UNDEFINED, (me * 5) % n, &comms[4]);  // some, mixed
  for (MPI_Comm comm : comms)
    if (with_hints) set_hints(comm, random);
  return comms;
}

void finish(std::vector<std::unique_ptr<Job>>& jobs, ranks::Random& own) {
  std::shuffle(jobs.begin(), jobs.end(), own);  // waited for in another order at each rank
  for (auto& job : jobs) {
    EXPECT_MPI_OK(MPI_Wait(&job->request, MPI_STATUS_IGNORE));
    if (job->persistent) {
      EXPECT_MPI_OK(MPI_Request_free(&job->request));
    }
    job->check();
  }
  jobs.clear();
}

// Types to pick from, and a number of ints that is a whole number of each.
struct Shapes {
  explicit Shapes(ranks::Random& random) {
    for (int i = 0; i < 6; ++i) {
      all.push_back(std::make_unique<Shape>(random));
      multiple = std::lcm(multiple, all.back()->ints());
    }
  }
  const Shape& pick(ranks::Random& random) const { return *all[static_cast<std::size_t>(ranks::pick(random, 0, 5))]; }

  std::vector<std::unique_ptr<Shape>> all;
  int multiple = 1;
};

// What all ranks draw alike, whether or not they are in the communicator.
struct Choice {
  MPI_Comm comm;
  Collective which;
  int ints, root;
  Form form;
  bool in_place;
  Operator op;
  const Shape* common;

  Choice(ranks::Random& random, const std::vector<MPI_Comm>& comms, const Shapes& shapes, bool with_hints) {
    comm = comms[static_cast<std::size_t>(ranks::pick(random, 0, 4))];
    which = static_cast<Collective>(ranks::pick(random, 0, kinds - 1));
    const int lengths[] = {0, 1, ranks::pick(random, 2, 20), ranks::pick(random, 50, 400)};
    const bool is_long = !with_hints && ranks::pick(random, 0, 9) == 0;  // in pieces, on memory
    ints = shapes.multiple *
           (is_long ? ranks::pick(random, 10'000, 80'000) / shapes.multiple : lengths[ranks::pick(random, 0, 3)]);
    root = ranks::pick(random, 0, 1000);
    form = static_cast<Form>(ranks::pick(random, 0, 2));
    in_place = ranks::pick(random, 0, 3) == 0;
    op = static_cast<Operator>(ranks::pick(random, 0, 2));
    common = &shapes.pick(random);
  }
  std::string text() const {
    return std::string(name_of(which)) + ", " + std::to_string(ints) + " ints, form " +
           std::to_string(static_cast<int>(form)) + (in_place ? ", in place" : "");
  }
};

std::unique_ptr<Job> begin(const Choice& choice, int id, const Shapes& shapes, ranks::Random& own) {
  static const Shape plain;
  auto job = std::make_unique<Job>();
  job->name = "number " + std::to_string(id) + ": " + choice.text();
  const int n = ranks::count(choice.comm);
  const Setting setting{choice.comm, id, ranks::rank(choice.comm), n, choice.root % n, choice.in_place, choice.form};
  // Both sides of a message need the same ints, not the same type: each rank takes shapes of its own. Not so in
  // reductions; what MPI reduces itself is plain.
  const auto shape = [&]() -> const Shape& { return shapes.pick(own); };
  const int ints = choice.ints;
  switch (choice.which) {
    case Collective::barrier: barrier(*job, setting); break;
    case Collective::bcast: bcast(*job, setting, shape(), ints); break;
    case Collective::gather: collect(*job, setting, shape(), shape(), ints, false); break;
    case Collective::allgather: collect(*job, setting, shape(), shape(), ints, true); break;
    case Collective::scatter: scatter(*job, setting, shape(), shape(), ints); break;
    case Collective::alltoall: alltoall(*job, setting, shape(), shape(), ints); break;
    case Collective::gatherv:
    case Collective::scatterv:
    case Collective::allgatherv:
    case Collective::alltoallv: begin_given(*job, setting, choice.which, shape, shapes.multiple, own); break;
    default:
      begin_sum(*job, setting, choice.which, choice.op == Operator::exclusive_or ? plain : *choice.common, ints,
                choice.op);
  }
  return job;
}

void run_many(std::uint64_t seed, bool with_hints) {
  auto random = ranks::shared_random(seed);
  auto own = ranks::own_random(seed + 1);
  constexpr int rounds = 12, together = 30;
  for (int round = 0; round < rounds; ++round) {
    std::vector<MPI_Comm> comms = make_comms(random, with_hints);
    const Shapes shapes(random);
    std::vector<std::unique_ptr<Job>> jobs;
    for (int j = 0; j < together; ++j) {
      const Choice choice(random, comms, shapes, with_hints);
      if (choice.comm != MPI_COMM_NULL) jobs.push_back(begin(choice, round * together + j, shapes, own));
    }
    finish(jobs, own);
    for (MPI_Comm& comm : comms)
      if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
    if (testing::Test::HasFailure()) break;
  }
}

TEST(Mixed, ManyKindsOnSeveralCommunicatorsAtOnce) { run_many(11, true); }

// What is blocking goes by shared memory then, where the library was told to do so from the first one on.
TEST(MixedAsChosen, ManyKindsOnSeveralCommunicatorsAtOnce) { run_many(13, false); }

bool always_on_memory() {
  const char* const setting = getenv("COW_COLL_MEMORY");
  return setting && std::string(setting) == "always";
}

TEST(MixedAsChosen, SharedMemoryComesWithUseAndGoesWithItsCommunicator) {
  const int pieces = always_on_memory() && ranks_here() > 1;
  MPI_Comm comm;
  const int before = pieces_mapped();
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  EXPECT_EQ(pieces_mapped(), before);
  ASSERT_MPI_OK(MPI_Barrier(comm));
  EXPECT_EQ(pieces_mapped(), before + pieces);
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
  EXPECT_EQ(pieces_mapped(), before);
}

TEST(MixedAsChosen, DifferentCollectivesAreToldApart) {
  if (!always_on_memory() || ranks_here() < ranks::count() || ranks::count() < 2)
    GTEST_SKIP() << "messages of different collectives wait for each other for ever";
  ranks::ReturningComm comm;
  int in = 1, out = 0;
  if (ranks::rank() == 0) {
    EXPECT_MPI_ERROR(MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_SUM, comm), MPI_ERR_OTHER);
  } else {
    EXPECT_MPI_ERROR(MPI_Bcast(&in, 1, MPI_INT, 0, comm), MPI_ERR_OTHER);
  }
}

// Nonblocking ones have memory of their own, which is made meanwhile.
TEST(MixedAsChosen, NonblockingOnesHaveSharedMemoryToo) {
  const int pieces = always_on_memory() && ranks_here() == ranks::count() && ranks::count() > 1;
  MPI_Comm comm;
  const int before = pieces_mapped();
  ASSERT_MPI_OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
  for (int i = 0; i < 3; ++i) {
    MPI_Request request;
    int sum = 0;
    const int one = 1;
    ASSERT_MPI_OK(MPI_Iallreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm, &request));
    ASSERT_MPI_OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EXPECT_EQ(sum, ranks::count());
    EXPECT_EQ(pieces_mapped(), before + pieces);
  }
  ASSERT_MPI_OK(MPI_Comm_free(&comm));
  EXPECT_EQ(pieces_mapped(), before);
}

TEST(MixedAsChosen, DifferentNonblockingCollectivesAreToldApart) {
  if (!always_on_memory() || ranks_here() < ranks::count() || ranks::count() < 2)
    GTEST_SKIP() << "messages of different collectives wait for each other for ever";
  ranks::ReturningComm comm;
  MPI_Request request;
  int in = 1, out = 0;
  ASSERT_MPI_OK(ranks::rank() == 0 ? MPI_Iallreduce(&in, &out, 1, MPI_INT, MPI_SUM, comm, &request)
                                   : MPI_Ibcast(&in, 1, MPI_INT, 0, comm, &request));
  EXPECT_MPI_ERROR(MPI_Wait(&request, MPI_STATUS_IGNORE), MPI_ERR_OTHER);
}

}  // namespace
