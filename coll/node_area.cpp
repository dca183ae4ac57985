#include "coll/node_area.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "coll/algorithms/bcast/binomial.hpp"
#include "coll/algorithms/parts/subgroup.hpp"
#include "coll/execute/comm_coll.hpp"
#include "coll/execute/execute.hpp"
#include "coll/execute/run.hpp"
#include "coll/node_area_parts.hpp"
#include "coll/prepare/prepare.hpp"
#include "objects/group.hpp"
#include "objects/op.hpp"
#include "runtime/lock.hpp"
#include "runtime/process_state.hpp"
#include "runtime/progress.hpp"
#include "runtime/waiting.hpp"
#include "transport/local_peers.hpp"

namespace cow::coll {

using transport::shm::SharedFile;

// Progress knows of a wait, so that no thread sleeps through its end. It is told of the end once, and then nothing keeps it
// from sleeping any more: the thread that waits needs the lock from the one that polls, who gives it up when it sleeps.
struct NodeArea::Waiting : progress::Source {
  Waiting(const NodeArea& a, const Board::Want& w, int first_missing);
  ~Waiting();
  bool over() { return area.board_.have_entered(from, wanted.end, wanted.number); }

  const NodeArea& area;
  const Board::Want wanted;
  int from;  // those before it have come
  bool told = false;
  Waiting* previous = nullptr;
  Waiting* following = nullptr;
};

namespace {

NodeArea::Waiting* waits = nullptr;
constexpr std::size_t most_memory = std::size_t{256} << 20;  // of all areas of this process, mapped
std::size_t memory_in_use = 0;
constexpr int most_watched = 200;
constexpr Nanoseconds between_looks = 500 * millisecond;  // at the processes of those who are missing

// The most that a rank gives in one round.
Count most_given(const Operation& o, int size) {
  if (o.collective == Collective::allgatherv) return *std::max_element(o.args.counts, o.args.counts + size);
  Count bytes = o.measure;
  if (o.unit.extent != o.unit.size) bytes = bytes / std::max<Count>(o.unit.size, 1) * o.unit.extent;
  if (o.collective == Collective::scatter || o.collective == Collective::alltoall) bytes *= size;
  return bytes;
}

Error share_offer(Comm& comm, const std::vector<int>& ranks, int place, transport::shm::Offer& offer) {
  const Unit unit = byte_unit();
  Run run(comm, next_tag(comm), unit, nullptr, nullptr);
  Among among(run, ranks, place);
  Args args;
  args.recv = reinterpret_cast<Address>(&offer);
  args.count = sizeof offer;
  BcastBinomial::run(among, args);
  return run.result();
}

Error all_can(Comm& comm, bool mine, bool& out) {
  int own = mine, all = 0;
  Operation operation;
  if (Error error = prepare_sum(operation, Collective::allreduce, comm, {&own, 1, find(MPI_INT)}, &all, find(MPI_MIN)))
    return error;
  if (Error error = run_by_messages(operation)) return error;
  out = all != 0;
  return success;
}

}  // namespace

// ---- making

NodeArea::NodeArea(Comm& comm, const Nodes& nodes, std::unique_ptr<SharedFile> file, bool fixed_order, double processors)
    : comm_(comm),
      ranks_(nodes.ranks(nodes.node(comm.rank))),
      file_(std::move(file)),
      board_(file_ ? file_->memory() + SharedFile::reserved : nullptr, nodes.place(comm.rank), static_cast<int>(ranks_.size())),
      rank_(board_.rank()),
      size_(board_.size()),
      fixed_order_(fixed_order),
      crowded_(size_ > runtime::allowed_processors()),
      processors_(processors),
      turns_(processors > 0 ? std::max(1.0, size_ / processors) : 1.0),
      halls_(nodes.largest() <= most_ranks_with_halls ? Made::unknown : Made::no),
      in_use_(file_ ? Board::bytes_for(size_) : 0),
      sources_(static_cast<std::size_t>(size_)) {
  memory_in_use += in_use_;
}

NodeArea::~NodeArea() { memory_in_use -= in_use_; }

// Whether all others are reached through shared memory.
bool NodeArea::link_up() {
  for (int r = 0; r < size_; ++r) {
    const int index = transport::local_peer_index(comm_.group->process(ranks_[static_cast<std::size_t>(r)]));
    if (index < 0) return false;
    others_.push_back(r == rank_ ? nullptr : &transport::shared_memory->link(static_cast<std::uint32_t>(index)));
    if (r != rank_) asleep_.push_back(others_.back()->asleep);
  }
  return true;
}

Error NodeArea::make(Comm& comm, const Nodes& nodes, bool fixed_order, double processors, std::unique_ptr<NodeArea>& out) {
  const std::vector<int>& ranks = nodes.ranks(nodes.node(comm.rank));
  const int size = static_cast<int>(ranks.size()), place = nodes.place(comm.rank);
  const bool halls = nodes.largest() <= most_ranks_with_halls, alone = size == 1;
  const std::size_t bytes = SharedFile::reserved + (halls ? Board::bytes_with_halls(size) : Board::bytes_for(size));
  auto file = alone ? nullptr : std::make_unique<SharedFile>();
  transport::shm::Offer offer;
  Error error = success;
  const bool maker = place == 0 && !alone;
  if (maker) error = file->make(bytes, offer);
  if (Error failed = share_offer(comm, ranks, place, offer)) return failed;
  if (!maker && !alone) error = file->open(bytes, offer);
  std::unique_ptr<NodeArea> area;
  bool mine = alone || (!error && memory_in_use + Board::bytes_for(size) <= most_memory);
  if (alone) {
    area.reset(new NodeArea(comm, nodes, nullptr, fixed_order, processors));
  } else if (mine) {
    SharedFile& memory = *file;
    area.reset(new NodeArea(comm, nodes, std::move(file), fixed_order, processors));
    const auto reserve = [&](Board::Range r) { return !memory.reserve(SharedFile::reserved + r.from, SharedFile::reserved + r.to); };
    mine = area->link_up() && reserve(area->board_.small_part()) && (!maker || reserve(area->board_.all_lines()));
  }
  bool all = false;
  if (Error failed = all_can(comm, mine, all)) return failed;
  if (!all) return success;
  if (!alone) area->file_->close_file();  // by now the others have opened it
  runtime::begin_in_turn();
  out = std::move(area);
  return success;
}

// ---- a round

std::byte* NodeArea::open(Count bytes) {
  board_.begin(static_cast<std::size_t>(bytes), static_cast<std::uint8_t>(present_));
  return free_place();
}

std::byte* NodeArea::free_place() {
  if (!board_.may_write()) wait_for({board_.needed_after_wait(), 0, static_cast<std::uint16_t>(size_)});
  return board_.place();
}

// Enters, and wakes who sleeps: see Link::notify for why no fence is needed before the flags are read. A sleeper looks
// again after it has said that it sleeps, behind a barrier that it makes this processor run.
void NodeArea::enter(bool whole) {
  if (dead_ >= 0) return;
  board_.enter(whole);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  for (const std::atomic<std::uint32_t>* asleep : asleep_)
    if (asleep->load(std::memory_order_relaxed) != static_cast<std::uint32_t>(transport::shm::Sleep::awake))
      return wake_sleepers();
}

// Those whose wait has ended by this rank's entry. Of several who enter at once, at least one sees all of them.
[[gnu::cold]] void NodeArea::wake_sleepers() {
  board_.fence();
  for (int r = 0; r < size_; ++r) {
    const transport::shm::Link* const other = others_[static_cast<std::size_t>(r)];
    if (other && other->asleep->load(std::memory_order_seq_cst) != 0 && board_.has_fulfilled(board_.wanted_by(r)))
      transport::shared_memory->wake(other->index);
  }
}

void NodeArea::give(Address from, Count bytes) {
  std::byte* const place = open(bytes);
  if (bytes > 0 && dead_ < 0) std::memcpy(place, bytes_at(from), static_cast<std::size_t>(bytes));
  enter();
}

void NodeArea::wait(int first, int end) {
  wait_for({board_.number(), static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(end)});
  compare_kinds(first, end);
}

void NodeArea::compare_kinds(int first, int end) {
  const auto own = static_cast<std::uint8_t>(present_);
  for (int r = first; r < end; ++r) {
    const std::uint8_t kind = board_.kind(r);
    if (kind == own) [[likely]] continue;
    if (mismatch_ || dead_ >= 0) return;
    mismatch_ = fail(ErrorClass::other, "rank %d of the communicator is in %s while this rank is in %s",
                     ranks_[static_cast<std::size_t>(r)],
                     kind < collectives ? name_of(static_cast<Collective>(kind)) : "no collective", name_of(present_));
  }
}

void NodeArea::wait_for_all() {
  wait(0, size_);
  board_.all_are_in();
}

NodeArea::Waiting::Waiting(const NodeArea& a, const Board::Want& w, int first_missing)
    : area(a), wanted(w), from(first_missing) {
  poll = [](progress::Source& source) -> std::size_t {
    auto& self = static_cast<Waiting&>(source);
    if (self.told || !self.over()) return 0;
    self.told = true;
    return 1;
  };
  may_sleep = [](progress::Source& source) {
    auto& self = static_cast<Waiting&>(source);
    return self.told || !self.over();
  };
  progress::add(*this);
  following = waits;
  if (waits) waits->previous = this;
  waits = this;
}

NodeArea::Waiting::~Waiting() {
  (previous ? previous->following : waits) = following;
  if (following) following->previous = previous;
  progress::remove(*this);
}

// For those who run on other processors, and may be a cache line away.
bool NodeArea::watch(const Board::Want& want, int& from) const {
  if (runtime::waiting_policy().spin_limit == 0 || board_.is_needed_here(want)) return false;
  constexpr int tight = 32, rounds = 64;
  for (int i = 0; i < rounds; ++i) {
    if (board_.have_entered(from, want.end, want.number)) return true;
    if (i >= tight) __builtin_ia32_pause();
  }
  return false;
}

// The first yields of a rank that shares its processor: without a look at the clock or at messages, which take a tenth of
// the time that a switch to the next rank takes.
bool NodeArea::yield_at_once(const Board::Want& want, int& from) {
  const runtime::WaitingPolicy& policy = runtime::waiting_policy();
  if (policy.yield == 0 || policy.spin_only || runtime::threads_multiple) return false;
  constexpr int most = 4;
  for (int i = 0; i < most && board_.is_needed_here(want.number); ++i) {
    progress::give_turn();
    board_.run_here();
    if (board_.have_entered(from, want.end, want.number) || watch(want, from)) return true;
  }
  return false;
}

// Of all who have not come to the round: who is waited for may be one that waits for the dead, and enters no more.
bool NodeArea::somebody_died(Board::Number number) {
  for (int r = 0; r < size_ && dead_ < 0; ++r) {
    const transport::shm::Link* const other = others_[static_cast<std::size_t>(r)];
    // It may have entered just before its end, so the board is looked at afterwards.
    if (!other || board_.has_entered(r, number) || !runtime::has_ended(transport::shared_memory->process_of(other->index)))
      continue;
    if (!board_.has_entered(r, number)) dead_ = r;
  }
  return dead_ >= 0;
}

Error NodeArea::loss() const {
  return fail(ErrorClass::proc_aborted, "rank %d of the communicator has died", ranks_[static_cast<std::size_t>(dead_)]);
}

// As progress::wait_until, but for this: while nobody who shares this processor is behind it is of no use to yield it, and
// when somebody is, it is given up at once. So a rank is scheduled once in a collective.
void NodeArea::wait_for(const Board::Want& want) {
  int from = want.first;
  if (board_.have_entered(from, want.end, want.number)) return;
  board_.run_here();
  if (watch(want, from) || dead_ >= 0) return;
  if (crowded_ && ++waits_ % waits_between_polls != 0 && yield_at_once(want, from)) return;
  board_.want(want);
  Waiting waiting(*this, want, from);
  progress::Wait wait;
  Nanoseconds look_at = 0;
  int watching = runtime::waiting_policy().spin_limit > 0 ? most_watched : 0;  // polls, of some 50 ns
  while (!waiting.over()) {
    if (progress::poll() > 0) {
      progress::settle(wait);
    } else if (watching > 0 && !board_.is_needed_here(want.number)) {
      --watching;
      if (runtime::threads_multiple) runtime::let_others_in();
      __builtin_ia32_pause();
    } else {
      const unsigned yields = wait.yields;
      progress::give_way(wait);
      board_.run_here();
      if (wait.yields > yields) continue;
      if (const Nanoseconds time = now(); time >= look_at) {  // after a sleep, or while nobody else wants the processor
        if (look_at > 0 && somebody_died(want.number)) break;
        look_at = time + between_looks;
      }
    }
  }
  board_.want({});
}

// ---- collectives

// Makes this rank's rooms of a kind exist, where all ranks can; `all` bytes more are then in use.
Error NodeArea::make_rooms(Made& made, Board::Range part, std::size_t all) {
  if (made != Made::unknown) return success;
  if (!file_) all = 0;
  const bool mine = memory_in_use + all <= most_memory &&
                    !(file_ && file_->reserve(SharedFile::reserved + part.from, SharedFile::reserved + part.to));
  bool everybody = false;
  if (Error failed = all_can(comm_, mine, everybody)) return failed;
  made = everybody ? Made::yes : Made::no;
  if (everybody) memory_in_use += all, in_use_ += all;
  return success;
}

// Halls, as far as there is memory; else large rooms for what fits into them.
Error NodeArea::have_large_room(std::size_t bytes, bool& out) {
  out = true;
  if (Error error = make_rooms(halls_, board_.hall_part(), Board::bytes_of_halls(size_))) return error;
  if (halls_ == Made::yes) {
    board_.use_halls();
    return success;
  }
  if (!Board::needs_hall(bytes))
    if (Error error = make_rooms(large_, board_.large_part(), 0)) return error;
  out = !Board::needs_hall(bytes) && large_ == Made::yes;
  return success;
}

NodeArea::Limits NodeArea::limits(int size, const Selector& selector) {
  Limits limits;
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const auto which = static_cast<Collective>(i);
    const bool sums_in_turn = which == Collective::scan || which == Collective::exscan;
    const bool never = selector.forced().by_collective[i] || (selector.reproducible() && sums_in_turn);
    limits[i] = never ? -1 : most_on_memory(which, size, selector.processors());
  }
  return limits;
}

