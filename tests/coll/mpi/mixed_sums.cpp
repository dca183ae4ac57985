// Reductions of elements with holes in them, by an operation of MPI's or by one of the program's own, which may not
// commute.
#include <map>

#include "coll/mpi/mixed.hpp"

namespace mixed {
namespace {

// The program's operations know how the elements of a type lie.
std::map<MPI_Datatype, const Shape*> shapes;

void each(void* left, void* right, int n, MPI_Datatype type, unsigned (*combine)(unsigned, unsigned)) {
  const Shape& shape = *shapes.at(type);
  for (int i = 0; i < n * shape.ints(); ++i) {
    int& mine = static_cast<int*>(right)[shape.place(i)];
    mine = static_cast<int>(
        combine(static_cast<unsigned>(static_cast<int*>(left)[shape.place(i)]), static_cast<unsigned>(mine)));
  }
}

unsigned exclusive_or(unsigned a, unsigned b) { return a ^ b; }

// x -> ax + b modulo 2^16, one after the other: associative, but the order matters.
unsigned compose(unsigned f, unsigned g) {
  const unsigned a = f >> 16, b = f & 0xffff, c = g >> 16, d = g & 0xffff;
  return a * c << 16 | ((a * d + b) & 0xffff);
}

void by_user(void* left, void* right, int* n, MPI_Datatype* type) { each(left, right, *n, *type, exclusive_or); }
void in_order(void* left, void* right, int* n, MPI_Datatype* type) { each(left, right, *n, *type, compose); }

MPI_Op make(MPI_User_function* function, bool commutes) {
  MPI_Op op;
  EXPECT_MPI_OK(MPI_Op_create(function, commutes, &op));
  return op;
}

// Of reduce_scatter: how many times `ints` each rank gets.
int share(int job, int rank) { return (job + rank * 7) % 4; }

}  // namespace

MPI_Op handle_of(Operator op, const Shape& element) {
  shapes[element.type()] = &element;
  if (op == Operator::exclusive_or) return MPI_BXOR;
  static const MPI_Op ops[] = {make(by_user, true), make(in_order, false)};
  return ops[op == Operator::in_order];
}

int fold(Operator op, int n, const std::function<int(int)>& number) {
  unsigned out = 0;
  for (int r = n - 1; r >= 0; --r) {
    const auto left = static_cast<unsigned>(number(r));
    out = r == n - 1 ? left : op == Operator::in_order ? compose(left, out) : left ^ out;
  }
  return static_cast<int>(out);
}

void begin_sum(Job& job, const Setting& s, Collective which, const Shape& shape, int ints, Operator op) {
  const bool uneven = which == Collective::reduce_scatter;
  const bool spread = uneven || which == Collective::reduce_scatter_block;
  const bool gets = which != Collective::reduce || s.me == s.root;
  Ints lengths(spread ? static_cast<std::size_t>(s.n) : 1, ints);
  for (int r = 0; uneven && r < s.n; ++r) lengths[static_cast<std::size_t>(r)] *= share(s.id, r);
  const int mine = spread ? s.me : 0;
  const int first = std::accumulate(lengths.begin(), lengths.begin() + mine, 0);
  const int length = lengths[static_cast<std::size_t>(mine)], all = std::accumulate(lengths.begin(), lengths.end(), 0);
  const bool in_place = s.in_place && gets;
  job.out = std::make_unique<Buffer>(shape, all, 1);
  job.in = std::make_unique<Buffer>(shape, in_place ? all : gets ? length : 0, 1);
  job.out->fill(0, [&](int i) { return operand(value(s.id, s.me, i)); });
  if (in_place) job.in->memory = job.out->memory;
  const int last = which == Collective::scan ? s.me : which == Collective::exscan ? s.me - 1 : s.n - 1;
  Buffer sum(shape, gets ? length : 0, 1);
  sum.fill(0, [&](int i) { return fold(op, last + 1, [&](int r) { return operand(value(s.id, r, first + i)); }); });
  job.expected = std::make_unique<Buffer>(last >= 0 ? sum : *job.in);
  job.looked_at = sum.memory.size();
  const void* const from = in_place ? MPI_IN_PLACE : job.out->data();
  void* const to = job.in->data();
  const MPI_Datatype t = shape.type();
  const MPI_Op f = handle_of(op, shape);
  const int n = length / shape.ints();
  const auto alike = [&](auto blocking, auto nonblocking, auto persistent) {
    call(
        job, s.form, [&] { return blocking(from, to, n, t, f, s.comm); },
        [&](MPI_Request* r) { return nonblocking(from, to, n, t, f, s.comm, r); },
        [&](MPI_Request* r) { return persistent(from, to, n, t, f, s.comm, MPI_INFO_NULL, r); });
  };
  if (which == Collective::allreduce) alike(MPI_Allreduce, MPI_Iallreduce, MPI_Allreduce_init);
  if (which == Collective::scan) alike(MPI_Scan, MPI_Iscan, MPI_Scan_init);
  if (which == Collective::exscan) alike(MPI_Exscan, MPI_Iexscan, MPI_Exscan_init);
  if (which == Collective::reduce_scatter_block)
    alike(MPI_Reduce_scatter_block, MPI_Ireduce_scatter_block, MPI_Reduce_scatter_block_init);
  if (which == Collective::reduce)
    call(
        job, s.form, [&] { return MPI_Reduce(from, to, n, t, f, s.root, s.comm); },
        [&](MPI_Request* r) { return MPI_Ireduce(from, to, n, t, f, s.root, s.comm, r); },
        [&](MPI_Request* r) { return MPI_Reduce_init(from, to, n, t, f, s.root, s.comm, MPI_INFO_NULL, r); });
  if (!uneven) return;
  for (int& l : lengths) l /= shape.ints();
  const int* const c = lengths.data();
  call(
      job, s.form, [&] { return MPI_Reduce_scatter(from, to, c, t, f, s.comm); },
      [&](MPI_Request* r) { return MPI_Ireduce_scatter(from, to, c, t, f, s.comm, r); },
      [&](MPI_Request* r) { return MPI_Reduce_scatter_init(from, to, c, t, f, s.comm, MPI_INFO_NULL, r); });
}

}  // namespace mixed
