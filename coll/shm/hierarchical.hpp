// Parts of collectives of several nodes (coll/algorithms/nodes_*.hpp) among the ranks of one: its leader, which crosses the
// network for them, gathers or combines what they publish, and hands round what comes of it.
//
//   barrier, allreduce, allgather   collect, then spread, at the first of the ranks
//   bcast                           only spread, from the root or the first
//   reduce                          only collect, there
//
// Where both parts are short they share a round: all but the leader publish what they have and await the leader; it awaits all
// of them before it publishes what came of it. So each rank publishes and waits once.
#pragma once

#include "coll/shm/bcast.hpp"
#include "coll/shm/gather.hpp"
#include "coll/shm/reduce.hpp"

namespace cow::coll::shm {

// The first half of a round: the leader begins it, and does not publish. `sums`: combines, else gathers.
template <class V>
void collect(V& v, const Args& a, bool sums) {
  const Unit& unit = v.unit();
  const Count bytes = v.span(a.count);
  if (v.rank() != 0) {
    v.give(data_at(unit, a.send, 0), bytes);
    return;
  }
  v.begin();
  if (!v.await(1, v.size()) || bytes == 0) return;
  if (!sums) {
    v.move(a.recv, a.send, bytes);
    for (int r = 1; r < v.size(); ++r) v.move(plus(a.recv, r * bytes), v.slot(r), bytes);
    return;
  }
  Address own = data_at(unit, a.send, 0);
  const Address result = data_at(unit, a.recv, 0);
  if (own == result) {  // it is to be the last that is put on the left
    own = v.scratch(bytes);
    v.move(own, result, bytes);
  }
  combine(v, result, 1, v.size(), a.count, [&](int r) { return v.slot(r); }, 0);
  v.reduce(own, result, a.count);
}

// The second half of it: bytes.
template <class V>
void spread(V& v, const Args& a) {
  if (v.rank() == 0) {
    const Address place = v.place_for(a.count);
    if (!place) return;
    v.move(place, a.recv, a.count);
    v.publish();
    v.all_have_come();
    return;
  }
  if (!v.await(0, 1)) return;
  const Count came = v.length(0, a.count);
  v.move(a.recv, v.slot(0), std::min(came, a.count));
  if (came != a.count) v.hands_on(came, a.count);
}

}  // namespace cow::coll::shm
