// Blocks given one by one, on the board: gatherv, scatterv, allgatherv, alltoallv (and w). Where only one rank knows how much
// it gives, the others read that on the board.
//
//   gatherv         each gives its block; the root waits for all
//   scatterv        the root gives the lengths of all blocks, and the blocks; the others wait for it alone
//   alltoallv       each gives the lengths of its blocks, and the blocks; all wait for all
//   allgatherv      as allgather, in as many pieces as the longest block has: all know them
//
// What does not fit into one round goes by messages instead: whoever has so much says so in the round, by not calling it
// whole. Whether there are halls must be the same at all ranks, who do not know of each other's blocks; so a rank for whose
// blocks there was no room only says on the board that it wishes for them, and from when on: see Board::wish_for_halls().
#include <algorithm>
#include <cstring>

#include "coll/node_area_parts.hpp"
#include "coll/run.hpp"

namespace cow::coll {
namespace {

using Length = std::uint32_t;  // of a block, in bytes; none is longer than a hall

Count bytes_of(Count count, const Datatype* type) { return count > 0 && type ? count * type->size : 0; }
const Datatype* type_of(const Datatype* type) { return type ? type : find(MPI_BYTE); }

Error too_long(int rank, Count came, Count fits) {
  return fail(ErrorClass::truncate, "rank %d sends %lld bytes, of which %lld fit", rank, static_cast<long long>(came),
              static_cast<long long>(fits));
}

// Data into a place on the board, and from there into a buffer.
void lay_down(std::byte* place, Count bytes, Address from, Count count, const Datatype* type) {
  if (bytes == 0) return;
  if (type->contiguous)
    std::memcpy(place, data_of(static_cast<const void*>(bytes_at(from)), *type), static_cast<std::size_t>(bytes));
  else
    pack(*type, bytes_at(from), count, 0, place, bytes);
}

Error pick_up(int rank, const std::byte* place, Count bytes, Address to, Count count, const Datatype* type) {
  const Count fits = bytes_of(count, type), taken = std::min(bytes, fits);
  if (taken > 0 && type->contiguous)
    std::memcpy(data_of(static_cast<void*>(bytes_at(to)), *type), place, static_cast<std::size_t>(taken));
  else if (taken > 0)
    unpack(*type, bytes_at(to), count, 0, place, taken);
  return bytes > fits ? too_long(rank, bytes, fits) : success;
}

// The blocks of MPI_Alltoallv and w, as a rank sends and receives them.
struct Blocks {
  const Args& a;
  const Datatype* sent(int r) const { return type_of(a.send_types ? a.send_types[r] : a.send_type); }
  const Datatype* received(int r) const { return type_of(a.types ? a.types[r] : a.type); }
  Count bytes_sent(int r) const { return a.send_counts[r] > 0 ? bytes_of(a.send_counts[r], sent(r)) : 0; }
  Address from(int r) const { return a.send + static_cast<Address>(a.send_displs[r]); }
  Address to(int r) const { return a.recv + static_cast<Address>(a.displs[r]); }
};

}  // namespace

// Whether a rank can give so much in one round.
bool NodeArea::fits(Count bytes, Collective which) {
  if (bytes <= static_cast<Count>(Board::small_bytes)) return true;
  if (bytes > most_on_memory(which, size_, processors_)) return false;
  if (halls_ == Made::unknown) board_.wish_for_halls();
  return halls_ == Made::yes;
}

// Where somebody has wished for them, and all know that by now.
Error NodeArea::grant_halls() {
  if (halls_ != Made::unknown || !board_.halls_are_due()) return success;
  bool there;
  return have_room(Board::hall_bytes, there);
}

Error NodeArea::gatherv(const Unit& unit, const Args& a) {
  if (Error error = grant_halls()) return error;
  if (rank_ != a.root) {
    const Datatype* const type = type_of(a.send_type);
    const Count bytes = bytes_of(a.count, type);
    if (fits(bytes, Collective::gatherv)) {
      std::byte* const place = open(bytes);
      if (dead_ < 0) lay_down(place, bytes, a.send, a.count, type);
      enter(true);
      return success;
    }
    give(0, 0);
    if (dead_ >= 0) return success;
    Run run(comm_, tag_, unit, nullptr, nullptr);
    run.send(a.root, a.send, a.count, a.send_type);
    return run.result();
  }
  give(0, 0);
  const Datatype* const type = type_of(a.type);
  const auto to = [&](int r) { return a.recv + static_cast<Address>(a.displs[r]); };
  if (to(rank_) != a.send) transfer_data(to(rank_), a.counts[rank_], *type, a.send, a.count, *type_of(a.send_type));
  wait(0, size_);
  Error error = success;
  int sending = 0;
  for (int r = 0; r < size_ && may_go_on(); ++r) {
    if (r == rank_) continue;
    if (!is_whole(r))
      ++sending;
    else if (Error here = pick_up(r, given(r), given_bytes(r), to(r), a.counts[r], type))
      error = here;
  }
  if (sending == 0 || !may_go_on()) return error;
  Run run(comm_, tag_, unit, nullptr, nullptr);
  for (int r = 0; r < size_; ++r)
    if (r != rank_ && !is_whole(r)) run.post_recv(r, to(r), a.counts[r], a.type);
  run.step();
  return error ? error : run.result();
}

// Lengths of the blocks in front, then the blocks of all others. False: they do not fit into a round.
template <class Bytes, class From, class TypeOf>
bool NodeArea::give_blocks(Bytes bytes, From from, TypeOf type, const Count* counts) {
  Count data = 0;
  for (int r = 0; r < size_; ++r)
    if (r != rank_) data += bytes(r);
  const Count total = data + start_of_blocks(data);
  if (!fits(total, present_)) {
    give(0, 0);
    return false;
  }
  std::byte* const place = open(total);
  if (dead_ < 0) {
    Count at = start_of_blocks(data);
    for (int r = 0; r < size_; ++r) {
      const auto length = static_cast<Length>(r == rank_ ? 0 : bytes(r));
      std::memcpy(place + sizeof(Length) * static_cast<std::size_t>(r), &length, sizeof length);
      if (length > 0) lay_down(place + at, length, from(r), counts[r], type(r));
      at += length;
    }
  }
  enter(true);
  return true;
}

// Where the first block stands, behind the lengths: right behind them in a line, else at the start of one.
Count NodeArea::start_of_blocks(Count data) const {
  constexpr Count line_bytes = 64;
  const Count lengths = static_cast<Count>(sizeof(Length)) * size_;
  const bool in_line = lengths + data <= static_cast<Count>(Board::inline_bytes);
  return in_line ? lengths : (lengths + line_bytes - 1) / line_bytes * line_bytes;
}

// This rank's block of what `giver` gave.
Error NodeArea::take_block(int giver, Address to, Count count, const Datatype* type) {
  const std::byte* const place = given(giver);
  Count at = 0, data = 0;
  Length own = 0;
  for (int r = 0; r < size_; ++r) {
    Length length;
    std::memcpy(&length, place + sizeof(Length) * static_cast<std::size_t>(r), sizeof length);
    if (r == rank_) at = data, own = length;
    data += length;
  }
  at += start_of_blocks(data);
  return pick_up(giver, place + at, std::min<Count>(own, std::max<Count>(given_bytes(giver) - at, 0)), to, count, type);
}

Error NodeArea::scatterv(const Unit& unit, const Args& a) {
  if (Error error = grant_halls()) return error;
  if (rank_ != a.root) {
    give(0, 0);
    wait(a.root, a.root + 1);
    if (!may_go_on()) return success;
    if (is_whole(a.root)) return take_block(a.root, a.recv, a.count, type_of(a.type));
    Run run(comm_, tag_, unit, nullptr, nullptr);
    run.recv(a.root, a.recv, a.count, a.type);
    return run.result();
  }
  const Datatype* const type = type_of(a.send_type);
  const auto from = [&](int r) { return a.send + static_cast<Address>(a.send_displs[r]); };
  const auto bytes = [&](int r) { return bytes_of(a.send_counts[r], type); };
  const bool whole = give_blocks(bytes, from, [&](int) { return type; }, a.send_counts);
  if (a.recv != from(rank_)) transfer_data(a.recv, a.count, *type_of(a.type), from(rank_), a.send_counts[rank_], *type);
  if (whole || dead_ >= 0) return success;
  Run run(comm_, tag_, unit, nullptr, nullptr);
  for (int r = 0; r < size_; ++r)
    if (r != rank_) run.post_send(r, from(r), a.send_counts[r], a.send_type);
  run.step();
  return run.result();
}

Error NodeArea::alltoallv(const Unit& unit, const Args& a) {
  if (Error error = grant_halls()) return error;
  const Blocks blocks{a};
  const bool whole = give_blocks([&](int r) { return blocks.bytes_sent(r); }, [&](int r) { return blocks.from(r); },
                                 [&](int r) { return blocks.sent(r); }, a.send_counts);
  if (blocks.to(rank_) != blocks.from(rank_) && blocks.bytes_sent(rank_) > 0 && a.counts[rank_] > 0)
    transfer_data(blocks.to(rank_), a.counts[rank_], *blocks.received(rank_), blocks.from(rank_), a.send_counts[rank_],
                  *blocks.sent(rank_));
  wait_for_all();
  Error error = success;
  int sending = 0;
  for (int i = 1; i < size_ && may_go_on(); ++i) {
    const int r = (rank_ + i) % size_;
    if (!is_whole(r))
      ++sending;
    else if (Error here = take_block(r, blocks.to(r), a.counts[r], blocks.received(r)))
      error = here;
  }
  if ((whole && sending == 0) || !may_go_on()) return error;
  Run run(comm_, tag_, unit, nullptr, nullptr);
  for (int i = 1; i < size_; ++i) {
    const int r = (rank_ + i) % size_;
    if (!is_whole(r)) run.post_recv(r, blocks.to(r), a.counts[r], a.types ? a.types[r] : a.type);
  }
  for (int i = 1; i < size_ && !whole; ++i) {
    const int r = (rank_ + i) % size_;
    run.post_send(r, blocks.from(r), a.send_counts[r], a.send_types ? a.send_types[r] : a.send_type);
  }
  run.step();
  return error ? error : run.result();
}

void NodeArea::allgatherv(const Args& a) {
  const Count longest = *std::max_element(a.counts, a.counts + size_);
  const auto own = a.recv + static_cast<Address>(a.displs[rank_]);
  for (Count at = 0; at < longest; at += static_cast<Count>(Board::hall_bytes)) {
    const auto bytes = [&](int r) { return std::clamp<Count>(a.counts[r] - at, 0, static_cast<Count>(Board::hall_bytes)); };
    if (longest <= static_cast<Count>(Board::small_bytes))
      give(a.send, bytes(rank_));
    else
      give_long(a.send + static_cast<Address>(at), bytes(rank_));
    if (own != a.send)
      std::memmove(bytes_at(own) + at, bytes_at(a.send) + at, static_cast<std::size_t>(bytes(rank_)));
    wait_for_all();
    for (int i = 1; i < size_; ++i) {
      const int r = (rank_ + i) % size_;
      take(a.recv + static_cast<Address>(a.displs[r] + at), given(r), bytes(r));
    }
  }
}

}  // namespace cow::coll
