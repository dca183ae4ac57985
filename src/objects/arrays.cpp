// Datatypes of arrays: parts of an array, and what a process owns of an array that is distributed over a grid.
#include <algorithm>

#include "objects/constructors.hpp"
#include "objects/typemap.hpp"

namespace cow {
namespace {

using Number = long long;  // what %lld takes

Error check_order(int order) {
  if (order == MPI_ORDER_C || order == MPI_ORDER_FORTRAN) return success;
  return fail(ErrorClass::arg, "order is %d, must be MPI_ORDER_C or MPI_ORDER_FORTRAN", order);
}

Error check_sizes(CountSpan sizes, const char* what) {
  if (sizes.empty()) return fail(ErrorClass::arg, "ndims is 0, must be at least 1");
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] < 1)
      return fail(ErrorClass::arg, "%s[%zu] is %lld, must be at least 1", what, i, static_cast<Number>(sizes[i]));
  return success;
}

// Calls dimension(i, stride) for each dimension from the fastest varying on, with the bytes from one index to the next,
// and leaves the bytes of the whole array in `total`.
template <class Dimension>
Error each_dimension(CountSpan sizes, int order, MPI_Aint extent, MPI_Aint& total, Dimension dimension) {
  MPI_Aint stride = extent;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    const std::size_t i = order == MPI_ORDER_C ? sizes.size() - 1 - n : n;
    if (const Error error = dimension(i, stride)) return error;
    if (__builtin_mul_overflow(stride, sizes[i], &stride))
      return fail(ErrorClass::value_too_large, "the array would be larger than 2^63 - 1 bytes");
  }
  total = stride;
  return success;
}

}  // namespace

Error make_subarray(CountSpan sizes, CountSpan subsizes, CountSpan starts, int order, Datatype& old, bool large,
                    Datatype*& out) {
  if (const Error error = check_sizes(sizes, "array_of_sizes")) return error;
  if (const Error error = check_sizes(subsizes, "array_of_subsizes")) return error;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (subsizes[i] > sizes[i])
      return fail(ErrorClass::arg, "array_of_subsizes[%zu] is %lld, and the array has %lld there", i,
                  static_cast<Number>(subsizes[i]), static_cast<Number>(sizes[i]));
    if (starts[i] < 0 || starts[i] > sizes[i] - subsizes[i])
      return fail(ErrorClass::arg, "array_of_starts[%zu] is %lld, must be 0 … %lld (size - subsize)", i,
                  static_cast<Number>(starts[i]), static_cast<Number>(sizes[i] - subsizes[i]));
  }
  if (const Error error = check_order(order)) return error;

  TypeMapPointer map = old.map;
  MPI_Aint start = 0, total = 0;
  const Error error = each_dimension(sizes, order, old.extent, total, [&](std::size_t i, MPI_Aint stride) {
    start += starts[i] * stride;
    return map_loop(subsizes[i], stride, TypeMapPointer(map), map);
  });
  if (error) return error;
  if (const Error failed = map_shift(start, TypeMapPointer(map), map)) return failed;

  ContentsBuilder contents(MPI_COMBINER_SUBARRAY, large);
  contents.integer(static_cast<int>(sizes.size())).counts(sizes).counts(subsizes).counts(starts).integer(order);
  contents.type(old);
  out = make_bounded(std::move(map), 0, total, old.alignment, contents);
  return success;
}

