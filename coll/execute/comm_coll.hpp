// What collectives know of a communicator: the choice of algorithms, made at its first collective.
#pragma once

#include "coll/core/call.hpp"
#include "coll/execute/shm/area.hpp"
#include "coll/execute/shm/sequence.hpp"
#include "coll/select/select.hpp"
#include "objects/comm.hpp"

namespace cow::coll {

struct CommColl : CommExtension {
  explicit CommColl(Selector&& s) : selector(std::move(s)) {}
  Selector selector;

  // What blocking collectives can use of the memory that the ranks share, as far as is known; how many there were that would
  // have gone by it; and the memory, made when the communicator has shown that it is used.
  Memory memory = Memory::none;
  int suitable = 0;
  static constexpr int suitable_before = 8;
  std::unique_ptr<shm::Area> area;
  // The same for nonblocking ones.
  int suitable_nonblocking = 0;
  std::shared_ptr<shm::Sequence> sequence;
  // Persistent ones, which may be started in any order, have each their own; this many have one.
  int persistent_on_memory = 0;
  static constexpr int most_persistent_on_memory = 16;
};

Error make_comm_coll(Comm& comm);

// The selector of a communicator. Its layout is that of find_layout(); "cow_coll" and COW_COLL name algorithms;
// "cow_reproducible" and COW_REPRODUCIBLE keep to one order of combining.
inline Error comm_coll_of(Comm& comm, CommColl*& out) {
  if (!comm.coll)
    if (Error error = make_comm_coll(comm)) return error;
  out = static_cast<CommColl*>(comm.coll);
  return success;
}
inline Error selector_of(Comm& comm, Selector*& out) {
  CommColl* coll = nullptr;
  if (Error error = comm_coll_of(comm, coll)) return error;
  out = &coll->selector;
  return success;
}

// Operations are taken as if they did not commute where the order must be the same every time.
inline void keep_order(Operation& operation, const Selector& selector) {
  if (selector.reproducible()) operation.unit.commutative = false;
}

// Tags. Collectives are begun in the same order everywhere, so that their number serves. A persistent collective keeps
// its tag from one start to the next, in a range of its own.
inline int next_tag(Comm& comm) { return static_cast<int>(comm.collectives_begun++ & 0x3fffffff); }
inline int next_persistent_tag(Comm& comm) {
  return static_cast<int>(0x40000000 | (comm.collectives_begun++ & 0x3fffffff));
}

}  // namespace cow::coll