// Those of which the ranks do not know alike how much they move, or that it is nothing.
constexpr bool has_no_measure(Collective which) {
  return which == Collective::barrier || which == Collective::gatherv || which == Collective::scatterv ||
         which == Collective::alltoallv;
}

bool NodeArea::suits(const Operation& o, const Limits& limits) {
  const Count most = limits[static_cast<std::size_t>(o.collective)];
  if (most < 0) return false;
  if (o.measure == 0) return has_no_measure(o.collective);  // else there is nothing to wait for
  if (o.unit.op && !o.unit.combine) return false;
  return o.measure <= most;
}

Error NodeArea::run(Operation& operation, bool& done) {
  const auto bytes = static_cast<std::size_t>(most_given(operation, size_));
  if (Error error = have_room(bytes, done)) return error;
  if (!done) return success;
  if (dead_ >= 0) return loss();
  present_ = operation.collective;
  mismatch_ = success;
  tag_ = next_tag(comm_);
  const bool is_long = Board::needs_hall(bytes);
  const Error error = operation.is_plain() ? perform(operation, operation.args, is_long) : perform_packed(operation, is_long);
  if (dead_ >= 0) return loss();
  return mismatch_ ? mismatch_ : error;
}

Error NodeArea::perform_packed(const Operation& operation, bool is_long) {
  Run run(comm_, tag_, operation.unit, nullptr, nullptr);  // for its scratch: it sends nothing
  Error error = success;
  coll::perform(run, operation, [&](Run&, const Args& args) { error = perform(operation, args, is_long); });
  return error ? error : run.result();
}

