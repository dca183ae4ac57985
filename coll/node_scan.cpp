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

namespace cow::coll {
namespace {

std::byte* bytes_at(Address address) { return reinterpret_cast<std::byte*>(address); }
Address address_of(const std::byte* bytes) { return reinterpret_cast<Address>(bytes); }

void copy(Address to, const void* from, Count bytes) {
  if (bytes == 8) return void(std::memcpy(bytes_at(to), from, 8));
  if (bytes == 4) return void(std::memcpy(bytes_at(to), from, 4));
  std::memcpy(bytes_at(to), from, static_cast<std::size_t>(bytes));
}

// The two halves of what a rank gives.
Count half_of(Count bytes) { return (bytes + 7) / 8 * 8; }

}  // namespace

Error NodeArea::scan(const Unit& unit, const Args& a, bool inclusive) {
  const Count bytes = unit.span(a.count);
  if (2 * half_of(bytes) <= static_cast<Count>(Board::small_bytes)) return scan_in_turn(unit, a, bytes, inclusive);
  return scan_in_one_round(unit, a, bytes, inclusive);
}

Error NodeArea::scan_in_one_round(const Unit& unit, const Args& a, Count bytes, bool inclusive) {
  const auto lb = static_cast<Address>(unit.true_lb);
  give(a.send + lb, bytes);
  if (rank_ == 0 && !inclusive) return success;
  wait(0, rank_);
  return combine(unit, a.recv + lb, board_.number(), 0, rank_ + inclusive, 0, a.count);
}

Error NodeArea::scan_in_turn(const Unit& unit, const Args& a, Count bytes, bool inclusive) {
  const Count half = half_of(bytes);
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
  const bool in_turn = board_.has_entered(rank_ - 1, number) && board_.is_whole(rank_ - 1, number);
  const std::byte* below = nullptr;
  if (in_turn) {
    board_.expect(rank_ - 1, number);
    compare_kinds(rank_ - 1, rank_);
    below = board_.given(rank_ - 1, number) + half;
  } else {
    if (!last) copy(place, own, bytes);
    enter();
    wait_for_below(unit, a.count, half, below);
    if (dead_ >= 0) return success;
  }
  // The sum for those above is made in the place, or in the result where nobody is above.
  const Address target = last ? result : sum;
  if (!last || inclusive) {
    if (target != address_of(own)) copy(target, own, bytes);
    unit.combine(below - unit.true_lb, bytes_at(target - lb), a.count);
  }
  if (in_turn)
    enter(true);
  else if (!last)
    board_.complete();
  if (!inclusive)
    copy(result, below, bytes);
  else if (!last)
    copy(result, bytes_at(sum), bytes);
  return success;
}

// What ranks 0 … rank_ - 1 come to, once they have entered: where it lies, in the place of the rank below or in halves_.
void NodeArea::wait_for_below(const Unit& unit, Count n, Count half, const std::byte*& out) {
  const Board::Number number = board_.number();
  const Count bytes = unit.span(n);
  wait(0, rank_);
  int from = rank_ - 1;
  while (from > 0 && !board_.is_whole(from, number)) --from;  // rank 0 is, unless it is in another collective
  out = board_.given(from, number) + half;
  if (from == rank_ - 1) return;
  halves_.resize(static_cast<std::size_t>(2 * half + 64));
  Address next = (address_of(halves_.data()) + 63) / 64 * 64, after = next + static_cast<Address>(half);
  for (int r = from + 1; r < rank_; ++r) {
    copy(next, board_.given(r, number), bytes);
    unit.combine(out - unit.true_lb, bytes_at(next) - unit.true_lb, n);
    out = bytes_at(next);
    std::swap(next, after);
  }
}

}  // namespace cow::coll
