// The verbs of shared memory, written down: for nonblocking collectives, and for the examiner. See verbs.hpp.
//
// What stands in a slot has no address yet: in a schedule it is told by its rank, the round (the present one, or the one
// before) and a byte, packed into an Address that no memory has.
#pragma once

#include <functional>

#include "coll/core/schedule.hpp"
#include "coll/shm/verbs.hpp"

namespace cow::coll::shm {

struct SlotAddress {
  int rank;
  bool of_last_round;
  Count byte;

  static constexpr int rank_shift = 52, round_shift = 51;
  static constexpr Address mark = Address{1} << 63, zero = Address{1} << 48;  // bytes may be counted from below 0
  Address packed() const {
    return mark | static_cast<Address>(rank) << rank_shift | static_cast<Address>(of_last_round) << round_shift |
           plus(zero, byte);
  }
  static bool is_one(Address address) { return (address & mark) != 0; }
  static SlotAddress of(Address address) {
    constexpr Address bytes = (Address{1} << round_shift) - 1;
    return {static_cast<int>((address & ~mark) >> rank_shift), (address >> round_shift & 1) != 0,
            static_cast<Count>(address & bytes) - static_cast<Count>(zero)};
  }
};

// What a recorded way must know of the memory.
struct Terms {
  Count piece = Slots::large_bytes, line = 64, chunk = 8192;
  bool fixed_order = false;
  double processors = 0;
  // For the examiner, which knows of all ranks: whether a reader, which has published the present round or not, finds that a
  // rank has completed it; how long its block for another is, and what fits into one round.
  std::function<bool(int reader, int rank, bool published)> is_complete;
  std::function<Count(int rank, int to)> length;
  Count most = 0;
  bool large_ring = true;
};

inline const Terms any_terms;

class Recorder {
 public:
  explicit Recorder(coll::Recorder& recorder) : r_(recorder), terms_(*recorder.memory()) {}

  int rank() const { return r_.rank(); }
  int size() const { return r_.size(); }
  const Unit& unit() const { return r_.unit(); }
  Count span(Count n) const { return unit().span(n); }
  bool fixed_order() const { return terms_.fixed_order; }
  bool crowded() const { return turns(size(), terms_.processors) > 1; }
  Count piece() const { return terms_.piece; }
  Count line() const { return terms_.line; }
  Count chunk() const { return terms_.chunk; }
  void brings(Count) {}

  [[nodiscard]] Address open(Count bytes) {
    r_.add({Entry::Verb::open, 0, 0, 0, bytes, nullptr});
    published_ = false;
    return slot(rank());
  }
  void publish(bool complete = false) {
    r_.add({Entry::Verb::publish, complete, 0, 0, 0, nullptr});
    published_ = true;
  }
  bool give(Address from, Count bytes) {
    move(open(bytes), from, bytes);
    publish();
    return true;
  }
  void complete() { r_.add({Entry::Verb::complete, 0, 0, 0, 0, nullptr}); }
  [[nodiscard]] bool await(int first, int end) {
    if (first < end) r_.add({Entry::Verb::await, first, 0, 0, end, nullptr});
    return true;
  }
  [[nodiscard]] bool await_all() { return await(0, size()); }
  bool is_complete(int rank) {
    if (!terms_.is_complete || !terms_.is_complete(r_.rank(), rank, published_)) return false;
    r_.add({Entry::Verb::await_complete, rank, 0, 0, 0, nullptr});
    return true;
  }

  Address slot(int rank, Count at = 0) const { return SlotAddress{rank, false, at}.packed(); }
  Address last_slot(int rank, Count at) const { return SlotAddress{rank, true, at}.packed(); }
  Count length(int, Count expected) const { return expected; }
  Count fit(int rank, Count came, Count room, int blocks = 1) {
    r_.add({Entry::Verb::fit, rank, 0, 0, room * blocks, nullptr});
    return std::min(came, room);
  }

  void move(Address to, Address from, Count bytes) {
    if (bytes > 0 && to != from) r_.add({Entry::Verb::move, 0, from, to, bytes, nullptr});
  }
  void put(Address place, Address from, Count bytes) { move(place, from, bytes); }
  void take(Address to, Address from, Count bytes) { move(to, from, bytes); }
  void reduce(Address left, Address right, Count n) {
    const auto lb = static_cast<Address>(unit().true_lb);
    if (n > 0) r_.reduce(left - lb, right - lb, n);
  }
  Address scratch(Count bytes) { return r_.bytes_of_scratch(bytes); }

  // ---- blocks of any length: only where Terms tell what other ranks publish

  Count data_bytes(Count count, const Datatype*) const { return std::max<Count>(count, 0); }
  bool fits(Count bytes) const { return bytes <= terms_.most; }
  bool has_large_ring() const { return terms_.large_ring; }
  [[nodiscard]] bool make_requested() const { return true; }
  void pack(Address place, Count at, Count bytes, Address from, Count, const Datatype*) {
    move(place, plus(from, at), bytes);
  }
  void unpack(int, Address place, Count at, Count bytes, Address to, Count count, const Datatype*) {
    move(plus(to, at), place, std::min(bytes, count - at));
  }
  void put_length(Address, int, Count) {}
  Count read_length(int rank, int i) const { return terms_.length(rank, i); }
  void transfer(Address to, Count to_n, Datatype* to_type, Address from, Count from_n, Datatype* from_type) {
    r_.transfer(to, to_n, to_type, from, from_n, from_type);
  }
  template <class Text>
  void by_messages(Text text) {
    text(r_);
    r_.step();
  }

 private:
  coll::Recorder& r_;
  const Terms& terms_;
  bool published_ = false;  // the present round
};

}  // namespace cow::coll::shm
