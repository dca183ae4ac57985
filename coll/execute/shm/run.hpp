// The verbs of shared memory, done at once: what a blocking collective inside a node runs on. See coll/shm/verbs.hpp.
#pragma once

#include <cstring>

#include "coll/execute/run.hpp"
#include "coll/execute/shm/area.hpp"
#include "coll/shm/verbs.hpp"

namespace cow::coll {
struct Operation;
}

namespace cow::coll::shm {

class Run {
 public:
  // `kind`: the collective that the others are told of. It is for its caller to see that no rank of the area has died.
  Run(Area& area, Collective kind, const Unit& unit) : area_(area), slots_(area.slots()), unit_(unit), kind_(kind) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int rank() const { return slots_.rank(); }
  int size() const { return slots_.size(); }
  const Unit& unit() const { return unit_; }
  Count span(Count n) const { return unit_.span(n); }
  bool fixed_order() const { return area_.fixed_order(); }
  bool crowded() const { return turns(size(), area_.processors()) > 1; }

  Count piece() const { return area_.has_large_rings() ? Count{Slots::large_bytes} : Count{Slots::buffer_bytes}; }
  static constexpr Count line() { return 64; }
  static constexpr Count chunk() { return 8192; }
  void brings(Count bytes) { past_caches_ = bytes > static_cast<Count>(last_cache() / 2); }

  // ---- a round

  void begin() { begin(0); }
  [[nodiscard]] Address open(Count bytes) {
    begin(bytes);
    return place();
  }
  // Of a round that has begun.
  [[nodiscard]] Address place_for(Count bytes) {
    slots_.will_publish(static_cast<std::size_t>(bytes));
    return place();
  }
  void publish(bool complete = false) { area_.publish(complete); }
  bool give(Address from, Count bytes) {
    const Address own = open(bytes);
    if (!own) return false;
    if (bytes > 0) std::memcpy(at(own), at(from), static_cast<std::size_t>(bytes));
    publish();
    return true;
  }
  void complete() { slots_.complete(); }
  [[nodiscard]] bool await(int first, int end) {
    const Slots::Want want{slots_.number(), static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(end)};
    if (!area_.wait(want)) [[unlikely]]
      return lost();
    const auto own = static_cast<std::uint8_t>(kind_);
    for (int r = first; r < end; ++r)
      if (slots_.kind(r) != own) [[unlikely]]
        return differs(r);
    return true;
  }
  [[nodiscard]] bool await_all() {
    const bool alike = await(0, size());
    if (!area_.has_lost()) slots_.all_have_come();
    return alike;
  }
  void all_have_come() { slots_.all_have_come(); }
  bool is_complete(int rank) const {
    if (!slots_.has_published(rank, slots_.number()) || !slots_.is_complete(rank, slots_.number())) return false;
    slots_.expect(rank, slots_.number());
    return true;
  }

  // ---- data

  Address slot(int rank, Count at = 0) const { return data(rank, slots_.number(), at); }
  Address last_slot(int rank, Count at) const { return data(rank, slots_.number() - 1, at); }
  Count length(int rank, Count /*expected*/) const {
    return static_cast<Count>(slots_.bytes_of(rank, slots_.number()));
  }
  Count fit(int rank, Count came, Count room, int /*blocks*/ = 1) {
    if (came <= room) [[likely]]
      return came;
    too_long(rank, came, room);
    return room;
  }

  void move(Address to, Address from, Count bytes) {
    if (bytes == 8) return void(std::memcpy(at(to), at(from), 8));  // one load and one store
    if (bytes > 0 && to != from) std::memmove(at(to), at(from), static_cast<std::size_t>(bytes));
  }
  void put(Address place, Address from, Count bytes);
  void take(Address to, Address from, Count bytes) {
    if (past_caches_ && bytes > 0)
      copy_past_caches(static_cast<std::byte*>(at(to)), static_cast<const std::byte*>(at(from)),
                       static_cast<std::size_t>(bytes));
    else
      move(to, from, bytes);
  }
  void reduce(Address left, Address right, Count n) {
    const auto lb = static_cast<Address>(unit_.true_lb);
    unit_.combine(at(left - lb), at(right - lb), n);
  }
  Address scratch(Count bytes) { return area_.scratch(bytes); }

