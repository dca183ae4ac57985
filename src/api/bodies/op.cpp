// Reduction operations.
#include "objects/op.hpp"

#include "api/bodies.hpp"

namespace cow {

Error body::Op_create(PolyFunction<MPI_User_function, MPI_User_function_c> user_fn, int commute, MPI_Op* op) {
  if (!user_fn.small && !user_fn.large) return fail(ErrorClass::arg, "user_fn is a null pointer");
  Op* made;
  const Error error = user_fn.small
                          ? create_op(call_c_op, reinterpret_cast<void*>(user_fn.small), commute != 0, made)
                          : create_op(call_c_op_large, reinterpret_cast<void*>(user_fn.large), commute != 0, made);
  if (error) return error;
  *op = handle_of(*made);
  return success;
}

Error body::Op_free(MPI_Op* op) {
  Op& freed = *find(*op);
  if (freed.predefined()) return fail(ErrorClass::op, "%s is predefined and cannot be freed", freed.name);
  table<Op>().erase(freed);
  release(freed);
  *op = MPI_OP_NULL;
  return success;
}

Error body::Op_commutative(Op& op, int* commute) {
  *commute = op.commutative;
  return success;
}

Error body::Reduce_local(const void* inbuf, void* inoutbuf, MPI_Count count, Datatype& datatype, Op& op) {
  if (const Error error = check_op(op, datatype)) return error;
  return reduce_local(op, datatype, inbuf, inoutbuf, count);
}

}  // namespace cow
