// Parts of collectives of several nodes (algorithms/nodes_*.hpp) among the ranks of one: a head, which crosses the network
// for them, gathers or combines what they give, and spreads what comes of it.
//
//   barrier, allreduce, allgather   collect, then spread, at the first of the ranks
//   bcast                           only spread, from the root or the first
//   reduce                          only collect, there
//
// Where both parts are short they share a round: all but the head enter with what they have to give and wait for the head;
// it waits for all of them before it enters, with what came of it. So each rank has one entry and one wait.
#include <algorithm>
#include <utility>

#include "coll/node_area_parts.hpp"
#include "coll/streaming.hpp"

namespace cow::coll {
namespace {

// The same arguments in bytes of data, as collectives that only move them count.
Args in_bytes(const Unit& unit, const Args& args) {
  Args out = args;
  out.send += static_cast<Address>(unit.true_lb);
  out.recv += static_cast<Address>(unit.true_lb);
  out.count = unit.span(args.count);
  return out;
}

bool collects_and_spreads(Collective whole) {
  return whole == Collective::barrier || whole == Collective::allreduce || whole == Collective::allgather;
}

}  // namespace

bool NodeArea::parts_suit(const Operation& o, const Nodes& nodes, Count& longest) {
  if (o.measure == 0 && o.collective != Collective::barrier) return false;  // there is nothing to wait for
  if (o.unit.op && !o.unit.combine) return false;
  longest = o.measure;
  if (o.collective == Collective::allgather) longest *= static_cast<Count>(nodes.size());
  if (o.unit.extent != o.unit.size) longest = longest / std::max<Count>(o.unit.size, 1) * o.unit.extent;
  return longest <= most_of_parts(nodes.largest());
}

void NodeArea::begin_parts(Collective whole, int tag, Count longest) {
  present_ = whole;
  mismatch_ = success;
  tag_ = tag;
  one_round_ = collects_and_spreads(whole) && !Board::needs_hall(static_cast<std::size_t>(longest));
}

Error NodeArea::part(Collective which, const Unit& unit, const Args& args) {
  if (dead_ >= 0) return loss();
  if (abandoned_) return fail(ErrorClass::no_mem, "this rank had no memory to finish a collective, and is out of step");
  const Error error = perform_part(which, unit, args);
  if (dead_ >= 0) return loss();
  return mismatch_ ? std::exchange(mismatch_, success) : error;
}

Error NodeArea::perform_part(Collective which, const Unit& unit, const Args& args) {
  const Count bytes = unit.span(args.count);
  const bool is_long = Board::needs_hall(static_cast<std::size_t>(bytes));
  past_caches_ = is_long && static_cast<std::size_t>(bytes * (which == Collective::reduce ? 1 : size_)) > last_cache() / 2;
  switch (which) {
    case Collective::bcast: {
      const Args data = in_bytes(unit, args);
      return one_round_ ? spread(data) : is_long ? bcast_long(data) : bcast(data);
    }
    case Collective::gather:
      if (one_round_) return collect(unit, args, false);
      if (!is_long) return gather(args, false);
      gather_long(args, false);
      return success;
    case Collective::reduce:
      if (one_round_) return collect(unit, args, true);
      if (!is_long) return reduce(unit, args, false);
      return many_at_work() ? sum_by_blocks(unit, args, false) : reduce_at_root(unit, args);
    default: broken(__FILE__, __LINE__, "no part of a collective");
  }
}

// The first half of a round: the head has begun it and not entered.
Error NodeArea::collect(const Unit& unit, const Args& a, bool sums) {
  const auto lb = static_cast<Address>(unit.true_lb);
  const Count bytes = unit.span(a.count);
  if (rank_ != 0) {
    give(a.send + lb, bytes);
    return success;
  }
  board_.begin(0, static_cast<std::uint8_t>(present_));
  entry_due_ = true;
  wait(1, size_);
  if (dead_ >= 0 || bytes == 0) return success;
  if (!sums) {
    if (a.recv != a.send) std::memmove(bytes_at(a.recv), bytes_at(a.send), static_cast<std::size_t>(bytes));
    for (int r = 1; r < size_; ++r) copy(a.recv + static_cast<Address>(r * bytes), given(r), bytes);
    return success;
  }
  Address own = a.send + lb;
  if (a.send == a.recv) {  // it is to be the last that is put on the left
    halves_.resize(std::max(halves_.size(), static_cast<std::size_t>(bytes)));
    std::memcpy(halves_.data(), bytes_at(own), static_cast<std::size_t>(bytes));
    own = reinterpret_cast<Address>(halves_.data());
  }
  if (Error error = combine(unit, a.recv + lb, board_.number(), 1, size_, 0, a.count)) return error;
  unit.combine(bytes_at(own - lb), bytes_at(a.recv), a.count);
  return success;
}

// The second half of it.
Error NodeArea::spread(const Args& a) {
  if (rank_ == 0) {
    board_.will_give(static_cast<std::size_t>(a.count));
    copy(reinterpret_cast<Address>(free_place()), bytes_at(a.recv), dead_ < 0 ? a.count : 0);
    entry_due_ = false;
    enter();
    if (dead_ < 0) board_.all_are_in();
    return success;
  }
  wait(0, 1);
  const auto came = static_cast<Count>(board_.given_bytes(0, board_.number()));
  copy(a.recv, given(0), std::min(a.count, came));
  if (came == a.count || dead_ >= 0) return success;
  return fail(ErrorClass::truncate, "rank %d of the communicator hands on %lld bytes, of %lld", ranks_[0],
              static_cast<long long>(came), static_cast<long long>(a.count));
}

void NodeArea::abandon() {
  if (entry_due_) {
    entry_due_ = false;
    board_.will_give(0);
    enter();
  } else {
    abandoned_ = true;
  }
}

}  // namespace cow::coll
