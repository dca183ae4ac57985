// What gatherv, scatterv and alltoallv share: blocks of any length and type, of which only some ranks know how long they are.
//
// Verbs beside those of verbs.hpp:
//   v.data_bytes(count, type)                  of data
//   v.fits(bytes)                              whether this rank can publish so much in one round. If only large rings are
//                                              missing, it requests them: they are made some hundred rounds later
//   v.make_requested()                         makes them, when they are due
//   v.pack(place, at, bytes, from, count, type)        bytes [at, at + bytes) of data, into an own place
//   v.unpack(rank, place, at, bytes, to, count, type)  out of the place of a rank, as far as they fit: else an error
//   v.put_length(place, i, n)  v.read_length(rank, i)  the i-th of the lengths that a rank publishes
//   v.transfer(to, n, type, from, n, type)     from one own buffer to another
//   v.by_messages(text)                        what does not fit: text(m), on the verbs of coll/core/verbs.hpp
#pragma once

#include <vector>

#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

inline constexpr Count length_bytes = sizeof(Count);

// Blocks that a rank publishes for all others: how long each is, and behind that, if there is room for all in one round, the
// blocks. They stand right behind the lengths in a slot, else at the start of a line.
template <class V>
class VectorBlocks {
 public:
  explicit VectorBlocks(V& v) : v_(v) {}

  // bytes(r), from(r), count(r), type(r): the block for rank r. False: the way cannot go on.
  template <class Bytes, class From, class CountOf, class TypeOf>
  bool publish(Bytes bytes, From from, CountOf count, TypeOf type) {
    Count data = 0;
    for (int r = 0; r < v_.size(); ++r)
      if (r != v_.rank()) data += bytes(r);
    const bool whole = v_.fits(data + start(data));
    const Address place = v_.open(whole ? data + start(data) : length_bytes * v_.size());
    if (!place) return false;
    Count at = start(data);
    for (int r = 0; r < v_.size(); ++r) {
      const Count length = r == v_.rank() ? 0 : bytes(r);
      v_.put_length(place, r, length);
      if (!whole || length == 0) continue;
      v_.pack(plus(place, at), 0, length, from(r), count(r), type(r));
      at += length;
    }
    v_.publish(whole);
    return true;
  }

  // Of what another published whole: the block for this rank.
  void take(int from, Address to, Count count, Datatype* type) {
    Count before = 0, data = 0;
    for (int r = 0; r < v_.size(); ++r) {
      if (r == v_.rank()) before = data;
      data += v_.read_length(from, r);
    }
    const Count at = start(data) + before, length = v_.read_length(from, v_.rank());
    const Count there = std::clamp<Count>(v_.length(from, at + length) - at, 0, length);
    v_.unpack(from, v_.slot(from, at), 0, there, to, count, type);
  }

 private:
  Count start(Count data) const {
    const Count lengths = length_bytes * v_.size();
    return lengths + data <= static_cast<Count>(Slots::inline_bytes) ? lengths : round_up(lengths, v_.line());
  }

  V& v_;
};

}  // namespace cow::coll::shm
