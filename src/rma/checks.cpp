#include "rma/checks.hpp"

#include "objects/constructors.hpp"

namespace cow::rma {
namespace {

// Predefined types without a number of the ABI (those of Fortran kinds) are known by what they mean.
const Datatype* with_number(const Datatype& type) {
  if (type.predefined()) return &type;
  switch (type.basic) {
    case Basic::int8: return find(MPI_INT8_T);
    case Basic::int16: return find(MPI_INT16_T);
    case Basic::int32: return find(MPI_INT32_T);
    case Basic::int64: return find(MPI_INT64_T);
    case Basic::real4: return find(MPI_FLOAT);
    case Basic::real8: return find(MPI_DOUBLE);
    case Basic::complex8: return find(MPI_C_FLOAT_COMPLEX);
    case Basic::complex16: return find(MPI_C_DOUBLE_COMPLEX);
    default: return nullptr;
  }
}

// The one predefined type that it consists of; null: there are several.
const Datatype* element_of(const Datatype& type) {
  if (!type.contents || type.contents->types.empty()) return with_number(type);
  const Datatype* found = nullptr;
  for (const Datatype* each : type.contents->types) {
    if (each->size == 0) continue;
    const Datatype* const one = element_of(*each);
    if (!one || (found && one != found)) return nullptr;
    found = one;
  }
  return found;
}

Error check_elements(const AccessArgs& args, const Datatype*& element) {
  if (!args.op && args.verb != Verb::swap) return success;
  if (args.type->size == 0) return success;
  element = element_of(*args.type);
  if (!element)
    return fail(ErrorClass::type, "%s does not consist of elements of one predefined datatype", describe(*args.type));
  if (!args.op || args.op == find(MPI_NO_OP) || args.op == find(MPI_REPLACE)) return success;
  if (!args.op->select) return fail(ErrorClass::op, "only predefined operations accumulate into windows");
  return check_op(*args.op, *element);
}

Error check_sizes(const AccessArgs& args) {
  const MPI_Count there = args.count * args.type->size;
  for (const Buffer* each : {&args.origin, &args.result})
    if (each->type && each->bytes() != there)
      return fail(ErrorClass::truncate, "%lld bytes at the origin, but %lld at the target",
                  static_cast<long long>(each->bytes()), static_cast<long long>(there));
  return success;
}

Error check_epoch(Window& window, int rank) {
  const Target& target = window.target(rank);
  if (window.fenced || window.locked_all || target.started || target.lock != Lock::none) return success;
  return fail(MPI_ERR_RMA_SYNC,
              "no epoch gives access to rank %d of %s: neither a fence, nor MPI_Win_start, nor a lock is in force",
              rank, describe(window));
}

Error check_range(Window& window, const AccessArgs& args, MPI_Aint place) {
  if (window.dynamic() || args.count == 0 || args.type->size == 0) return success;
  const __int128 steps = static_cast<__int128>(args.count - 1) * args.type->extent;
  const __int128 first = static_cast<__int128>(place) + args.type->true_lb;
  const __int128 low = first + (steps < 0 ? steps : 0);
  const __int128 high = first + (steps > 0 ? steps : 0) + args.type->true_extent;
  const MPI_Aint size = window.part(args.rank).size;
  if (low >= 0 && high <= size) return success;
  return fail(MPI_ERR_RMA_RANGE,
              "bytes %lld to %lld of the memory of rank %d: it has %lld bytes (displacement %lld, unit %lld)",
              static_cast<long long>(low), static_cast<long long>(high), args.rank, static_cast<long long>(size),
              static_cast<long long>(args.displacement), static_cast<long long>(window.part(args.rank).disp_unit));
}

}  // namespace

unsigned number_of(const Datatype& type) { return type.index; }

Error check_rank(const Window& window, int rank) {
  if (rank >= 0 && rank < window.comm->size()) return success;
  return fail(ErrorClass::rank, "rank %d does not exist: %s has %d ranks", rank, describe(window), window.comm->size());
}

Error check(Window& window, const AccessArgs& args, const Datatype*& element, MPI_Aint& place) {
  if (Error error = check_elements(args, element)) return error;
  if (args.rank == MPI_PROC_NULL) return success;
  if (Error error = check_rank(window, args.rank)) return error;
  if (Error error = check_epoch(window, args.rank)) return error;
  if (args.displacement < 0 && !window.dynamic())
    return fail(MPI_ERR_DISP, "target_disp %lld is negative", static_cast<long long>(args.displacement));
  if (__builtin_mul_overflow(args.displacement, window.dynamic() ? 1 : window.part(args.rank).disp_unit, &place))
    return fail(MPI_ERR_DISP, "target_disp %lld is beyond all memory", static_cast<long long>(args.displacement));
  if (Error error = check_sizes(args)) return error;
  return check_range(window, args, place);
}

}  // namespace cow::rma
