// Random collectives on several communicators at once, in all three forms, with random types, counts, roots and
// algorithms, against what plain loops say each rank must end with.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <string>

#include "coll/registry.hpp"
#include "support/ranks.hpp"

namespace {

using cow::coll::Algorithm;
using cow::coll::Collective;
using Ints = std::vector<int>;

constexpr int untouched = -1234567;

// What rank r of a communicator contributes to collective `job`: number i.
int value(int job, int r, int i) { return job * 7919 + r * 104729 + i * 31 + 5; }

// Some ints of a stretch of memory, in any order, as a datatype; or MPI_INT.
class Shape {
 public:
  Shape() = default;
  explicit Shape(ranks::Random& random) {
    if (ranks::pick(random, 0, 2) == 0) return;
    extent_ = ranks::pick(random, 1, 6);
    offsets_.resize(static_cast<std::size_t>(extent_));
    std::iota(offsets_.begin(), offsets_.end(), 0);
    std::shuffle(offsets_.begin(), offsets_.end(), random);
    offsets_.resize(static_cast<std::size_t>(ranks::pick(random, 1, extent_)));
    MPI_Datatype some;
    EXPECT_MPI_OK(MPI_Type_create_indexed_block(ints(), 1, offsets_.data(), MPI_INT, &some));
    EXPECT_MPI_OK(MPI_Type_create_resized(some, 0, extent_ * static_cast<int>(sizeof(int)), &type_));
    EXPECT_MPI_OK(MPI_Type_commit(&type_));
    EXPECT_MPI_OK(MPI_Type_free(&some));
  }
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;
  ~Shape() {
    if (type_ != MPI_INT) MPI_Type_free(&type_);
  }
  MPI_Datatype type() const { return type_; }
  int ints() const { return static_cast<int>(offsets_.size()); }
  int extent() const { return extent_; }
  std::size_t place(int i) const {
    return static_cast<std::size_t>(i / ints() * extent_ + offsets_[static_cast<std::size_t>(i % ints())]);
  }

