#include "pt2pt/debt.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/settings.hpp"
#include "pt2pt/patience.hpp"
#include "runtime/progress.hpp"
#include "runtime/snapshot.hpp"

namespace cow::pt2pt {

BufferReleaseCounters buffer_release_counters;

namespace {

Pool<Debt> debts;
bool sharing = false;
runtime::Snapshot* shared_snapshot = nullptr;  // referenced
std::size_t unpaid = 0;                        // debts that the engine still works on
std::size_t kept_bytes = 0;                    // of messages that are read from snapshots

// What the bytes were read from goes, though the program may not have looked at the request yet.
void let_go(Debt& debt) {
  if (std::exchange(debt.owes, false)) --unpaid;
  if (debt.snapshot) std::exchange(debt.snapshot, nullptr)->release();
  free(std::exchange(debt.copy, nullptr));
  free(std::exchange(debt.piece, nullptr));
  buffer_release_counters.copied_bytes -= std::exchange(debt.copy_size, 0);
  kept_bytes -= std::exchange(debt.kept_size, 0);
}

bool room_for_copy(std::size_t size) {
  const auto limit = static_cast<std::size_t>(settings().copy_limit);
  return size <= limit && buffer_release_counters.copied_bytes <= limit - size;
}

void release_debt(Request& request) {
  auto& debt = static_cast<Debt&>(request);
  forget_patience(debt);
  if (debt.owes && debt.status.MPI_ERROR != MPI_SUCCESS) ++buffer_release_counters.lost;
  let_go(debt);
  if (debt.comm) release(*debt.comm);
  debts.destroy(&debt);
}

}  // namespace

const RequestKind debt_kind{.name = "send", .cancel = cancel_send, .release = release_debt, .needed = lose_patience};
Debt::Debt() : Send(debt_kind) {}

Debt* make_debt() { return debts.make(); }

void owe(Debt& debt) {
  debt.owes = true;
  ++unpaid;
}

void end_given_back(Send& send, Error error) {
  auto& debt = static_cast<Debt&>(send);
  if (error) ++buffer_release_counters.lost;
  let_go(debt);
  release(debt);
}

bool take_room(Debt& debt, std::size_t size) {
  if (!room_for_copy(size) && !sharing) progress::poll();  // some may just have left
  if (!room_for_copy(size) || !(debt.copy = malloc(size))) return false;
  debt.copy_size = size;
  buffer_release_counters.copied_bytes += size;
  buffer_release_counters.most_copied_bytes =
      std::max(buffer_release_counters.most_copied_bytes, buffer_release_counters.copied_bytes);
  ++buffer_release_counters.copies;
  return true;
}

void give_room_back(Debt& debt) {
  if (!debt.copy) return;
  free(std::exchange(debt.copy, nullptr));
  buffer_release_counters.copied_bytes -= std::exchange(debt.copy_size, 0);
  --buffer_release_counters.copies;
}

namespace {

// A snapshot that keeps the memory; null: there is none of it.
runtime::Snapshot* find_snapshot(const void* data, std::size_t size) {
  if (shared_snapshot && !shared_snapshot->covers(data, size)) {
    shared_snapshot->retain();
    ++buffer_release_counters.shared;
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

}  // namespace

// Whether copies, and pages that the program has written while snapshots kept them, leave room for what it may write of
// this message. What it will write is not known: as long as all of it would fit, nothing is asked, and else it is measured
// how much it was, each time when as much as was left then has been sent.
bool room_for_snapshot(std::size_t size) {
  static std::size_t left = 0;
  const auto limit = static_cast<std::size_t>(settings().copy_limit);
  const std::size_t copied = buffer_release_counters.copied_bytes;
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
  if (!debt.piece) debt.piece = static_cast<std::byte*>(malloc(wire::max_message));
  // Only one run of memory can be read from another process without knowing types.
  if (debt.piece && args.type->contiguous && args.comm->peers().process(args.rank) != engine.self)
    debt.snapshot = find_snapshot(data_of(args.buffer, *args.type), size);
  ++(debt.snapshot ? buffer_release_counters.snapshots : buffer_release_counters.uncovered);
  debt.uncovered = !debt.snapshot;
  if (debt.uncovered) return false;
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

void send_from_copy(Debt& debt) {
  release(*debt.args.type);
  debt.args = of_copy(debt.args, debt.copy, debt.size);
  retain(*debt.args.type);
  // Of an eager one the bytes have not been posted yet; an offer has none.
  if (debt.out.head.kind == wire::Kind::eager) debt.out.body = {.bytes = debt.copy, .size = debt.size};
}

bool take_out_of_buffer(Debt& debt) {
  if (!take_room(debt, debt.size)) return false;
  pack(*debt.args.type, debt.args.buffer, debt.args.count, 0, debt.copy, static_cast<MPI_Count>(debt.size));
  send_from_copy(debt);
  return true;
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
