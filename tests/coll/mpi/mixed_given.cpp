// MPI_Gatherv, Scatterv, Allgatherv, Alltoallv and Alltoallw with random blocks.
#include "coll/mpi/mixed.hpp"

namespace mixed {
namespace {

using ShapeOf = std::function<const Shape&()>;

// Ints that rank `from` has for rank `to`: the same at both, and often none.
int length(int job, int from, int to, int multiple) {
  constexpr int lengths[] = {0, 0, 1, 1, 2, 5, 11, 60};
  const unsigned mixed =
      (static_cast<unsigned>(job) * 40503u + static_cast<unsigned>(from) * 977u + static_cast<unsigned>(to) * 331u) *
      2654435761u;
  return lengths[mixed >> 29] * multiple;
}

Ints lengths(int n, const std::function<int(int)>& of) {
  Ints out;
  for (int r = 0; r < n; ++r) out.push_back(of(r));
  return out;
}

// Gatherv (at the root) or allgatherv: each rank has one block.
void collect(Job& job, const Setting& s, const Shape& a, const Shape& b, int multiple, bool everywhere,
             ranks::Random& own) {
  const bool gets = everywhere || s.me == s.root;
  const auto of = [&](int r) { return length(s.id, r, 0, multiple); };
  job.out = std::make_unique<Buffer>(a, Ints{of(s.me)}, &own);
  job.in = std::make_unique<Buffer>(b, lengths(gets ? s.n : 0, of), &own);
  job.expected = std::make_unique<Buffer>(*job.in);
  const auto number = [&](int r) { return [&, r](int i) { return value(s.id, r, i); }; };
  job.out->fill(0, number(s.me));
  for (int r = 0; gets && r < s.n; ++r) job.expected->fill(r, number(r));
  const bool in_place = s.in_place && gets;
  if (in_place) job.in->fill(s.me, number(s.me));
  const void* const from = in_place ? MPI_IN_PLACE : job.out->block(0);
  void* const to = job.in->data();
  const int c = job.out->counts[0], *const n = job.in->counts.data(), *const d = job.in->displs.data();
  const MPI_Datatype t = a.type(), u = b.type();
  if (everywhere)
    call(
        job, s.form, [&] { return MPI_Allgatherv(from, c, t, to, n, d, u, s.comm); },
        [&](MPI_Request* r) { return MPI_Iallgatherv(from, c, t, to, n, d, u, s.comm, r); },
        [&](MPI_Request* r) { return MPI_Allgatherv_init(from, c, t, to, n, d, u, s.comm, MPI_INFO_NULL, r); });
  else
    call(
        job, s.form, [&] { return MPI_Gatherv(from, c, t, to, n, d, u, s.root, s.comm); },
        [&](MPI_Request* r) { return MPI_Igatherv(from, c, t, to, n, d, u, s.root, s.comm, r); },
        [&](MPI_Request* r) { return MPI_Gatherv_init(from, c, t, to, n, d, u, s.root, s.comm, MPI_INFO_NULL, r); });
}

void scatter(Job& job, const Setting& s, const Shape& a, const Shape& b, int multiple, ranks::Random& own) {
  const bool is_root = s.me == s.root;
  const auto of = [&](int r) { return length(s.id, s.root, r, multiple); };
  const auto number = [&](int r) { return [&, r](int i) { return value(s.id, r, i); }; };
  job.out = std::make_unique<Buffer>(a, lengths(is_root ? s.n : 0, of), &own);
  for (int r = 0; is_root && r < s.n; ++r) job.out->fill(r, number(r));
  job.in = std::make_unique<Buffer>(b, of(s.me), 1);
  job.expected = std::make_unique<Buffer>(*job.in);
  const bool in_place = is_root && s.in_place;
  if (!in_place) job.expected->fill(0, number(s.me));
  const void* const from = job.out->data();
  void* const to = in_place ? MPI_IN_PLACE : job.in->data();
  const int c = job.in->count(), *const n = job.out->counts.data(), *const d = job.out->displs.data();
  const MPI_Datatype t = a.type(), u = b.type();
  call(
      job, s.form, [&] { return MPI_Scatterv(from, n, d, t, to, c, u, s.root, s.comm); },
      [&](MPI_Request* r) { return MPI_Iscatterv(from, n, d, t, to, c, u, s.root, s.comm, r); },
      [&](MPI_Request* r) { return MPI_Scatterv_init(from, n, d, t, to, c, u, s.root, s.comm, MPI_INFO_NULL, r); });
}

// MPI_Alltoallv, or MPI_Alltoallw with a type for each block. In place, what two ranks have for each other is as long
// both ways.
void alltoallv(Job& job, const Setting& s, const ShapeOf& shape, int multiple, ranks::Random& own) {
  const bool mixed_types = s.id % 2 == 1;
  const auto of = [&](int from, int to) {
    return s.in_place ? length(s.id, std::min(from, to), std::max(from, to), multiple)
                      : length(s.id, from, to, multiple);
  };
  const auto shapes = [&] {
    Buffer::Shapes out(static_cast<std::size_t>(s.n), &shape());
    for (std::size_t r = 0; mixed_types && r < out.size(); ++r) out[r] = &shape();
    return out;
  };
  job.out = std::make_unique<Buffer>(shapes(), lengths(s.n, [&](int r) { return of(s.me, r); }), &own);
  job.in = std::make_unique<Buffer>(shapes(), lengths(s.n, [&](int r) { return of(r, s.me); }), &own);
  job.expected = std::make_unique<Buffer>(*job.in);
  for (int r = 0; r < s.n; ++r) {
    const auto leaves = [&](int i) { return value(s.id, s.me, r * 1000 + i); };
    job.out->fill(r, leaves);
    if (s.in_place) job.in->fill(r, leaves);
    job.expected->fill(r, [&](int i) { return value(s.id, r, s.me * 1000 + i); });
  }
  const void* const from = s.in_place ? MPI_IN_PLACE : job.out->data();
  void* const to = job.in->data();
  const int *const n = job.out->counts.data(), *const m = job.in->counts.data();
  if (mixed_types) {
    const int *const d = job.out->bytes.data(), *const e = job.in->bytes.data();
    const MPI_Datatype *const t = job.out->types.data(), *const u = job.in->types.data();
    return call(
        job, s.form, [&] { return MPI_Alltoallw(from, n, d, t, to, m, e, u, s.comm); },
        [&](MPI_Request* r) { return MPI_Ialltoallw(from, n, d, t, to, m, e, u, s.comm, r); },
        [&](MPI_Request* r) { return MPI_Alltoallw_init(from, n, d, t, to, m, e, u, s.comm, MPI_INFO_NULL, r); });
  }
  const int *const d = job.out->displs.data(), *const e = job.in->displs.data();
  const MPI_Datatype t = job.out->types[0], u = job.in->types[0];
  call(
      job, s.form, [&] { return MPI_Alltoallv(from, n, d, t, to, m, e, u, s.comm); },
      [&](MPI_Request* r) { return MPI_Ialltoallv(from, n, d, t, to, m, e, u, s.comm, r); },
      [&](MPI_Request* r) { return MPI_Alltoallv_init(from, n, d, t, to, m, e, u, s.comm, MPI_INFO_NULL, r); });
}

}  // namespace

void begin_given(Job& job, const Setting& s, Collective which, const ShapeOf& shape, int multiple, ranks::Random& own) {
  if (which == Collective::alltoallv) return alltoallv(job, s, shape, multiple, own);
  const Shape &a = shape(), &b = shape();
  switch (which) {
    case Collective::gatherv: return collect(job, s, a, b, multiple, false, own);
    case Collective::allgatherv: return collect(job, s, a, b, multiple, true, own);
    default: return scatter(job, s, a, b, multiple, own);
  }
}

}  // namespace mixed
