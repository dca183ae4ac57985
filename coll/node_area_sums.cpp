// Long vectors on the board, reduced: see node_area_long.cpp for how they get there.
//
//   reduce          the root combines what all gave; where many processors are at work, by blocks, as
//   allreduce       each rank combines a block of every piece; in one round it gives a piece and its sums of the one before,
//                   so that there is one wait for each piece; where more than two share a processor, rank 0 combines all
//   reduce_scatter, reduce_scatter_block
//                   each rank gives of the blocks of the others, and combines a piece of its own
//   scan, exscan    from rank to rank, a piece behind the one below
//
// Reductions combine a few KiB at a time, so that what they add to stays in the nearest cache; what a rank needs of its own
// it takes from its own buffer.
#include <algorithm>
#include <cstring>

#include "coll/node_area_parts.hpp"

namespace cow::coll {
namespace {

constexpr Count chunk_bytes = 8192;  // combined at a time

bool overlap(Address a, Address b, Count bytes) {
  return a < b + static_cast<Address>(bytes) && b < a + static_cast<Address>(bytes);
}

// The blocks of a vector that the ranks combine, each its own.
struct UnevenBlocks {
  const Args& args;
  bool with_counts;
  Count length(int r) const { return with_counts ? args.counts[r] : args.count; }
  Count offset(int r) const { return with_counts ? args.displs[r] : args.count * r; }
};

}  // namespace

// What sources_[first] ... sources_[end - 1] point to, n units each, combined in order. `to` may lie over this rank's
// source, but for what lies before it.
Error NodeArea::combine_sources(const Unit& unit, Address to, int first, int end, Count n) {
  alignas(64) std::byte own[chunk_bytes];
  const auto lb = static_cast<Address>(unit.true_lb);
  const Count most = units_in(unit, chunk_bytes);
  const std::byte* const source = sources_[static_cast<std::size_t>(rank_)];
  const bool in_place = first <= rank_ && rank_ < end && overlap(to, reinterpret_cast<Address>(source), unit.span(n));
  for (Count at = 0; at < n; at += most) {
    const Count m = std::min(most, n - at), bytes = unit.span(m), offset = at * unit.extent;
    const Address out = to + static_cast<Address>(offset);
    if (in_place) std::memcpy(own, source + offset, static_cast<std::size_t>(bytes));
    const auto data = [&](int r) { return in_place && r == rank_ ? own : sources_[static_cast<std::size_t>(r)] + offset; };
    if (fixed_order_) {
      if (Error error = combine_in_pairs(unit, out, m, data)) return error;
      continue;
    }
    copy(out, data(end - 1), bytes);
    for (int r = end - 2; r >= first; --r) {
      const Address left = reinterpret_cast<Address>(data(r)) - lb;
      if (Error error = reduce_local(*unit.op, *unit.type, bytes_at(left), bytes_at(out - lb), m)) return error;
    }
  }
  return success;
}

// Sources are what all gave in a round, from a byte on; of this rank, its own data.
void NodeArea::take_sources(Board::Number round, Count offset, Address own) {
  for (int r = 0; r < size_; ++r) sources_[static_cast<std::size_t>(r)] = board_.given(r, round) + offset;
  sources_[static_cast<std::size_t>(rank_)] = bytes_at(own);
}

Error NodeArea::reduce_at_root(const Unit& unit, const Args& a) {
  const Count units = units_in(unit, hall);
  for (Count at = 0; at < a.count; at += units) {
    const Count n = std::min(units, a.count - at);
    const Address own = data_at(unit, a.send, at);
    if (rank_ != a.root) {
      give_long(own, unit.span(n));
      continue;
    }
    give(0, 0);
    wait(0, size_);
    if (dead_ >= 0) return success;  // which run() makes an error
    take_sources(board_.number(), 0, own);
    if (Error error = combine_sources(unit, data_at(unit, a.recv, at), 0, size_, n)) return error;
  }
  return success;
}

// Where many share a processor they had better not all meet for every piece.
Error NodeArea::reduce_and_tell(const Unit& unit, const Args& a) {
  Args part = a;
  part.root = 0;
  if (Error error = reduce_at_root(unit, part)) return error;
  part.recv = data_at(unit, a.recv, 0);
  part.count = unit.span(a.count);
  return bcast_long(part);
}

// A piece without the block that this rank combines, which nobody else needs of it.
void NodeArea::put_others(const Unit& unit, std::byte* place, Address base, Count at, const EvenBlocks& blocks) {
  const Count own = blocks.offset(rank_), after = own + blocks.length(rank_);
  put(place, data_at(unit, base, at), unit.span(own));
  put(place + after * unit.extent, data_at(unit, base, at + after), unit.span(blocks.n - after));
}

// Each rank combines a block of every piece. In a round it gives its part of a piece, and its sums of the piece before.
Error NodeArea::sum_by_blocks(const Unit& unit, const Args& a, bool everywhere) {
  const Count units = std::min(a.count, units_in(unit, (hall - 2 * line_bytes) / (size_ + 1) * size_ - unit.extent));
  const Count sums = round_up(unit.span(units));  // where they stand in a hall
  const bool receives = everywhere || rank_ == a.root;
  const auto blocks_from = [&](Count at) { return EvenBlocks{std::clamp<Count>(a.count - at, 0, units), size_}; };
  for (Count at = 0; at < a.count + units; at += units) {
    const Count last = at - units;
    const EvenBlocks blocks = blocks_from(at), before = at > 0 ? blocks_from(last) : EvenBlocks{0, size_};
    const Count own = before.offset(rank_), summed = before.length(rank_);
    std::byte* const place = open(summed > 0 ? sums + unit.span(summed) : unit.span(blocks.n));
    if (dead_ >= 0) return success;  // which run() makes an error
    put_others(unit, place, a.send, at, blocks);
    if (summed > 0) {
      take_sources(board_.number() - 1, own * unit.extent, data_at(unit, a.send, last + own));
      const Address result = receives ? data_at(unit, a.recv, last + own) : reinterpret_cast<Address>(place + sums);
      if (Error error = combine_sources(unit, result, 0, size_, summed)) return error;
      if (receives) put(place + sums, result, unit.span(summed));
    }
    enter();
    if (blocks.n == 0 && !receives) break;
    wait_for_all();
    for (int i = 1; receives && i < size_; ++i) {
      const int r = (rank_ + i) % size_;
      take(data_at(unit, a.recv, last + before.offset(r)), given(r, sums), unit.span(before.length(r)));
    }
  }
  return success;
}

// In each round the next units of every block that has so many. Those of each block that has some stand in the halls of the
// others, as long as there is room for all, in rank order.
Error NodeArea::reduce_scatter_long(const Unit& unit, const Args& a, bool with_counts) {
  const UnevenBlocks blocks{a, with_counts};
  for (Count at = 0, units = 0;; at += units) {
    const auto is_left = [&](int r) { return blocks.length(r) > at; };
    int left = 0;
    for (int r = 0; r < size_; ++r) left += is_left(r);
    if (left == 0) return success;
    units = units_in(unit, round_down(hall / std::min(left, size_ - 1)));
    const Count room = round_up(unit.span(units));
    const auto length = [&](int r) { return std::clamp<Count>(blocks.length(r) - at, 0, units); };
    std::byte* const place = open((left - is_left(rank_)) * room);
    if (dead_ >= 0) return success;  // which run() makes an error
    std::byte* next = place;
    for (int r = 0; r < size_; ++r) {
      if (r == rank_ || !is_left(r)) continue;
      put(next, data_at(unit, a.send, blocks.offset(r) + at), unit.span(length(r)));
      next += room;
    }
    enter();
    if (!is_left(rank_)) continue;
    wait_for_all();
    if (dead_ >= 0) return success;
    Count below = 0;  // whose units stand before those for this rank
    for (int r = 0; r < rank_; ++r) below += is_left(r);
    for (int r = 0; r < size_; ++r)
      sources_[static_cast<std::size_t>(r)] = given(r, (below - (r < rank_ && is_left(r))) * room);
    sources_[static_cast<std::size_t>(rank_)] = bytes_at(data_at(unit, a.send, blocks.offset(rank_) + at));
    if (Error error = combine_sources(unit, data_at(unit, a.recv, at), 0, size_, length(rank_))) return error;
  }
}

// Each rank gives what all up to itself come to, a piece later than the one below, whom alone it waits for.
Error NodeArea::scan_long(const Unit& unit, const Args& a, bool inclusive) {
  const Count units = units_in(unit, turns_ > 1 ? hall : hall / 4), pieces = (a.count + units - 1) / units;
  for (Count round = 0; round < pieces + size_ - 1; ++round) {
    const Count piece = round - rank_, at = piece * units, n = std::min(units, a.count - at);
    const bool here = piece >= 0 && piece < pieces, gives = here && rank_ < size_ - 1;
    std::byte* const place = open(gives ? unit.span(n) : 0);
    if (dead_ >= 0) return success;  // which run() makes an error
    if (here)
      if (Error error = add_piece(unit, a, at, n, gives ? place : nullptr, inclusive)) return error;
    enter();
    if (rank_ > 0 && piece + 1 >= 0 && piece + 1 < pieces) wait(rank_ - 1, rank_);
  }
  return success;
}

// Units at ... at + n - 1 of a prefix sum, from what the rank below gave in the last round, if there is one.
Error NodeArea::add_piece(const Unit& unit, const Args& a, Count at, Count n, std::byte* place, bool inclusive) {
  const Address own = data_at(unit, a.send, at), result = data_at(unit, a.recv, at);
  if (rank_ == 0) {
    put(place, own, unit.span(n));
    if (inclusive) copy(result, bytes_at(own), unit.span(n));
    return success;
  }
  const std::byte* const below = board_.given(rank_ - 1, board_.number() - 1);
  const Address sum = place ? reinterpret_cast<Address>(place) : result;
  const Count most = place || inclusive ? units_in(unit, chunk_bytes) : n;
  for (Count done = 0; done < n; done += most) {
    const Count m = std::min(most, n - done), bytes = unit.span(m), offset = done * unit.extent;
    const Address to = sum + static_cast<Address>(offset);
    if (place || inclusive) {
      copy(to, bytes_at(own) + offset, bytes);
      if (Error error = reduce_local(*unit.op, *unit.type, below + offset - unit.true_lb, bytes_at(to) - unit.true_lb, m))
        return error;
    }
    if (!inclusive)
      copy(result + static_cast<Address>(offset), below + offset, bytes);
    else
      copy(result + static_cast<Address>(offset), bytes_at(to), bytes);
  }
  return success;
}

}  // namespace cow::coll