Error NodeArea::perform(const Operation& operation, const Args& a, bool is_long) {
  past_caches_ = false;
  if (is_long) return perform_long(operation, a);
  const Collective which = operation.collective;
  const Unit& unit = operation.unit;
  switch (which) {
    case Collective::barrier:
      give(0, 0);
      wait_for_all();
      return success;
    case Collective::bcast:
      return bcast(a);
    case Collective::gather:
      return gather(a, false);
    case Collective::allgather:
      return gather(a, true);
    case Collective::scatter:
      return scatter(a);
    case Collective::alltoall:
      alltoall(a);
      return success;
    case Collective::gatherv:
      return gatherv(unit, a);
    case Collective::scatterv:
      return scatterv(unit, a);
    case Collective::alltoallv:
      return alltoallv(unit, a);
    case Collective::allgatherv:
      allgatherv(a);
      return success;
    case Collective::reduce:
      return reduce(unit, a, false);
    case Collective::allreduce:
      return by_way_of_one() && Board::is_large(static_cast<std::size_t>(unit.span(a.count))) ? reduce_and_tell(unit, a)
                                                                                              : reduce(unit, a, true);
    case Collective::scan:
    case Collective::exscan:
      return scan(unit, a, which == Collective::scan);
    case Collective::reduce_scatter:
    case Collective::reduce_scatter_block:
      return reduce_scatter(unit, a, which == Collective::reduce_scatter);
    default:
      broken(__FILE__, __LINE__, "a collective that does not suit");
  }
}

