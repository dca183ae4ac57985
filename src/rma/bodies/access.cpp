// Accesses of other ranks' memory.
#include "rma/access.hpp"

#include "api/bodies.hpp"
#include "coll/execute/forms.hpp"

namespace cow {

using namespace rma;

namespace {

void* writable(const void* buffer) { return const_cast<void*>(buffer); }

Error give(Win& win, AccessArgs args, MPI_Request* out) {
  args.wants_request = true;
  Request* request;
  if (Error error = begin(window_of(win), args, request)) return error;
  return coll::hand_out(*request, out);
}

AccessArgs put(const void* buffer, MPI_Count count, Datatype& type, int rank, MPI_Aint displacement,
               MPI_Count target_count, Datatype& target_type, Op* op = nullptr) {
  AccessArgs args{};
  args.verb = op ? Verb::accumulate : Verb::put;
  args.origin = {writable(buffer), count, &type};
  args.rank = rank;
  args.displacement = displacement;
  args.count = target_count;
  args.type = &target_type;
  args.op = op;
  return args;
}

AccessArgs get(void* buffer, MPI_Count count, Datatype& type, int rank, MPI_Aint displacement, MPI_Count target_count,
               Datatype& target_type) {
  AccessArgs args{};
  args.verb = Verb::get;
  args.result = {buffer, count, &type};
  args.rank = rank;
  args.displacement = displacement;
  args.count = target_count;
  args.type = &target_type;
  return args;
}

// With MPI_NO_OP the origin's buffer means nothing.
AccessArgs fetch(AccessArgs args, void* result, MPI_Count count, Datatype& type, Op& op) {
  args.verb = Verb::get_accumulate;
  args.result = {result, count, &type};
  if (&op == find(MPI_NO_OP)) args.origin = {};
  return args;
}

Error need_predefined(const Datatype& type) {
  if (type.permanent) return success;
  return fail(ErrorClass::type, "%s is not a predefined datatype", describe(type));
}

Error need_buffers(bool all_given) {
  return all_given ? success : fail(ErrorClass::buffer, "a buffer is a null pointer");
}

}  // namespace

Error body::Put(const void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype, int target_rank,
                MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Win& win) {
  return begin(window_of(win), put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                                   target_datatype));
}

Error body::Rput(const void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype, int target_rank,
                 MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Win& win,
                 MPI_Request* request) {
  return give(win,
              put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype),
              request);
}

Error body::Get(void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype, int target_rank,
                MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Win& win) {
  return begin(window_of(win), get(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                                   target_datatype));
}

Error body::Rget(void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype, int target_rank,
                 MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Win& win,
                 MPI_Request* request) {
  return give(win,
              get(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype),
              request);
}

Error body::Accumulate(const void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype, int target_rank,
                       MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Op& op, Win& win) {
  return begin(window_of(win), put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count,
                                   target_datatype, &op));
}

Error body::Raccumulate(const void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype, int target_rank,
                        MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Op& op, Win& win,
                        MPI_Request* request) {
  return give(
      win,
      put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype, &op),
      request);
}

Error body::Get_accumulate(const void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype,
                           void* result_addr, MPI_Count result_count, Datatype& result_datatype, int target_rank,
                           MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Op& op, Win& win) {
  const AccessArgs args =
      put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype, &op);
  return begin(window_of(win), fetch(args, result_addr, result_count, result_datatype, op));
}

Error body::Rget_accumulate(const void* origin_addr, MPI_Count origin_count, Datatype& origin_datatype,
                            void* result_addr, MPI_Count result_count, Datatype& result_datatype, int target_rank,
                            MPI_Aint target_disp, MPI_Count target_count, Datatype& target_datatype, Op& op, Win& win,
                            MPI_Request* request) {
  const AccessArgs args =
      put(origin_addr, origin_count, origin_datatype, target_rank, target_disp, target_count, target_datatype, &op);
  return give(win, fetch(args, result_addr, result_count, result_datatype, op), request);
}

Error body::Fetch_and_op(const void* origin_addr, void* result_addr, Datatype& datatype, int target_rank,
                         MPI_Aint target_disp, Op& op, Win& win) {
  if (Error error = need_predefined(datatype)) return error;
  if (Error error = need_buffers(result_addr && (origin_addr || &op == find(MPI_NO_OP)))) return error;
  const AccessArgs args = put(origin_addr, 1, datatype, target_rank, target_disp, 1, datatype, &op);
  return begin(window_of(win), fetch(args, result_addr, 1, datatype, op));
}

// The values are sent, or used here, before the call returns to a program that may change them: by MPI it may not before
// the operation is complete.
Error body::Compare_and_swap(const void* origin_addr, const void* compare_addr, void* result_addr, Datatype& datatype,
                             int target_rank, MPI_Aint target_disp, Win& win) {
  if (Error error = need_predefined(datatype)) return error;
  if (Error error = need_buffers(origin_addr && compare_addr && result_addr)) return error;
  switch (datatype.category) {
    case Category::c_integer:
    case Category::fortran_integer:
    case Category::logical:
    case Category::multi_language:
    case Category::byte: break;
    default:
      return fail(ErrorClass::type, "%s cannot be compared: expected integers, logicals or bytes", describe(datatype));
  }
  AccessArgs args = put(compare_addr, 1, datatype, target_rank, target_disp, 1, datatype);
  args.verb = Verb::swap;
  args.result = {result_addr, 1, &datatype};
  args.swap_value = origin_addr;
  return begin(window_of(win), args);
}

}  // namespace cow