 private:
  MPI_Datatype type_ = MPI_INT;
  int extent_ = 1;
  Ints offsets_{0};
};

// A buffer of blocks, each of `ints` ints in some shape; the number of ints is a multiple of all shapes'.
struct Buffer {
  const Shape& shape;
  int ints;
  Ints memory;
  Buffer(const Shape& s, int n, int blocks)
      : shape(s), ints(n), memory(static_cast<std::size_t>(n / s.ints() * s.extent() * blocks), untouched) {}
  int count() const { return ints / shape.ints(); }
  void fill(int block, const std::function<int(int)>& number) {
    for (int i = 0; i < ints; ++i) memory[shape.place(block * ints + i)] = number(i);
  }
  void* data() { return memory.data(); }
};

// One collective under way at this rank.
struct Job {
  std::string name;
  std::unique_ptr<Buffer> out, in, expected;
  MPI_Request request = MPI_REQUEST_NULL;
  bool persistent = false;
  void check() const { EXPECT_EQ(in->memory, expected->memory) << name; }
};

enum class Form { blocking, nonblocking, persistent };

struct Setting {
  MPI_Comm comm;
  int id, me, n, root;
  bool in_place;
  Form form;
};

// Makes the call in the form asked for.
template <class Blocking, class Nonblocking, class Persistent>
void call(Job& job, Form form, Blocking blocking, Nonblocking nonblocking, Persistent persistent) {
  switch (form) {
    case Form::blocking:
      EXPECT_EQ(blocking(), MPI_SUCCESS);
      return;
    case Form::nonblocking:
      EXPECT_EQ(nonblocking(&job.request), MPI_SUCCESS);
      return;
    case Form::persistent:
      EXPECT_EQ(persistent(&job.request), MPI_SUCCESS);
      EXPECT_EQ(MPI_Start(&job.request), MPI_SUCCESS);
      job.persistent = true;
  }
}

// Buffers of so many blocks, what arrives set up, and what must stand there.
void make_buffers(Job& job, const Shape& out, const Shape& in, int ints, int out_blocks, int in_blocks) {
  job.out = std::make_unique<Buffer>(out, ints, out_blocks);
  job.in = std::make_unique<Buffer>(in, ints, in_blocks);
  job.expected = std::make_unique<Buffer>(in, ints, in_blocks);
}

void bcast(Job& job, const Setting& s, const Shape&, const Shape& in, int ints) {
  make_buffers(job, in, in, ints, 0, 1);
  job.expected->fill(0, [&](int i) { return value(s.id, s.root, i); });
  if (s.me == s.root) job.in->memory = job.expected->memory;
  Buffer& b = *job.in;
  call(job, s.form, [&] { return MPI_Bcast(b.data(), b.count(), in.type(), s.root, s.comm); },
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
    call(job, s.form, [&] { return MPI_Allgather(from, a, t, to, b, u, s.comm); },
         [&](MPI_Request* r) { return MPI_Iallgather(from, a, t, to, b, u, s.comm, r); },
         [&](MPI_Request* r) { return MPI_Allgather_init(from, a, t, to, b, u, s.comm, MPI_INFO_NULL, r); });
  else
    call(job, s.form, [&] { return MPI_Gather(from, a, t, to, b, u, s.root, s.comm); },
         [&](MPI_Request* r) { return MPI_Igather(from, a, t, to, b, u, s.root, s.comm, r); },
         [&](MPI_Request* r) { return MPI_Gather_init(from, a, t, to, b, u, s.root, s.comm, MPI_INFO_NULL, r); });
}

void scatter(Job& job, const Setting& s, const Shape& out, const Shape& in, int ints) {
  make_buffers(job, out, in, ints, s.me == s.root ? s.n : 0, 1);
  for (int r = 0; s.me == s.root && r < s.n; ++r)
    job.out->fill(r, [&](int i) { return value(s.id, s.root, r * ints + i); });
  job.expected->fill(0, [&](int i) { return value(s.id, s.root, s.me * ints + i); });
  void *const from = job.out->data(), *const to = job.in->data();
  const int a = job.out->count(), b = job.in->count();
  const MPI_Datatype t = out.type(), u = in.type();
  call(job, s.form, [&] { return MPI_Scatter(from, a, t, to, b, u, s.root, s.comm); },
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
  call(job, s.form, [&] { return MPI_Alltoall(from, a, t, to, b, u, s.comm); },
       [&](MPI_Request* r) { return MPI_Ialltoall(from, a, t, to, b, u, s.comm, r); },
       [&](MPI_Request* r) { return MPI_Alltoall_init(from, a, t, to, b, u, s.comm, MPI_INFO_NULL, r); });
}

// Reductions of plain ints: the exclusive or.
void reduce(Job& job, const Setting& s, Collective which, int ints) {
  static const Shape plain;
  const bool spread = which == Collective::reduce_scatter_block;
  const bool gets = which != Collective::reduce || s.me == s.root;
  make_buffers(job, plain, plain, ints, spread ? s.n : 1, gets ? 1 : 0);
  const int length = spread ? ints * s.n : ints;
  for (int i = 0; i < length; ++i) job.out->memory[static_cast<std::size_t>(i)] = value(s.id, s.me, i);
  const int last = which == Collective::scan ? s.me : which == Collective::exscan ? s.me - 1 : s.n - 1;
  const int first = spread ? ints * s.me : 0;
  if (gets && last >= 0)
    job.expected->fill(0, [&](int i) {
      int out = 0;
      for (int r = 0; r <= last; ++r) out ^= value(s.id, r, first + i);
      return out;
    });
  const bool in_place = s.in_place && gets && !spread;
  if (in_place) job.in->memory = job.out->memory;
  if (in_place && last < 0) job.expected->memory = job.out->memory;
  const void* const from = in_place ? MPI_IN_PLACE : job.out->data();
  void* const to = job.in->data();
  const auto sum = [&](auto blocking, auto nonblocking, auto persistent) {
    call(job, s.form, [&] { return blocking(from, to, ints, MPI_INT, MPI_BXOR, s.comm); },
         [&](MPI_Request* r) { return nonblocking(from, to, ints, MPI_INT, MPI_BXOR, s.comm, r); },
         [&](MPI_Request* r) { return persistent(from, to, ints, MPI_INT, MPI_BXOR, s.comm, MPI_INFO_NULL, r); });
  };
  if (which == Collective::allreduce) sum(MPI_Allreduce, MPI_Iallreduce, MPI_Allreduce_init);
  if (which == Collective::scan) sum(MPI_Scan, MPI_Iscan, MPI_Scan_init);
  if (which == Collective::exscan) sum(MPI_Exscan, MPI_Iexscan, MPI_Exscan_init);
  if (spread) sum(MPI_Reduce_scatter_block, MPI_Ireduce_scatter_block, MPI_Reduce_scatter_block_init);
  if (which != Collective::reduce) return;
  call(job, s.form, [&] { return MPI_Reduce(from, to, ints, MPI_INT, MPI_BXOR, s.root, s.comm); },
       [&](MPI_Request* r) { return MPI_Ireduce(from, to, ints, MPI_INT, MPI_BXOR, s.root, s.comm, r); },
       [&](MPI_Request* r) {
         return MPI_Reduce_init(from, to, ints, MPI_INT, MPI_BXOR, s.root, s.comm, MPI_INFO_NULL, r);
       });
}

constexpr Collective mixed[] = {Collective::bcast,     Collective::gather,   Collective::scatter, Collective::allgather,
                                Collective::alltoall,  Collective::reduce,   Collective::allreduce, Collective::scan,
                                Collective::exscan,    Collective::reduce_scatter_block};

void begin(Job& job, const Setting& s, Collective which, const Shape& a, const Shape& b, int ints) {
  switch (which) {
    case Collective::bcast: return bcast(job, s, a, b, ints);
    case Collective::gather: return collect(job, s, a, b, ints, false);
    case Collective::allgather: return collect(job, s, a, b, ints, true);
    case Collective::scatter: return scatter(job, s, a, b, ints);
    case Collective::alltoall: return alltoall(job, s, a, b, ints);
    default: return reduce(job, s, which, ints);
  }
}

// An algorithm for each collective, and a layout: any of those that exist; where one does not apply it is passed over.
void set_hints(MPI_Comm comm, ranks::Random& random) {
  std::string names;
  for (const Collective which : mixed) {
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
  MPI_Comm_split(MPI_COMM_WORLD, 0, -me, &comms[2]);                                     // the other way round
  MPI_Comm_split(MPI_COMM_WORLD, me % 2, me, &comms[3]);                                 // two at once
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

void run_many(std::uint64_t seed, bool with_hints) {
  auto random = ranks::shared_random(seed);
  auto own = ranks::own_random(seed + 1);
  constexpr int rounds = 12, together = 25;
  for (int round = 0; round < rounds; ++round) {
    std::vector<MPI_Comm> comms = make_comms(random, with_hints);
    std::vector<std::unique_ptr<Shape>> shapes;
    std::vector<std::unique_ptr<Job>> jobs;
    int multiple = 1;
    for (int i = 0; i < 6; ++i) {
      shapes.push_back(std::make_unique<Shape>(random));
      multiple = std::lcm(multiple, shapes.back()->ints());
    }
    for (int j = 0; j < together; ++j) {
      const MPI_Comm comm = comms[static_cast<std::size_t>(ranks::pick(random, 0, 4))];
      const Collective which = mixed[ranks::pick(random, 0, static_cast<int>(std::size(mixed)) - 1)];
      const int lengths[] = {0, 1, ranks::pick(random, 2, 20), ranks::pick(random, 50, 400)};
      const int ints = multiple * lengths[ranks::pick(random, 0, 3)];
      const int root = ranks::pick(random, 0, 1000);
      const auto form = static_cast<Form>(ranks::pick(random, 0, 2));
      const bool in_place = ranks::pick(random, 0, 3) == 0;
      // Both sides of a message need the same ints, not the same type: each rank takes shapes of its own.
      const auto shape = [&]() -> const Shape& { return *shapes[static_cast<std::size_t>(ranks::pick(own, 0, 5))]; };
      const Shape &a = shape(), &b = shape();
      if (comm == MPI_COMM_NULL) continue;
      const int n = ranks::count(comm);
      auto job = std::make_unique<Job>();
      job->name = std::string(name_of(which)) + ", round " + std::to_string(round) + ", number " + std::to_string(j) +
                  ", " + std::to_string(ints) + " ints, form " + std::to_string(static_cast<int>(form)) +
                  (in_place ? ", in place" : "");
      begin(*job, {comm, round * together + j, ranks::rank(comm), n, root % n, in_place, form}, which, a, b, ints);
      jobs.push_back(std::move(job));
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

// How many pieces of shared memory for collectives this process has mapped.
int pieces_mapped() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("memfd:cow-shared") != std::string::npos;
  return count;
}

bool always_on_memory() {
  const char* const setting = getenv("COW_COLL_MEMORY");
  return setting && std::string(setting) == "always" && ranks::count() > 1;
}

TEST(MixedAsChosen, SharedMemoryComesWithUseAndGoesWithItsCommunicator) {
  const int pieces = always_on_memory();
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
  if (!always_on_memory()) GTEST_SKIP() << "messages of different collectives wait for each other for ever";
  ranks::ReturningComm comm;
  int in = 1, out = 0;
  if (ranks::rank() == 0) {
    EXPECT_MPI_ERROR(MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_SUM, comm), MPI_ERR_OTHER);
  } else {
    EXPECT_MPI_ERROR(MPI_Bcast(&in, 1, MPI_INT, 0, comm), MPI_ERR_OTHER);
  }
}

}  // namespace