Error NodeArea::bcast(const Args& a) {
  if (rank_ == a.root) {
    give(a.recv, a.count);
    return success;
  }
  give(0, 0);
  wait(a.root, a.root + 1);
  const auto came = given_bytes(a.root);
  copy(a.recv, given(a.root), std::min(a.count, came));
  if (came <= a.count) return success;
  return fail(ErrorClass::truncate, "the root sends %lld bytes, of which %lld fit", static_cast<long long>(came),
              static_cast<long long>(a.count));
}

Error NodeArea::gather(const Args& a, bool everywhere) {
  const auto block = [&](int r) { return a.recv + static_cast<Address>(r * a.count); };
  const bool receives = everywhere || rank_ == a.root;
  if (everywhere || !receives)
    give(a.send, a.count);
  else
    give(0, 0);
  if (!receives) return success;
  if (everywhere)
    wait_for_all();
  else
    wait(0, size_);
  Error error = success;
  for (int r = 0; r < size_; ++r) {
    if (r == rank_) continue;
    const Count came = given_bytes(r);
    copy(block(r), given(r), std::min(a.count, came));
    if (came > a.count && may_go_on()) error = too_long(ranks_[static_cast<std::size_t>(r)], came, a.count);
  }
  if (block(rank_) != a.send)
    std::memmove(bytes_at(block(rank_)), bytes_at(a.send), static_cast<std::size_t>(a.count));
  return error;
}

