// Long vectors on the board: piece by piece through the halls of the ranks. A copy from cache to cache takes a quarter of
// the time of one that the kernel makes from process to process, so that two of them, which both go on at once, are faster.
// What can be slow is to write where others have read: see Halls (rooms.hpp) and WayOfWriting (streaming.hpp).
//
//   bcast, gather, allgather, alltoall   as short ones, in pieces
//   scatter         the root gives one piece after the other, each for one rank, or whole blocks for several
//
// Where a collective brings more than the caches hold, it is written past them. Reductions: node_area_sums.cpp.
#include <algorithm>
#include <cstring>

#include "coll/node_area_parts.hpp"
#include "coll/streaming.hpp"

namespace cow::coll {
namespace {

// What a rank has for the others stands in its hall one after the other, beginning with that for the rank after it.
Count place_for(int reader, int giver, int size) { return (reader - giver - 1 + size) % size; }

// What all ranks of the node receive.
Count received(const Operation& o, int size) {
  switch (o.collective) {
    case Collective::allgather:
    case Collective::allgatherv:
    case Collective::alltoall: return o.measure * size * size;
    case Collective::reduce:
    case Collective::reduce_scatter:
    case Collective::reduce_scatter_block: return o.measure;
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
    case Collective::allgatherv: allgatherv(a); return success;
    case Collective::alltoall: alltoall_long(a); return success;
    case Collective::scatter: scatter_long(a); return success;
    case Collective::reduce: return many_at_work() ? sum_by_blocks(unit, a, false) : reduce_at_root(unit, a);
    case Collective::allreduce: return by_way_of_one() ? reduce_and_tell(unit, a) : sum_by_blocks(unit, a, true);
    case Collective::scan:
    case Collective::exscan: return scan_long(unit, a, operation.collective == Collective::scan);
    case Collective::reduce_scatter: return reduce_scatter_long(unit, a, true);
    case Collective::reduce_scatter_block: return reduce_scatter_long(unit, a, false);
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

// The others go on to the rounds with something for them, beginning with the rank after the root. It is ahead of all of them
// by as many pieces as it has room for.
void NodeArea::scatter_long(const Args& a) {
  const Count room = round_up(std::min(hall, a.count));
  const int together = static_cast<int>(hall / room), mine = place_for(rank_, a.root, size_);
  for (int first = 0; first < size_ - 1; first += together) {
    const int end = std::min(first + together, size_ - 1);
    for (Count at = 0; at < a.count; at += room) {
      const Count bytes = std::min(room, a.count - at);
      if (rank_ != a.root) {
        give(0, 0);
        if (mine < first || mine >= end) continue;
        wait(a.root, a.root + 1);
        take(a.recv + static_cast<Address>(at), given(a.root, (mine - first) * room), bytes);
        continue;
      }
      std::byte* const place = open((end - first) * room);
      for (int i = first; i < end; ++i)
        put(place + (i - first) * room, a.send + static_cast<Address>((rank_ + 1 + i) % size_ * a.count + at), bytes);
      enter();
    }
  }
  if (rank_ == a.root) copy(a.recv, bytes_at(a.send + static_cast<Address>(rank_ * a.count)), a.count);
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

}  // namespace cow::coll
