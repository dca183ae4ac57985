// Prefix sums on the board. Each rank gives its vector; and behind it, as soon as it knows it, what all ranks up to itself
// come to (as in "Single-pass parallel prefix scan with decoupled look-back", Merrill and Garland 2016). Who comes later needs
// the vectors back to the nearest rank that has got so far, if they are there, and nobody waits for that: with a processor
// for each rank all combine at once what lies below them, and of ranks that take turns each finds the sum of the rank below,
// reads one place, combines once, and may go ahead of those above by as many rounds as it has lines.
//
// All combine from the left, so the results do not depend on who was how fast.
#include <algorithm>
#include <cstring>
#include <utility>

#include "coll/node_area.hpp"
#include "coll/run.hpp"

namespace cow::coll {
namespace {

std::byte* bytes_at(Address address) { return reinterpret_cast<std::byte*>(address); }
Address address_of(const std::byte* bytes) { return reinterpret_cast<Address>(bytes); }

void copy(Address to, const void* from, Count bytes) { std::memcpy(bytes_at(to), from, static_cast<std::size_t>(bytes)); }

// The two halves of what a rank gives.
Count half_of(Count bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

Error NodeArea::scan(const Unit& unit, const Args& a, bool inclusive) {
  if (2 * half_of(unit.span(a.count)) <= static_cast<Count>(Board::small_bytes)) return scan_in_turn(unit, a, inclusive);
  const auto lb = static_cast<Address>(unit.true_lb);
  give(a.send + lb, unit.span(a.count));
  if (rank_ == 0 && !inclusive) return success;
  wait(0, rank_);
  return combine(unit, a.recv + lb, board_.number(), 0, rank_ + inclusive, 0, a.count);
}

Error NodeArea::scan_in_turn(const Unit& unit, const Args& a, bool inclusive) {
  const Count bytes = unit.span(a.count), half = half_of(bytes);
  const auto lb = static_cast<Address>(unit.true_lb);
  const std::byte* const own = bytes_at(a.send + lb);
  const Address result = a.recv + lb;
  const bool last = rank_ == size_ - 1;  // from whom nobody wants anything
  const Address place = address_of(open(last ? 0 : 2 * half)), sum = place + static_cast<Address>(half);
  if (dead_ >= 0) return success;  // which run() makes an error; what lies in the place may still be read
  if (rank_ == 0) {
    copy(sum, own, bytes);
    enter(true);
    if (inclusive && result != address_of(own)) copy(result, own, bytes);
    return success;
  }
  const Board::Number number = board_.number();
  Scratch scratch;
  const std::byte* below = nullptr;
  const bool in_turn = board_.has_entered(rank_ - 1, number) && board_.is_whole(rank_ - 1, number);
  if (in_turn) {
    compare_kinds(rank_ - 1, rank_);
    below = board_.given(rank_ - 1, number) + half;
  } else {
    if (!last) copy(place, own, bytes);
    enter();
    wait(0, rank_);
    if (dead_ >= 0) return success;
    const Address room = scratch.room(2 * half);
    if (room == 0) return fail(ErrorClass::no_mem, "no memory for %lld bytes of scratch", static_cast<long long>(2 * half));
    if (Error error = combine_below(unit, a.count, half, room, below)) return error;
  }
  // The sum for those above is made in the place, or in the result where nobody is above.
  const Address target = last ? result : sum;
  Error error = success;
  if (!last || inclusive) {
    if (target != address_of(own)) copy(target, own, bytes);
    error = reduce_local(*unit.op, *unit.type, below - unit.true_lb, bytes_at(target - lb), a.count);
  }
  if (in_turn)
    enter(true);
  else if (!last)
    board_.complete();
  if (!inclusive)
    copy(result, below, bytes);
  else if (!last)
    copy(result, bytes_at(sum), bytes);
  return error;
}

// What ranks 0 … rank_ - 1, who all have entered, come to: where it lies, in the place of the rank below or in scratch of two
// halves.
Error NodeArea::combine_below(const Unit& unit, Count n, Count half, Address scratch, const std::byte*& out) {
  const Board::Number number = board_.number();
  const Count bytes = unit.span(n);
  int from = rank_ - 1;
  while (from > 0 && !board_.is_whole(from, number)) --from;  // rank 0 is, unless it is in another collective
  out = board_.given(from, number) + half;
  Address next = scratch, after = scratch + static_cast<Address>(half);
  for (int r = from + 1; r < rank_; ++r) {
    copy(next, board_.given(r, number), bytes);
    if (Error error = reduce_local(*unit.op, *unit.type, out - unit.true_lb, bytes_at(next) - unit.true_lb, n)) return error;
    out = bytes_at(next);
    std::swap(next, after);
  }
  return success;
}

}  // namespace cow::coll