namespace {

// One dimension of a distributed array: blocks of `block` indices dealt out to `processes` in turn.
struct Dealing {
  MPI_Count size;
  MPI_Count block;
  int processes;
  int place;  // whose share
};

Error check_dealing(const DarrayArgs& args, std::size_t i, Dealing& out) {
  const MPI_Count size = args.global_sizes[i];
  const int processes = args.process_sizes[i], argument = args.arguments[i];
  out = {size, size, processes, 0};
  switch (args.distributions[i]) {
    case MPI_DISTRIBUTE_NONE:
      if (processes != 1)
        return fail(ErrorClass::arg, "array_of_psizes[%zu] is %d, must be 1 where the dimension is not distributed", i,
                    processes);
      return success;
    case MPI_DISTRIBUTE_BLOCK:
      out.block = argument == MPI_DISTRIBUTE_DFLT_DARG ? (size + processes - 1) / processes : argument;
      if (argument != MPI_DISTRIBUTE_DFLT_DARG && (argument < 1 || out.block * processes < size))
        return fail(ErrorClass::arg, "array_of_dargs[%zu] is %d: %d such blocks do not hold the %lld indices", i,
                    argument, processes, static_cast<Number>(size));
      return success;
    case MPI_DISTRIBUTE_CYCLIC:
      out.block = argument == MPI_DISTRIBUTE_DFLT_DARG ? 1 : argument;
      if (out.block < 1) return fail(ErrorClass::arg, "array_of_dargs[%zu] is %d, must be at least 1", i, argument);
      return success;
    default:
      return fail(ErrorClass::arg, "array_of_distribs[%zu] is %d, must be one of MPI_DISTRIBUTE_NONE, _BLOCK, _CYCLIC",
                  i, args.distributions[i]);
  }
}

Error deal(const Dealing& dealing, MPI_Aint stride, const TypeMapPointer& child, TypeMapPointer& out) {
  const MPI_Count first = dealing.place * dealing.block, round = dealing.block * dealing.processes;
  const MPI_Count left = dealing.size - first;  // indices from the first of this share on
  if (left <= 0) return map_loop(0, 0, child, out);
  const MPI_Count rounds = left / round;
  // Of the last round, which is not complete, this share may have a block, a part of one or nothing.
  const MPI_Count rest = std::min(left - rounds * round, dealing.block);
  const MPI_Count whole = rounds + (rest == dealing.block ? 1 : 0);
  TypeMapPointer block;
  if (const Error error = map_loop(dealing.block, stride, child, block)) return error;
  std::vector<TypeMap::Part> parts;
  parts.push_back({first * stride, whole, round * stride, block});
  if (rest != dealing.block) parts.push_back({(first + rounds * round) * stride, rest, stride, child});
  return map_parts(std::move(parts), out);
}

}  // namespace

Error make_darray(const DarrayArgs& args, Datatype& old, bool large, Datatype*& out) {
  const std::size_t dimensions = args.global_sizes.size();
  if (const Error error = check_sizes(args.global_sizes, "array_of_gsizes")) return error;
  if (args.size < 1) return fail(ErrorClass::arg, "size is %d, must be at least 1", args.size);
  if (args.rank < 0 || args.rank >= args.size)
    return fail(ErrorClass::rank, "rank is %d, must be 0 … %d", args.rank, args.size - 1);
  if (const Error error = check_order(args.order)) return error;
  std::vector<Dealing> dealings(dimensions);
  MPI_Count processes = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    if (args.process_sizes[i] < 1)
      return fail(ErrorClass::arg, "array_of_psizes[%zu] is %d, must be at least 1", i, args.process_sizes[i]);
    if (const Error error = check_dealing(args, i, dealings[i])) return error;
    processes *= args.process_sizes[i];
    if (processes > args.size) break;
  }
  if (processes != args.size)
    return fail(ErrorClass::arg, "the process grid has %s%lld places, must have size = %d",
                processes > args.size ? "at least " : "", static_cast<Number>(processes), args.size);
  // Places in the grid are in row-major order, whatever the order of the array.
  int rest = args.rank;
  for (std::size_t i = dimensions; i-- > 0; rest /= args.process_sizes[i])
    dealings[i].place = rest % args.process_sizes[i];

  TypeMapPointer map = old.map;
  MPI_Aint total = 0;
  const Error error = each_dimension(
      args.global_sizes, args.order, old.extent, total,
      [&](std::size_t i, MPI_Aint stride) { return deal(dealings[i], stride, TypeMapPointer(map), map); });
  if (error) return error;

  ContentsBuilder contents(MPI_COMBINER_DARRAY, large);
  contents.integer(args.size).integer(args.rank).integer(static_cast<int>(dimensions)).counts(args.global_sizes);
  contents.integers(args.distributions).integers(args.arguments).integers(args.process_sizes).integer(args.order);
  contents.type(old);
  out = make_bounded(std::move(map), 0, total, old.alignment, contents);
  return success;
}

}  // namespace cow
