// Collectives that reduce.
#include "coll/prepare/common.hpp"

namespace cow::coll {
namespace {

// The unit is an element of the vector; the result goes to `result`, which is the vector itself in place.
Error begin_reducing(Operation& o, Collective which, Comm& comm, const void* buffer, Datatype* type, void* result,
                     Op* op) {
  if (Error error = begin(o, which, comm)) return error;
  if (Error error = check_in_place(comm, buffer)) return error;
  if (Error error = need(type, "datatype")) return error;
  if (!op) return fail(ErrorClass::op, "op is not an operation, or one that was freed");
  if (Error error = check_op(*op, *type, o.unit.combine)) return error;
  o.unit.type = type;
  o.unit.op = op;
  o.unit.extent = type->extent;
  o.unit.size = type->size;
  o.unit.true_lb = type->true_lb;
  o.unit.true_extent = type->true_extent;
  o.unit.commutative = op->commutative;
  o.args.recv = address_of(result);
  o.args.send = in_place(buffer) ? o.args.recv : address_of(buffer);
  return success;
}

}  // namespace

Error prepare_reduce(Operation& o, Comm& comm, const Data& data, void* result, Op* op, int root) {
  if (looks_on(comm, root)) {
    o.args.root = root;
    return begin_moving(o, Collective::reduce, comm);
  }
  if (Error error = begin_reducing(o, Collective::reduce, comm, data.buffer, data.type, result, op)) return error;
  o.args.root = root;
  o.args.count = data.count;
  o.measure = data.count * data.type->size;
  return success;
}

Error prepare_sum(Operation& o, Collective which, Comm& comm, const Data& data, void* result, Op* op) {
  if (Error error = begin_reducing(o, which, comm, data.buffer, data.type, result, op)) return error;
  o.args.count = data.count;
  o.measure = data.count * data.type->size;
  return success;
}

Error prepare_reduce_scatter_block(Operation& o, Comm& comm, const Data& data, void* result, Op* op) {
  if (Error error = begin_reducing(o, Collective::reduce_scatter_block, comm, data.buffer, data.type, result, op))
    return error;
  o.args.count = data.count;
  o.measure = data.count * data.type->size * comm.size();
  return success;
}

Error prepare_reduce_scatter(Operation& o, Comm& comm, const void* buffer, Counts counts, Datatype* type, void* result,
                             Op* op) {
  if (Error error = begin_reducing(o, Collective::reduce_scatter, comm, buffer, type, result, op)) return error;
  Count total = 0;
  for (int i = 0; i < comm.size(); ++i) {
    o.lists().counts.push_back(counts[i]);
    o.lists().displs.push_back(total);
    total += counts[i];
  }
  o.args.counts = o.lists().counts.data();
  o.args.displs = o.lists().displs.data();
  o.measure = total * type->size;
  return success;
}

}  // namespace cow::coll
