// Collectives among ranks that share a node, directly on memory: flags and one copy, no messages. Blocking calls only. They
// are the ranks of a communicator that lies on one node, or those that one of several nodes has of it: then they do parts
// of its collectives (node_parts.cpp). The memory and the rules of writing to it are those of coll/board.hpp; a round is an
// entry of all ranks.
//
//   barrier         enter, wait for all
//   allreduce       give the vector, wait for all, combine all vectors in rank order, each rank for itself; when there is
//                   much to combine, each rank only its block, which it gives in a second round
//   reduce          the same, but only the root waits and combines
//   bcast, scatter  the root gives; the others wait for it alone
//   gather          all give; the root waits for all
//   allgather, alltoall, reduce_scatter, reduce_scatter_block    give all, wait for all, take one's own
//   scan, exscan    give the vector, wait for those below, combine what they have combined already with what they have not,
//                   and give that too
//   gatherv, scatterv, allgatherv, alltoallv    node_area_given.cpp
//
// Long vectors go piece by piece (node_area_long.cpp, node_area_sums.cpp). Whoever enters wakes those who sleep, if it was
// the last whom they waited for. Ranks that call different collectives are told so, as far as they meet. Who has waited long
// looks whether the processes of those who are missing still live; if one does not, the communicator can do no more on
// memory: this collective and all others fail.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "coll/board.hpp"
#include "coll/core/call.hpp"
#include "coll/on_memory.hpp"
#include "coll/streaming.hpp"
#include "transport/shm/shared_file.hpp"

namespace cow::transport::shm {
struct Link;
}

namespace cow::coll {

class Selector;

class NodeArea {
 public:
  // Made by all ranks of the communicator together, on each node for those that it has; `out` stays null, at all of them,
  // where one of them cannot. Who is alone on its node gets one without memory, which can do no parts. `fixed_order`:
  // reductions combine in the order that depends on the number of ranks alone. `processors` of the node, the same number at
  // all its ranks; 0: one for each.
  static Error make(Comm& comm, const Nodes& nodes, bool fixed_order, double processors, std::unique_ptr<NodeArea>& out);

  NodeArea(const NodeArea&) = delete;
  NodeArea& operator=(const NodeArea&) = delete;
  ~NodeArea();

  // Whether an operation of so many ranks could go by memory: the same answer at every rank. `limits`: by collective.
  using Limits = std::array<Count, collectives>;
  static Limits limits(int size, const Selector& selector);
  static bool suits(const Operation& operation, const Limits& limits);

  // An operation that suits(). `done` is false, at all ranks, when there is no memory for one so large.
  Error run(Operation& operation, bool& done);

  // ---- parts of collectives of several nodes: ranks and roots are places among the node's

  // Whether the parts of an operation could go by memory, the longest of `longest` bytes: the same answer at every rank.
  static bool parts_suit(const Operation& operation, const Nodes& nodes, Count& longest);
  // Whether there is memory for parts so long: asked by all ranks of the communicator together.
  Error have_room(std::size_t bytes, bool& out) {
    out = true;
    return Board::is_large(bytes) ? have_large_room(bytes, out) : success;
  }
  // Before the parts of a collective; `tag` is its own.
  void begin_parts(Collective whole, int tag, Count longest);
  // bcast, gather or reduce. False for a rank that is alone on its node, which has nothing to do then.
  bool can_do_parts() const { return size_ > 1; }
  Error part(Collective which, const Unit& unit, const Args& args);
  bool has_lost() const { return dead_ >= 0; }  // one of its ranks
  // This rank has no memory left to go on with; the others of the node shall not wait for it, as far as that can be.
  void abandon();

  // A wait on a board, for reports of what a rank waits for.
  struct Waiting;
  static const Waiting* first_waiting();
  static const Waiting* next(const Waiting& waiting);
  static const Comm& comm_of(const Waiting& waiting);
  static int number(const Waiting& waiting);   // of the collective, as tags count them
  static int missing(const Waiting& waiting);  // a rank that has not come yet

 private:
  NodeArea(Comm& comm, const Nodes& nodes, std::unique_ptr<transport::shm::SharedFile> file, bool fixed_order,
           double processors);
  bool link_up();
  enum class Made : std::uint8_t { unknown, yes, no };
  Error have_large_room(std::size_t bytes, bool& out);
  Error make_rooms(Made& made, Board::Range part, std::size_t all);

  // The steps of a round: a place to write to, when one is needed; the entry; the wait for ranks first … end - 1.
  std::byte* open(Count bytes);
  std::byte* free_place();
  void enter(bool whole = false);
  void give(Address from, Count bytes);
  void wait(int first, int end);
  void wait_for_all();
  void compare_kinds(int first, int end);
  void wait_for(const Board::Want& want);
  bool yield_at_once(const Board::Want& want, int& from);
  bool somebody_died(Board::Number number);
  Error loss() const;  // that it has
  bool watch(const Board::Want& want, int& from) const;
  void wake_sleepers();