Error NodeArea::scatter(const Args& a) {
  const Address own = a.send + static_cast<Address>(rank_ * a.count);
  if (rank_ == a.root) {
    give(a.send, a.count * size_);
    if (a.recv != own) std::memmove(bytes_at(a.recv), bytes_at(own), static_cast<std::size_t>(a.count));
    return success;
  }
  give(0, 0);
  wait(a.root, a.root + 1);
  const Count came = given_bytes(a.root) / size_;
  copy(a.recv, given(a.root, rank_ * came), std::min(a.count, came));
  return came > a.count && may_go_on() ? too_long(ranks_[static_cast<std::size_t>(a.root)], came, a.count) : success;
}

void NodeArea::alltoall(const Args& a) {
  give(a.send, a.count * size_);
  wait_for_all();
  for (int r = 0; r < size_; ++r) copy(a.recv + static_cast<Address>(r * a.count), given(r, rank_ * a.count), a.count);
}

// The units [at, at + n) of what ranks first … end - 1 gave in a round, combined in order, from the last to the first, each
// put on the left. `to`: where the first byte of data goes.
Error NodeArea::combine(const Unit& unit, Address to, Board::Number round, int first, int end, Count at, Count n) {
  if (n == 0) return success;
  const Count offset = at * unit.extent;
  if (fixed_order_) return combine_in_pairs(unit, to, n, [&](int r) { return board_.given(r, round) + offset; });
  const auto lb = static_cast<Address>(unit.true_lb);
  copy(to, board_.given(end - 1, round) + offset, unit.span(n));
  for (int r = end - 2; r >= first; --r) {
    const Address left = reinterpret_cast<Address>(board_.given(r, round) + offset) - lb;
    unit.combine(bytes_at(left), bytes_at(to - lb), n);
  }
  return success;
}

