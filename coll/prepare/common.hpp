// Pieces of prepare_*.cpp.
#pragma once

#include "coll/prepare/prepare.hpp"

namespace cow::coll {

inline Address address_of(const void* buffer) { return reinterpret_cast<Address>(buffer); }
inline bool in_place(const void* buffer) { return buffer == MPI_IN_PLACE; }

// Whether `count` elements are one run of bytes.
inline bool is_run(const Datatype& type, MPI_Count count) { return type.contiguous || (type.dense && count <= 1); }
inline Address first_byte(const void* buffer, const Datatype& type) {
  return address_of(buffer) + static_cast<Address>(type.true_lb);
}
inline Address element(const void* buffer, const Datatype& type, MPI_Count i) {
  return address_of(buffer) + static_cast<Address>(i * type.extent);
}

// A datatype that is significant here: valid and committed.
inline Error need(const Datatype* type, const char* which) {
  if (!type) return fail(ErrorClass::type, "%s is not a datatype, or one that was freed", which);
  if (!type->committed) return fail(ErrorClass::type, "%s (%s) is not committed", which, describe(*type));
  return success;
}

// What every collective begins with; those that move bytes, with these as their unit.
Error begin_across(Operation& o);  // an intercommunicator
inline Error begin(Operation& o, Collective which, Comm& comm) {
  o.collective = which;
  o.comm = &comm;
  return comm.inter() ? begin_across(o) : success;
}
inline Error begin_moving(Operation& o, Collective which, Comm& comm) {
  o.unit.type = find(MPI_BYTE);
  return begin(o, which, comm);
}

// The ranks whose blocks a call speaks of: those of the other group on an intercommunicator.
inline int peers_of(const Comm& comm) { return comm.peers().size(); }
inline bool is_root(const Comm& comm, int root) { return comm.inter() ? root == MPI_ROOT : comm.rank == root; }
// Ranks of the root's group that are not the root have no part in a rooted collective of an intercommunicator.
inline bool looks_on(const Comm& comm, int root) { return comm.inter() && root == MPI_PROC_NULL; }

// The root of an intercommunicator has no block of its own: its other buffer has no meaning.
inline bool is_across(const Comm& comm, int root) { return comm.inter() && root == MPI_ROOT; }

inline Error check_in_place(const Comm& comm, const void* buffer) {
  if (!comm.inter() || !in_place(buffer)) return success;
  return fail(ErrorClass::buffer, "MPI_IN_PLACE has no meaning on an intercommunicator");
}

// What a rank sends to itself. Algorithms take it to be as long as what it receives.
inline Error check_own_block(Count sent, Count received) {
  if (sent == received) return success;
  return fail(sent > received ? ErrorClass::truncate : ErrorClass::count,
              "this rank sends %lld bytes to itself, and receives %lld from itself", static_cast<long long>(sent),
              static_cast<long long>(received));
}

// The send buffer is `count` elements; packed when they are not one run.
inline void send_from(Operation& o, const void* buffer, MPI_Count count, Datatype& type) {
  if (is_run(type, count)) {
    o.args.send = first_byte(buffer, type);
  } else {
    o.in_bytes = count * type.size;
    o.lists().in.push_back({address_of(buffer), count, &type, 0});
  }
}
inline void receive_into(Operation& o, const void* buffer, MPI_Count count, Datatype& type) {
  if (is_run(type, count)) {
    o.args.recv = first_byte(buffer, type);
  } else {
    o.out_bytes = count * type.size;
    o.lists().out.push_back({address_of(buffer), count, &type, 0});
  }
}

}  // namespace cow::coll