  Error perform(const Operation& operation, const Args& args, bool is_long);
  Error perform_packed(const Operation& operation, bool is_long);
  Error bcast(const Args& a);
  Error gather(const Args& a, bool everywhere);
  Error scatter(const Args& a);
  void alltoall(const Args& a);
  Error reduce(const Unit& unit, const Args& a, bool everywhere);
  Error reduce_blocks(const Unit& unit, Address recv, Count n);
  Error reduce_scatter(const Unit& unit, const Args& a, bool with_counts);
  Error scan(const Unit& unit, const Args& a, bool inclusive);
  Error scan_in_one_round(const Unit& unit, const Args& a, Count bytes, bool inclusive);
  Error scan_in_turn(const Unit& unit, const Args& a, Count bytes, bool inclusive);
  void wait_for_below(const Unit& unit, Count n, Count half, const std::byte*& out);
  Error combine(const Unit& unit, Address to, Board::Number round, int first, int end, Count at, Count n);
  template <class Data>
  Error combine_in_pairs(const Unit& unit, Address to, Count n, Data data);

  // Of blocks given one by one: node_area_given.cpp.
  void lay_down(std::byte* place, Count at, Count bytes, Address from, Count count, const Datatype* type);
  bool fits(Count bytes);
  Error grant_halls();
  bool may_go_on() const { return dead_ < 0 && !mismatch_; }
  template <class Bytes, class From, class TypeOf>
  void give_blocks(Bytes bytes, From from, TypeOf type, const Count* counts);
  Count start_of_blocks(Count data) const;
  Count length_given(int giver, int to) const;
  Error take_block(int giver, Address to, Count count, const Datatype* type);
  Error gatherv(const Unit& unit, const Args& a);
  Error scatterv(const Unit& unit, const Args& a);
  Error scatterv_in_pieces(const Args& a);
  Error alltoallv(const Unit& unit, const Args& a);
  Error alltoallv_in_pieces(const Args& a);
  Error alltoallv_by_messages(const Unit& unit, const Args& a);
  void allgatherv(const Args& a);

  // Of long vectors: node_area_long.cpp, node_area_sums.cpp.
  Error perform_long(const Operation& operation, const Args& args);
  bool many_at_work() const;
  bool by_way_of_one() const { return turns_ > 2 && !many_at_work(); }
  void put(std::byte* place, Address from, Count bytes);
  void give_long(Address from, Count bytes);
  void take(Address to, const std::byte* from, Count bytes);
  Error bcast_long(const Args& a);
  void gather_long(const Args& a, bool everywhere);
  void scatter_long(const Args& a);
  void alltoall_long(const Args& a);
  void alltoall_in_pairs(const Args& a);
  Error reduce_at_root(const Unit& unit, const Args& a);
  Error reduce_and_tell(const Unit& unit, const Args& a);
  Error sum_by_blocks(const Unit& unit, const Args& a, bool everywhere);
  Error reduce_scatter_long(const Unit& unit, const Args& a, bool with_counts);
  Error scan_long(const Unit& unit, const Args& a, bool inclusive);
  void put_others(const Unit& unit, std::byte* place, Address base, Count at, const EvenBlocks& blocks);
  void take_sources(Board::Number round, Count offset, Address own);
  Error combine_sources(const Unit& unit, Address to, int first, int end, Count n);
  Error add_piece(const Unit& unit, const Args& a, Count at, Count n, std::byte* place, bool inclusive);

  // Parts: node_parts.cpp.
  Error perform_part(Collective which, const Unit& unit, const Args& args);
  Error collect(const Unit& unit, const Args& a, bool sums);
  Error spread(const Args& a);

  // In the present round.
  const std::byte* given(int rank, Count at = 0) const { return board_.given(rank, board_.number()) + at; }
  Count given_bytes(int rank) const { return static_cast<Count>(board_.given_bytes(rank, board_.number())); }
  bool is_whole(int rank) const { return board_.is_whole(rank, board_.number()); }

  Comm& comm_;
  const std::vector<int> ranks_;  // of the communicator, by place; all else here speaks of places
  std::unique_ptr<transport::shm::SharedFile> file_;
  Board board_;
  const int rank_;
  const int size_;
  const bool fixed_order_;
  const bool crowded_;  // more ranks than processors
  const double processors_;  // of the node, as all ranks see it; 0: one for each
  const double turns_;       // ranks to a processor; at least 1
  static constexpr unsigned waits_between_polls = 64;  // of all of the library, where nothing else polls
  unsigned waits_ = 0;
  int tag_ = 0;                                 // of the present collective
  Collective present_ = Collective::barrier;
  Error mismatch_ = success;                    // noted in the present collective
  int dead_ = -1;                               // a rank that has died: from then on nothing is waited for
  Made large_ = Made::unknown;
  Made halls_ = Made::unknown;
  std::size_t in_use_ = 0;  // of all memory of areas, by this one
  std::vector<transport::shm::Link*> others_;  // by place; null for this one
  std::vector<const std::atomic<std::uint32_t>*> asleep_;  // whether they sleep, of the others
  std::vector<std::byte> halves_;              // scratch of combine_in_pairs() and wait_for_below()
  std::vector<const std::byte*> sources_;      // by rank: what is combined
  WayOfWriting writing_;                       // of long vectors
  bool past_caches_ = false;                   // the present collective brings more than they hold
  bool one_round_ = false;                     // its parts share one
  bool entry_due_ = false;                     // this rank has begun that round, and the others wait for it
  bool abandoned_ = false;
};

}  // namespace cow::coll
