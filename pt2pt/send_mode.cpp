#include "pt2pt/send_mode.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/settings.hpp"
#include "pt2pt/operation.hpp"
#include "pt2pt/send_costs.hpp"
#include "runtime/progress.hpp"
#include "runtime/snapshot.hpp"

namespace cow::pt2pt {

GiveBackCounters give_back_counters;

namespace {

// A send whose request the program sees complete before the message has left. It owns what the bytes are read from.
struct Debt : Send {
  Debt();
  void* copy = nullptr;
  std::size_t copy_size = 0;  // bytes, for the account
  std::size_t kept_size = 0;  // likewise, in a snapshot
};

Pool<Debt> debts;
bool sharing = false;
runtime::Snapshot* shared_snapshot = nullptr;  // referenced
std::size_t unpaid = 0;  // debts that the engine still works on
std::size_t kept_bytes = 0;  // of messages that are read from snapshots

void release_debt(Request& request) {
  auto& debt = static_cast<Debt&>(request);
  --unpaid;
  if (debt.status.MPI_ERROR != MPI_SUCCESS) ++give_back_counters.lost;
  if (debt.snapshot) debt.snapshot->release();
  free(debt.copy);
  free(debt.piece);
  give_back_counters.copied_bytes -= debt.copy_size;
  kept_bytes -= debt.kept_size;
  if (debt.comm) release(*debt.comm);
  debts.destroy(&debt);
}

const RequestKind debt_kind{.name = "send", .cancel = cancel_send, .release = release_debt};
Debt::Debt() : Send(debt_kind) {}

bool room_for_copy(std::size_t size) {
  const auto limit = static_cast<std::size_t>(settings().copy_limit);
  return size <= limit && give_back_counters.copied_bytes <= limit - size;
}

// Memory for a copy, within the limit; null: there is none.
void* take_room(Debt& debt, std::size_t size) {
  if (!room_for_copy(size) && !sharing) progress::poll();  // some may just have left
  if (!room_for_copy(size) || !(debt.copy = malloc(size))) {
    ++give_back_counters.over_limit;
    return nullptr;
  }
  debt.copy_size = size;
  give_back_counters.copied_bytes += size;
  give_back_counters.most_copied_bytes = std::max(give_back_counters.most_copied_bytes, give_back_counters.copied_bytes);
  ++give_back_counters.copies;
  return debt.copy;
}

// A snapshot that keeps the memory; null: there is none of it.
runtime::Snapshot* find_snapshot(const void* data, std::size_t size) {
  if (shared_snapshot && !shared_snapshot->covers(data, size)) {
    shared_snapshot->retain();
    ++give_back_counters.shared;
    return shared_snapshot;
  }
  runtime::Snapshot* snapshot = nullptr;
  const auto scope = sharing ? runtime::Snapshot::Scope::all : runtime::Snapshot::Scope::range;
  if (runtime::Snapshot::take(data, size, scope, snapshot)) return nullptr;
  if (sharing && !shared_snapshot) {
    snapshot->retain();
    shared_snapshot = snapshot;
  }
  return snapshot;
}

// Whether copies, and pages that the program has written while snapshots kept them, leave room for what it may write of
// this message. What it will write is not known: as long as all of it would fit, nothing is asked, and else it is measured
// how much it was, each time when as much as was left then has been sent.
bool room_for_snapshot(std::size_t size) {
  static std::size_t left = 0;
  const auto limit = static_cast<std::size_t>(settings().copy_limit);
  const std::size_t copied = give_back_counters.copied_bytes;
  if (copied + kept_bytes + size <= limit) return true;
  if (left < size) {
    if (!sharing) progress::poll();
    const std::size_t held = copied + runtime::Snapshot::held_by_all();
    if (held >= limit) return left = 0, false;
    left = std::max(limit - held, size);
  }
  left -= size;
  return true;
}

bool take_snapshot(Debt& debt, const SendArgs& args, std::size_t size) {
  debt.piece = static_cast<std::byte*>(malloc(wire::max_message));
  // Only one run of memory can be read from another process without knowing types.
  if (debt.piece && args.type->contiguous && args.comm->peers().process(args.rank) != engine.self)
    debt.snapshot = find_snapshot(data_of(args.buffer, *args.type), size);
  ++(debt.snapshot ? give_back_counters.snapshots : give_back_counters.uncovered);
  if (!debt.snapshot) return false;
  debt.kept_size = size;
  kept_bytes += size;
  return true;
}

SendArgs of_copy(const SendArgs& args, const void* copy, std::size_t size) {
  SendArgs out = args;
  out.buffer = copy;
  out.count = static_cast<MPI_Count>(size);
  out.type = find(MPI_PACKED);
  return out;
}

// An eager message that waits (for credit, for the connection): its bytes are still the program's.
bool take_out_of_buffer(Debt& debt) {
  void* copy = take_room(debt, debt.size);
  if (!copy) return false;
  pack(*debt.args.type, debt.args.buffer, debt.args.count, 0, copy, static_cast<MPI_Count>(debt.size));
  release(*debt.args.type);
  debt.args = of_copy(debt.args, copy, debt.size);
  retain(*debt.args.type);
  debt.out.body = {.bytes = copy, .size = debt.size};
  return true;
}

// Bytes of this process that are in memory; read anew now and then.
std::size_t resident_bytes() {
  static std::size_t bytes = 0;
  static unsigned calls = 0;
  if (calls++ % 8 != 0) return bytes;
  long pages = 0;
  if (FILE* file = fopen("/proc/self/statm", "re")) {
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
  }
  return bytes = static_cast<std::size_t>(pages) * 4096;
}

// How long the program goes without waiting for anything after a send of mode `auto`, lately.
class Pauses {
 public:
  void sent() {
    since_ = now();
    end_ = 0;
    progress::next_wait = &end_;
  }
  // Before the next send.
  double learn() {
    progress::next_wait = nullptr;
    if (since_ == 0) return lately_;
    const auto seen = static_cast<double>((end_ != 0 ? end_ : now()) - since_) / static_cast<double>(microsecond);
    since_ = 0;
    return lately_ = lately_ < 0 ? seen : (lately_ + seen) / 2;
  }