  // ---- blocks of any length: coll/shm/vector.hpp

  Count data_bytes(Count count, const Datatype* type) const { return count > 0 ? count * (type ? type->size : 1) : 0; }
  bool fits(Count bytes);
  bool has_large_ring() const { return area_.has_large_rings(); }
  [[nodiscard]] bool make_requested() {
    const Error error = area_.make_requested();
    note(error);
    return !error;
  }
  void pack(Address place, Count from_byte, Count bytes, Address from, Count count, const Datatype* type);
  void unpack(int rank, Address place, Count to_byte, Count bytes, Address to, Count count, const Datatype* type);
  void put_length(Address place, int i, Count length) { std::memcpy(at(plus(place, 8 * i)), &length, sizeof length); }
  Count read_length(int rank, int i) const {
    Count length;
    std::memcpy(&length, at(slot(rank, 8 * i)), sizeof length);
    return std::max<Count>(length, 0);
  }
  void transfer(Address to, Count to_n, const Datatype* to_type, Address from, Count from_n, const Datatype* from_type);
  template <class Text>
  void by_messages(Text text) {
    coll::Run messages(area_.comm(), area_.tag(), unit_, nullptr, nullptr);
    text(messages);
    messages.step();
    note(messages.result());
  }

  void note(Error error) {
    if (error && !first_) first_ = error;
  }
  Error result() const { return first_; }
  void forget() { first_ = success; }  // errors
  // A leader has handed on another length than was expected.
  void hands_on(Count came, Count expected);

 private:
  static void* at(Address address) { return reinterpret_cast<void*>(address); }
  void begin(Count bytes) { slots_.begin(static_cast<std::size_t>(bytes), static_cast<std::uint8_t>(kind_)); }
  Address place() {
    if (!slots_.may_write() && !area_.wait({slots_.needed_after_wait(), 0, static_cast<std::uint16_t>(size())}))
        [[unlikely]] {
      static_cast<void>(lost());
      return 0;
    }
    return reinterpret_cast<Address>(slots_.place());
  }
  Address data(int rank, Slots::Number number, Count offset) const {
    return plus(reinterpret_cast<Address>(slots_.data(rank, number)), offset);
  }
  bool lost();
  bool differs(int rank);
  void too_long(int rank, Count came, Count room);

  Area& area_;
  Slots& slots_;
  const Unit& unit_;
  const Collective kind_;
  bool past_caches_ = false;
  Error first_ = success;
};

// Runs way number `way` of the registry (one on shared memory) of a collective whose ranks share an area.
Error run_way(std::size_t way, Area& area, const Operation& operation);

// A part of a collective of several nodes among the ranks of one, which has `area`: bcast, reduce, gather, scatter, scan or exscan; ranks and roots are
// places among the node's.
class Parts {
 public:
  // `longest`: bytes of the longest part.
  Parts(Area& area, Collective whole, const Unit& unit, Count longest);
  // False for a rank that is alone on its node, which has nothing to do then.
  bool are_possible() const { return run_.size() > 1; }
  Error run(Collective which, const Args& args);
  bool have_lost() const { return area_.has_lost(); }  // a rank of the node
  // This rank has no memory left to go on with; the others of the node shall not wait for it, as far as that can be.
  void abandon();

 private:
  void perform(Collective which, const Args& args);
  template <bool inclusive>
  void scan(const Args& args);

  Area& area_;
  Run run_;
  const bool one_round_;
  bool is_due_ = false;  // this rank has begun that round, and the others wait for it
};

}  // namespace cow::coll::shm
