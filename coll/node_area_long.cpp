// Long vectors on the board: piece by piece through the halls of the ranks. A copy from cache to cache takes a quarter of
// the time of one that the kernel makes from process to process, so that two of them, which both go on at once, are faster.
// What can be slow is to write where others have read: see Halls (rooms.hpp) and WayOfWriting (streaming.hpp).
//
//   bcast, gather, allgather, alltoall   as short ones, in pieces
//   reduce          the root combines what all gave; where many processors are at work, by blocks, as
//   allreduce       each rank combines a block of every piece; in one round it gives a piece and its sums of the one before,
//                   so that there is one wait for each piece; where more than two share a processor, rank 0 combines all
//   scan, exscan    from rank to rank, a piece behind the one below
//
// Reductions combine a few KiB at a time, so that what they add to stays in the nearest cache; what a rank needs of its own
// it takes from its own buffer. Where a collective brings more than the caches hold, it is written past them.
#include <algorithm>
#include <cstring>

#include "coll/node_area_parts.hpp"
#include "coll/streaming.hpp"

namespace cow::coll {
namespace {

constexpr Count hall = Board::hall_bytes;  // given in one round, at most
constexpr Count chunk_bytes = 8192;  // combined at a time
constexpr Count line_bytes = 64;

Count round_up(Count bytes) { return (bytes + line_bytes - 1) / line_bytes * line_bytes; }
Count round_down(Count bytes) { return bytes / line_bytes * line_bytes; }

bool overlap(Address a, Address b, Count bytes) {
  return a < b + static_cast<Address>(bytes) && b < a + static_cast<Address>(bytes);
}

// How many units `bytes` bytes hold; at least one.
Count units_in(const Unit& unit, Count bytes) { return std::max<Count>(1, (bytes - unit.true_extent) / unit.extent + 1); }

// The first byte of data of unit i.
Address data_at(const Unit& unit, Address base, Count i) {
  return base + static_cast<Address>(i * unit.extent + unit.true_lb);
}

// What a rank has for the others stands in its hall one after the other, beginning with that for the rank after it.
Count place_for(int reader, int giver, int size) { return (reader - giver - 1 + size) % size; }

// What all ranks of the node receive.
Count received(const Operation& o, int size) {
  switch (o.collective) {
    case Collective::allgather:
    case Collective::alltoall: return o.measure * size * size;
    case Collective::reduce: return o.measure;
    default: return o.measure * size;
  }
}

}  // namespace

// ---- pieces

// Whether pieces of blocks should be divided among the ranks: else the root, or the last rank, combines what p ranks gave.
// It takes each rank three copies, and the same of one rank alone p.
bool NodeArea::many_at_work() const { return size_ > 3 * turns_; }

Error NodeArea::perform_long(const Operation& operation, const Args& a) {
  const Unit& unit = operation.unit;
  past_caches_ = static_cast<std::size_t>(received(operation, size_)) > last_cache() / 2;
  switch (operation.collective) {
    case Collective::bcast: return bcast_long(a);
    case Collective::gather: gather_long(a, false); return success;
    case Collective::allgather: gather_long(a, true); return success;
    case Collective::alltoall: alltoall_long(a); return success;
    case Collective::reduce: return many_at_work() ? sum_by_blocks(unit, a, false) : reduce_at_root(unit, a);
    case Collective::allreduce: return by_way_of_one() ? reduce_and_tell(unit, a) : sum_by_blocks(unit, a, true);
    case Collective::scan:
    case Collective::exscan: return scan_long(unit, a, operation.collective == Collective::scan);
    default: broken(__FILE__, __LINE__, "a collective that does not suit");
  }
}

// To a place of this rank in the present round. When somebody has died, others may still read there.
void NodeArea::put(std::byte* place, Address from, Count bytes) {
  if (bytes <= 0 || dead_ >= 0) return;
  const auto size = static_cast<std::size_t>(bytes);
  const Nanoseconds start = now();
  if (writing_.goes_past_caches())
    copy_past_caches(place, bytes_at(from), size);
  else
    std::memcpy(place, bytes_at(from), size);
  writing_.wrote(size, now() - start);
}

void NodeArea::give_long(Address from, Count bytes) {
  put(open(bytes), from, bytes);
  enter();
}

// From a place of another.
void NodeArea::take(Address to, const std::byte* from, Count bytes) {
  if (past_caches_ && bytes > 0)
    copy_past_caches(bytes_at(to), from, static_cast<std::size_t>(bytes));
  else
    copy(to, from, bytes);
}

// ---- moving

Error NodeArea::bcast_long(const Args& a) {
  Error error = success;
  for (Count at = 0; at < a.count; at += hall) {
    const Count bytes = std::min(hall, a.count - at);
    const Address data = a.recv + static_cast<Address>(at);
    if (rank_ == a.root) {
      give_long(data, bytes);
      continue;
    }
    give(0, 0);
    wait(a.root, a.root + 1);
    const auto came = static_cast<Count>(board_.given_bytes(a.root, board_.number()));
    take(data, given(a.root), std::min(bytes, came));
    if (came > bytes)
      error = fail(ErrorClass::truncate, "the root sends %lld bytes or more, of which %lld fit",
                   static_cast<long long>(at + came), static_cast<long long>(a.count));
  }
  return error;
}

// Each begins with the rank after itself, so that not all read from one.
void NodeArea::gather_long(const Args& a, bool everywhere) {
  const bool receives = everywhere || rank_ == a.root;
  for (Count at = 0; at < a.count; at += hall) {
    const Count bytes = std::min(hall, a.count - at);
    const auto block = [&](int r) { return a.recv + static_cast<Address>(r * a.count + at); };
    const Address own = a.send + static_cast<Address>(at);
    if (everywhere || !receives)
      give_long(own, bytes);
    else
      give(0, 0);
    if (!receives) continue;
    copy(block(rank_), bytes_at(own), bytes);
    if (everywhere)
      wait_for_all();
    else
      wait(0, size_);
    for (int i = 1; i < size_; ++i) {
      const int r = (rank_ + i) % size_;
      take(block(r), given(r), bytes);
    }
  }
}

// Whole pieces, from one rank to one other in each round.
void NodeArea::alltoall_in_pairs(const Args& a) {
  copy(a.recv + static_cast<Address>(rank_ * a.count), bytes_at(a.send + static_cast<Address>(rank_ * a.count)), a.count);
  for (int i = 1; i < size_; ++i) {
    const int to = (rank_ + i) % size_, from = (rank_ - i + size_) % size_;
    for (Count at = 0; at < a.count; at += hall) {
      const Count bytes = std::min(hall, a.count - at);
      give_long(a.send + static_cast<Address>(to * a.count + at), bytes);
      wait(from, from + 1);
      take(a.recv + static_cast<Address>(from * a.count + at), given(from), bytes);
    }
  }
}

void NodeArea::alltoall_long(const Args& a) {
  if (a.count >= hall) return alltoall_in_pairs(a);
  const Count piece = round_down(hall / (size_ - 1));
  for (Count at = 0; at < a.count; at += piece) {
    const Count bytes = std::min(piece, a.count - at), room = round_up(bytes);
    const auto block = [&](Address base, int r) { return base + static_cast<Address>(r * a.count + at); };
    std::byte* const place = open(room * (size_ - 1));
    for (int i = 1; i < size_; ++i) put(place + (i - 1) * room, block(a.send, (rank_ + i) % size_), bytes);
    enter();
    copy(block(a.recv, rank_), bytes_at(block(a.send, rank_)), bytes);
    wait_for_all();
    for (int i = 1; i < size_; ++i) {
      const int r = (rank_ + i) % size_;
      take(block(a.recv, r), given(r, place_for(rank_, r, size_) * room), bytes);
    }
  }
}

// ---- reducing

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