 private:
  Nanoseconds since_ = 0;  // 0: there was none
  Nanoseconds end_ = 0;    // written by progress
  double lately_ = Expected::unknown;  // us
};
Pauses pauses;

GiveBack choose_for(const SendArgs& args, std::size_t size) {
  const Process process = args.comm->peers().process(args.rank);
  if (process == engine.self) return GiveBack::copy;
  Peer& peer = transport::peer_of(process);
  const std::size_t resident = size < least_snapshot ? 0 : resident_bytes();
  SendCosts costs = peer.neighbour ? near_costs : far_costs;
  // A neighbour reads large messages itself, where the kernel permits it.
  costs.alone = progress::has_thread() || (peer.link && transport::port_of(peer).limits(peer.destination).read);
  Expected expected{.size = size, .resident = resident, .pause = pauses.learn()};
  if (peer.lateness >= 0) expected.lateness = peer.lateness;
  // Over a network nobody sees that an offer waits at a receiver which computes. It is presumed to do so as this process does.
  if (!peer.neighbour && expected.pause >= 0)
    expected.lateness = std::max(expected.lateness, std::min(expected.pause, costs.alpha + costs.beta * static_cast<double>(size)));
  return choose_give_back(costs, expected);
}

// Begins the send. True: the buffer is the program's again.
bool begin_debt(Debt& debt, const SendArgs& args, GiveBack mode, std::size_t size) {
  if (size <= eager_limit_to(args.comm->peers().process(args.rank))) {
    prepare(debt, args);
    begin(debt);
    return debt.done() || take_out_of_buffer(debt);
  }
  if (mode == GiveBack::cow && size >= least_snapshot) {
    const bool room = room_for_snapshot(size);
    if (!room) ++give_back_counters.over_limit;
    if (!room || take_snapshot(debt, args, size)) {
      prepare(debt, args);
      begin(debt);
      return room;
    }
  }
  void* copy = take_room(debt, size);
  if (copy) pack(*args.type, args.buffer, args.count, 0, copy, static_cast<MPI_Count>(size));
  prepare(debt, copy ? of_copy(args, copy, size) : args);
  begin(debt);
  return copy != nullptr;
}

}  // namespace

namespace {

Error begin_giving_back(const SendArgs& args, bool blocking, Request*& out) {
  if (args.rank == MPI_PROC_NULL) return isend(args, out);
  const std::size_t size = static_cast<std::size_t>(args.count) * static_cast<std::size_t>(args.type->size);
  GiveBack mode = give_back_of(args);
  if (mode == GiveBack::automatic) {
    // Who begins a send and waits for it later has said that he does something else meanwhile.
    const bool waits = !blocking || size <= eager_limit_to(args.comm->peers().process(args.rank));
    mode = waits ? GiveBack::notify : choose_for(args, size);
    ++give_back_counters.chosen[static_cast<int>(mode)];
    if (mode == GiveBack::notify) return isend(args, out);
  }
  Debt* debt = debts.make();
  ++unpaid;
  if (!begin_debt(*debt, args, mode, size) || debt->done()) {
    out = debt;
    return success;
  }
  release(*debt);  // the engine keeps it
  SendArgs nothing = args;
  nothing.rank = MPI_PROC_NULL;
  return isend(nothing, out);
}

}  // namespace

Error isend_giving_back(const SendArgs& args, Request*& out) { return begin_giving_back(args, false, out); }

Error send_giving_back(const SendArgs& args) {
  Request* request;
  if (Error error = begin_giving_back(args, true, request)) return error;
  const Error error = wait(*request);
  if (give_back_of(args) == GiveBack::automatic) pauses.sent();
  return error;
}

SharedSnapshot::SharedSnapshot() { sharing = true; }

SharedSnapshot::~SharedSnapshot() {
  sharing = false;
  if (shared_snapshot) std::exchange(shared_snapshot, nullptr)->release();
}

void pay_debts() {
  progress::wait_until([] { return unpaid == 0; });
  runtime::bury_snapshots();
}

}  // namespace cow::pt2pt
