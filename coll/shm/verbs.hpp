// The verbs of shared memory, on which the ways of this folder are written: what the ranks of a node do in rounds on their
// slots (slots.hpp). As with messages (coll/core/verbs.hpp), a way is one function template `run(V& v, const Args& a)`: engine/
// run.hpp does each verb at once (a blocking call), Recorder (recorder.hpp) writes them down for a nonblocking call or an
// imagined machine. Every rank goes through the same number of rounds.
//
//   v.rank()  v.size()  v.unit()      as ever; ranks are those of the node
//   v.open(bytes)                     a new round: a place for so many bytes, in which this rank will publish
//   v.put(place, from, bytes)         own data into that place
//   v.publish()                       what is there is seen by the others; publish(true): nothing will be added
//   v.give(from, bytes)               the three at once; give(0, 0) where this rank has nothing for the others
//   v.complete()                      what was added after publishing is there
//   v.await(first, end)               until these ranks have published the present round; v.await_all()
//   v.slot(rank, at)                  where byte `at` of what a rank published stands, which has been awaited;
//   v.last_slot(rank, at)             the same of the round before, until this rank publishes the present one
//   v.length(rank, expected)          how many bytes it published
//   v.fit(rank, came, room)           how many of `came` bytes fit; that they do not all is an error of the collective (with
//                                     a number of blocks where a rank published so many of that length)
//   v.take(to, from, bytes)           data of others
//   v.move(to, from, bytes)           any data
//   v.reduce(left, right, n)          right = left op right, n units
//   v.scratch(bytes)                  room until the next scratch()
//   v.is_complete(rank)               whether a rank has published, and completed, the present round (by chance)
//   v.fixed_order()                   whether reductions keep to the one order of docs/collectives.md
//   v.piece()  v.line()  v.chunk()    bytes: of a piece of a long vector, most; places begin at multiples; combined at a time
//   v.brings(bytes)                   so many will be received by all ranks together: more than the caches hold go past them
//
// Lengths are in bytes, and addresses those of the first byte of data, which of a datatype may not be where its elements
// begin; n counts units, of which v.span(n) are the bytes.
//
// open(), give() and await() say whether the way can go on: they do not where a rank has died, or has been found in another
// collective. The way then ends, and the verbs know the error.
#pragma once

#include <algorithm>
#include <bit>

#include "coll/core/model.hpp"
#include "coll/shm/limits.hpp"

namespace cow::coll::shm {

inline Count round_up(Count bytes, Count line) { return (bytes + line - 1) / line * line; }
inline Count round_down(Count bytes, Count line) { return bytes / line * line; }

// How many units `bytes` bytes hold; at least one.
inline Count units_in(const Unit& unit, Count bytes) {
  return std::max<Count>(1, (bytes - unit.true_extent) / unit.extent + 1);
}

// The first byte of data of unit i.
inline Address data_at(const Unit& unit, Address base, Count i) {
  return base + static_cast<Address>(i * unit.extent + unit.true_lb);
}
inline Address plus(Address address, Count bytes) { return address + static_cast<Address>(bytes); }

}  // namespace cow::coll::shm
