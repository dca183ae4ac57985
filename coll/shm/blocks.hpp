// Long vectors, reduced by blocks: each rank combines a block of every piece of them, and publishes, with its part of the next
// piece, the sums of its block. So there is one wait for each piece.
#pragma once

#include "coll/shm/combine.hpp"

namespace cow::coll::shm {

inline void cost_in_blocks(Cost& cost, const Problem& p) {
  const auto bytes = static_cast<double>(p.bytes);
  cost.copy(bytes + bytes / p.size);
  cost.round(p.size - 1);
  cost.reduce(bytes * (p.size - 1) / p.size);
  cost.round(p.size - 1);
}

template <class V>
class InBlocks {
 public:
  InBlocks(V& v, const Args& a, bool receives)
      : v_(v), a_(a), unit_(v.unit()), receives_(receives),
        units_(
            std::min(a.count, units_in(unit_, (v.piece() - 2 * v.line()) / (v.size() + 1) * v.size() - unit_.extent))),
        sums_(round_up(v.span(units_), v.line())) {}

  // A round for each piece, and one for the last sums.
  void run() {
    for (Count at = 0; at < a_.count + units_ && units_ > 0; at += units_) {
      if (!publish(at)) return;
      if (length(at) == 0 && !receives_) return;
      if (!v_.await_all()) return;
      if (receives_) take_sums(at - units_);
    }
  }

 private:
  Count length(Count at) const { return at < 0 ? 0 : std::clamp<Count>(a_.count - at, 0, units_); }
  EvenBlocks blocks(Count at) const { return {length(at), v_.size()}; }

  // This rank's part of a piece, and its sums of the one before.
  bool publish(Count at) {
    const Count last = at - units_;
    const EvenBlocks now = blocks(at), before = blocks(last);
    const Count summed = before.length(v_.rank());
    const Address place = v_.open(summed > 0 ? sums_ + v_.span(summed) : v_.span(now.n));
    if (!place) return false;
    put_others(place, at, now);
    if (summed > 0) put_sums(plus(place, sums_), last, before.offset(v_.rank()), summed);
    v_.publish();
    return true;
  }

  // A piece without the block that this rank combines, which nobody else needs of it.
  void put_others(Address place, Count at, const EvenBlocks& blocks) {
    const Count own = blocks.offset(v_.rank()), after = own + blocks.length(v_.rank());
    v_.put(place, data_at(unit_, a_.send, at), v_.span(own));
    v_.put(plus(place, after * unit_.extent), data_at(unit_, a_.send, at + after), v_.span(blocks.n - after));
  }

  void put_sums(Address place, Count piece, Count own, Count n) {
    const Address mine = data_at(unit_, a_.send, piece + own);
    const Address result = receives_ ? data_at(unit_, a_.recv, piece + own) : place;
    combine_long(v_, result, n, [&](int r) { return r == v_.rank() ? mine : v_.last_slot(r, own * unit_.extent); });
    if (receives_) v_.put(place, result, v_.span(n));
  }

  void take_sums(Count piece) {
    const EvenBlocks before = blocks(piece);
    for (int i = 1; i < v_.size(); ++i) {
      const int r = (v_.rank() + i) % v_.size();
      if (before.length(r) > 0)
        v_.take(data_at(unit_, a_.recv, piece + before.offset(r)), v_.slot(r, sums_), v_.span(before.length(r)));
    }
  }

  V& v_;
  const Args& a_;
  const Unit& unit_;
  const bool receives_;
  const Count units_;  // of a piece
  const Count sums_;   // where they stand in what is published
};

// `receives`: whether the result goes to this rank.
template <class V>
void reduce_in_blocks(V& v, const Args& a, bool receives) {
  InBlocks<V>(v, a, receives).run();
}

}  // namespace cow::coll::shm
