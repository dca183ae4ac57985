// Blocks given one by one, on the board: gatherv, scatterv, allgatherv, alltoallv (and w). Where only one rank knows how much
// it gives, the others read that on the board.
//
//   gatherv         each gives its block; the root waits for all
//   scatterv        the root gives the lengths of all blocks, and the blocks; the others wait for it alone
//   alltoallv       each gives the lengths of its blocks, and the blocks; all wait for all
//   allgatherv      as allgather, in as many pieces as the longest block has: all know them
//
// What does not fit into one round goes in further ones where all know how many these are, in pieces; else by messages:
// whoever has so much says so in the round, by not calling it whole. Whether there are halls must be the same at all ranks,
// who do not know of each other's blocks; so a rank for whose blocks there was no room only says on the board that it wishes
// for them, and from when on: see Board::wish_for_halls().
#include <algorithm>
#include <cstring>
#include <vector>

#include "coll/algorithms/alltoall/direct.hpp"
#include "coll/execute/run.hpp"
#include "coll/node_area_parts.hpp"

namespace cow::coll {
namespace {

constexpr Count length_bytes = sizeof(Count);  // that the length of a block takes, on the board

Count bytes_of(Count count, const Datatype* type) { return count > 0 ? count * type->size : 0; }
const Datatype* type_of(const Datatype* type) { return type ? type : find(MPI_BYTE); }

// Bytes [at, at + bytes) of what a rank sends lie at a place on the board: into the buffer for it, as far as it goes.
Error pick_up(int rank, const std::byte* place, Count at, Count bytes, Address to, Count count, const Datatype* type) {
  const Count fits = bytes_of(count, type), taken = std::min(bytes, fits - at);
  if (taken > 0 && type->contiguous)
    std::memcpy(bytes_at(to + static_cast<Address>(type->true_lb + at)), place, static_cast<std::size_t>(taken));
  else if (taken > 0)
    unpack(*type, bytes_at(to), count, at, place, taken);
  return at + bytes > fits ? too_long(rank, at + bytes, fits) : success;
}

// The blocks of MPI_Alltoallv and w, as a rank sends and receives them.
struct Blocks {
  const Args& a;
  const Datatype* sent(int r) const { return type_of(a.send_types ? a.send_types[r] : a.send_type); }
  const Datatype* received(int r) const { return type_of(a.types ? a.types[r] : a.type); }
  Count bytes_sent(int r) const { return bytes_of(a.send_counts[r], sent(r)); }
  Address from(int r) const { return a.send + static_cast<Address>(a.send_displs[r]); }
  Address to(int r) const { return a.recv + static_cast<Address>(a.displs[r]); }
};

}  // namespace

// Bytes [at, at + bytes) of some data, into a place on the board.
void NodeArea::lay_down(std::byte* place, Count at, Count bytes, Address from, Count count, const Datatype* type) {
  if (bytes == 0 || dead_ >= 0) return;
  const Address data = from + static_cast<Address>(type->true_lb + at);
  if (!type->contiguous)
    pack(*type, bytes_at(from), count, at, place, bytes);
  else if (bytes > static_cast<Count>(Board::small_bytes))
    put(place, data, bytes);
  else
    std::memcpy(place, bytes_at(data), static_cast<std::size_t>(bytes));
}

// Whether a rank can give so much in one round.
bool NodeArea::fits(Count bytes) {
  if (bytes <= static_cast<Count>(Board::small_bytes)) return true;
  const bool in_one_hall = bytes <= most_on_memory(present_, size_, processors_);
  const bool in_pieces = present_ != Collective::gatherv;
  if (halls_ == Made::unknown && (in_one_hall || in_pieces)) board_.wish_for_halls();
  return in_one_hall && halls_ == Made::yes;
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
    if (fits(bytes)) {
      std::byte* const place = open(bytes);
      lay_down(place, 0, bytes, a.send, a.count, type);
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
  transfer_data(to(rank_), a.counts[rank_], *type, a.send, a.count, *type_of(a.send_type));
  wait(0, size_);
  Error error = success;
  int sending = 0;
  for (int r = 0; r < size_ && may_go_on(); ++r) {
    if (r == rank_) continue;
    if (!is_whole(r))
      ++sending;
    else if (Error here = pick_up(r, given(r), 0, given_bytes(r), to(r), a.counts[r], type))
      error = here;
  }
  if (sending == 0 || !may_go_on()) return error;
  Run run(comm_, tag_, unit, nullptr, nullptr);
  for (int r = 0; r < size_; ++r)
    if (r != rank_ && !is_whole(r)) run.post_recv(r, to(r), a.counts[r], a.type);
  run.step();
  return error ? error : run.result();
}

// The lengths of all blocks, and behind them, if there is room for all in one round, the blocks of all others.
template <class Bytes, class From, class TypeOf>
void NodeArea::give_blocks(Bytes bytes, From from, TypeOf type, const Count* counts) {
  Count data = 0;
  for (int r = 0; r < size_; ++r)
    if (r != rank_) data += bytes(r);
  const bool whole = fits(data + start_of_blocks(data));
  std::byte* const place = open(whole ? data + start_of_blocks(data) : length_bytes * size_);
  if (dead_ >= 0) return;
  Count at = start_of_blocks(data);
  for (int r = 0; r < size_; ++r) {
    const Count length = r == rank_ ? 0 : bytes(r);
    std::memcpy(place + length_bytes * r, &length, sizeof length);
    if (!whole || length == 0) continue;
    lay_down(place + at, 0, length, from(r), counts[r], type(r));
    at += length;
  }
  enter(whole);
}

// Where the first block stands, behind the lengths: right behind them in a line of the board, else at the start of one.
Count NodeArea::start_of_blocks(Count data) const {
  const Count lengths = length_bytes * size_;
  const bool in_line = lengths + data <= static_cast<Count>(Board::inline_bytes);
  return in_line ? lengths : round_up(lengths);
}

// What give_blocks() of a rank said of its block for another.
Count NodeArea::length_given(int giver, int to) const {
  Count length;
  std::memcpy(&length, given(giver) + length_bytes * to, sizeof length);
  return std::max<Count>(length, 0);
}

// This rank's block of what a rank gave in one round.
Error NodeArea::take_block(int giver, Address to, Count count, const Datatype* type) {
  Count before = 0, data = 0;
  for (int r = 0; r < size_; ++r) {
    if (r == rank_) before = data;
    data += length_given(giver, r);
  }
  const Count at = start_of_blocks(data) + before;
  const Count length = std::clamp<Count>(given_bytes(giver) - at, 0, length_given(giver, rank_));
  return pick_up(giver, given(giver) + at, 0, length, to, count, type);
}

Error NodeArea::scatterv(const Unit& unit, const Args& a) {
  if (Error error = grant_halls()) return error;
  const Datatype* const type = type_of(a.send_type);
  const auto from = [&](int r) { return a.send + static_cast<Address>(a.send_displs[r]); };
  if (rank_ == a.root) {
    give_blocks([&](int r) { return bytes_of(a.send_counts[r], type); }, from, [&](int) { return type; }, a.send_counts);
    transfer_data(a.recv, a.count, *type_of(a.type), from(rank_), a.send_counts[rank_], *type);
  } else {
    give(0, 0);
    wait(a.root, a.root + 1);
  }
  if (!may_go_on()) return success;
  if (is_whole(a.root)) return rank_ == a.root ? success : take_block(a.root, a.recv, a.count, type_of(a.type));
  if (halls_ == Made::yes) return scatterv_in_pieces(a);
  Run run(comm_, tag_, unit, nullptr, nullptr);
  if (rank_ != a.root) run.post_recv(a.root, a.recv, a.count, a.type);
  for (int r = 0; rank_ == a.root && r < size_; ++r)
    if (r != rank_) run.post_send(r, from(r), a.send_counts[r], a.send_type);
  run.step();
  return run.result();
}

// One block after the other. Lengths have been given.
Error NodeArea::scatterv_in_pieces(const Args& a) {
  std::vector<Count> lengths(static_cast<std::size_t>(size_));
  for (int r = 0; r < size_; ++r) lengths[static_cast<std::size_t>(r)] = length_given(a.root, r);
  Error error = success;
  for (int r = 0; r < size_; ++r) {
    const Count length = lengths[static_cast<std::size_t>(r)];
    for (Count at = 0; at < length; at += hall) {
      const Count bytes = std::min(hall, length - at);
      if (rank_ == a.root) {
        lay_down(open(bytes), at, bytes, a.send + static_cast<Address>(a.send_displs[r]), a.send_counts[r], type_of(a.send_type));
        enter();
        continue;
      }
      give(0, 0);
      if (r != rank_) continue;
      wait(a.root, a.root + 1);
      if (!may_go_on()) return success;
      if (Error here = pick_up(a.root, given(a.root), at, bytes, a.recv, a.count, type_of(a.type))) error = here;
    }
  }
  return error;
}

Error NodeArea::alltoallv(const Unit& unit, const Args& a) {
  if (Error error = grant_halls()) return error;
  const Blocks blocks{a};
  give_blocks([&](int r) { return blocks.bytes_sent(r); }, [&](int r) { return blocks.from(r); },
              [&](int r) { return blocks.sent(r); }, a.send_counts);
  if (blocks.bytes_sent(rank_) > 0 && a.counts[rank_] > 0)
    transfer_data(blocks.to(rank_), a.counts[rank_], *blocks.received(rank_), blocks.from(rank_), a.send_counts[rank_],
                  *blocks.sent(rank_));
  wait_for_all();
  Error error = success;
  bool all_whole = true;
  for (int i = 0; i < size_ && may_go_on(); ++i) {
    const int r = (rank_ + i) % size_;
    if (!is_whole(r))
      all_whole = false;
    else if (r != rank_)
      if (Error here = take_block(r, blocks.to(r), a.counts[r], blocks.received(r))) error = here;
  }
  if (all_whole || !may_go_on()) return error;
  const Error later = halls_ == Made::yes ? alltoallv_in_pieces(a) : alltoallv_by_messages(unit, a);
  return error ? error : later;
}

// Of those whose blocks did not fit.
Error NodeArea::alltoallv_by_messages(const Unit& unit, const Args& a) {
  Run run(comm_, tag_, unit, nullptr, nullptr);
  const GivenTraffic<Run> traffic{run, a};
  for (int i = 1; i < size_; ++i)
    if (const int r = (rank_ + i) % size_; !is_whole(r)) traffic.post_recv(r);
  for (int i = 1; i < size_ && !is_whole(rank_); ++i) traffic.post_send((rank_ + i) % size_);
  run.step();
  return run.result();
}

// The same through halls, from one rank to one other in each round. All know all lengths, so the number of rounds.
Error NodeArea::alltoallv_in_pieces(const Args& a) {
  const Blocks blocks{a};
  std::vector<Count> lengths(static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_));
  const auto length = [&](int giver, int to) -> Count& { return lengths[static_cast<std::size_t>(giver * size_ + to)]; };
  for (int g = 0; g < size_; ++g)
    for (int r = 0; r < size_ && !is_whole(g); ++r) length(g, r) = length_given(g, r);
  Error error = success;
  for (int i = 1; i < size_; ++i) {
    const int to = (rank_ + i) % size_, from = (rank_ - i + size_) % size_;
    Count longest = 0;
    for (int g = 0; g < size_; ++g) longest = std::max(longest, length(g, (g + i) % size_));
    for (Count at = 0; at < longest; at += hall) {
      const Count out = std::clamp<Count>(length(rank_, to) - at, 0, hall);
      lay_down(open(out), at, out, blocks.from(to), a.send_counts[to], blocks.sent(to));
      enter();
      const Count in = std::clamp<Count>(length(from, rank_) - at, 0, hall);
      if (in == 0) continue;
      wait(from, from + 1);
      if (!may_go_on()) return success;
      if (Error here = pick_up(from, given(from), at, in, blocks.to(from), a.counts[from], blocks.received(from))) error = here;
    }
  }
  return error;
}

void NodeArea::allgatherv(const Args& a) {
  const Count longest = *std::max_element(a.counts, a.counts + size_);
  const auto own = a.recv + static_cast<Address>(a.displs[rank_]);
  for (Count at = 0; at < longest; at += hall) {
    const auto bytes = [&](int r) { return std::clamp<Count>(a.counts[r] - at, 0, hall); };
    if (longest <= static_cast<Count>(Board::small_bytes))
      give(a.send, bytes(rank_));
    else
      give_long(a.send + static_cast<Address>(at), bytes(rank_));
    if (own != a.send && bytes(rank_) > 0)
      std::memmove(bytes_at(own) + at, bytes_at(a.send) + at, static_cast<std::size_t>(bytes(rank_)));
    wait_for_all();
    for (int i = 1; i < size_; ++i) {
      const int r = (rank_ + i) % size_;
      take(a.recv + static_cast<Address>(a.displs[r] + at), given(r), bytes(r));
    }
  }
}

}  // namespace cow::coll