Error NodeArea::reduce(const Unit& unit, const Args& a, bool everywhere) {
  constexpr Count most_to_combine = 16384;  // bytes; more of them are divided among the ranks
  const Count bytes = unit.span(a.count);
  const auto lb = static_cast<Address>(unit.true_lb);
  give(a.send + lb, bytes);
  if (everywhere)
    wait_for_all();
  else if (rank_ == a.root)
    wait(0, size_);
  else
    return success;
  if (everywhere && bytes * size_ > most_to_combine) return reduce_blocks(unit, a.recv + lb, a.count);
  return combine(unit, a.recv + lb, board_.number(), 0, size_, 0, a.count);
}

// The second half of an allreduce whose vectors have been given: each rank combines a block and gives it.
Error NodeArea::reduce_blocks(const Unit& unit, Address recv, Count n) {
  const EvenBlocks blocks{n, size_};
  const Board::Number round = board_.number();
  const Count own = blocks.length(rank_);
  const auto place = reinterpret_cast<Address>(open(unit.span(own)));
  if (dead_ >= 0) return success;  // which run() makes an error; what lies in the place may still be read
  const Error error = combine(unit, place, round, 0, size_, blocks.offset(rank_), own);
  enter();
  if (error) return error;
  wait_for_all();
  for (int r = 0; r < size_; ++r)
    copy(recv + static_cast<Address>(blocks.offset(r) * unit.extent), given(r), unit.span(blocks.length(r)));
  return success;
}

Error NodeArea::reduce_scatter(const Unit& unit, const Args& a, bool with_counts) {
  const Count at = with_counts ? a.displs[rank_] : a.count * rank_;
  const Count own = with_counts ? a.counts[rank_] : a.count;
  const Count all = with_counts ? a.displs[size_ - 1] + a.counts[size_ - 1] : a.count * size_;
  const auto lb = static_cast<Address>(unit.true_lb);
  give(a.send + lb, unit.span(all));
  wait_for_all();
  return combine(unit, a.recv + lb, board_.number(), 0, size_, at, own);
}

// ---- for reports

const NodeArea::Waiting* NodeArea::first_waiting() { return waits; }
const NodeArea::Waiting* NodeArea::next(const Waiting& waiting) { return waiting.following; }
const Comm& NodeArea::comm_of(const Waiting& waiting) { return waiting.area.comm_; }
int NodeArea::number(const Waiting& waiting) { return waiting.area.tag_; }
int NodeArea::missing(const Waiting& waiting) { return waiting.area.ranks_[static_cast<std::size_t>(waiting.from)]; }

}  // namespace cow::coll
