#include "pt2pt/patience.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "pt2pt/send_costs.hpp"
#include "runtime/progress.hpp"
#include "runtime/snapshot.hpp"

namespace cow::pt2pt {
namespace {

// Bytes that are copied at once: whether the message has been taken meanwhile is looked at in between, and others go on.
constexpr std::size_t copy_step = 8 << 20;

constexpr Nanoseconds never = progress::Source::no_deadline;

List<Debt> patient;  // those that the program needs
constexpr auto links = [](Debt& debt) -> Links<Debt>& { return debt.patient; };
progress::Source source;
bool source_added = false;

std::atomic_ref<std::uint32_t> taken_word(Debt& debt) { return std::atomic_ref(debt.whereabouts.taken); }

bool is_taken(Debt& debt) { return debt.asked != 0 || taken_word(debt).load(std::memory_order_acquire) != 0; }

Expected expected_of(const Debt& debt) {
  return {.size = debt.size, .resident = debt.size < least_snapshot ? 0 : resident_bytes()};
}

const SendCosts& costs_to(const Debt& debt) { return !debt.peer || debt.peer->local ? near_costs : far_costs; }

bool may_be_in_snapshot(const Debt& debt) {
  return debt.size >= least_snapshot && debt.peer && debt.id != Send::no_id && debt.args.type->contiguous &&
         !debt.uncovered;
}

bool snapshot_is_cheaper(const Debt& debt) {
  if (!may_be_in_snapshot(debt)) return false;
  const Expected expected = expected_of(debt);
  return time_to_keep(BufferRelease::cow, costs_to(debt), expected) <
         time_to_keep(BufferRelease::copy, costs_to(debt), expected);
}

// The start of a message is added to what keeping takes: none is handed over in less.
Nanoseconds time_to_keep(const Debt& debt) {
  const SendCosts& costs = costs_to(debt);
  const Expected expected = expected_of(debt);
  double time = time_to_keep(BufferRelease::copy, costs, expected);
  if (may_be_in_snapshot(debt)) time = std::min(time, time_to_keep(BufferRelease::cow, costs, expected));
  return static_cast<Nanoseconds>((costs.alpha + time) * static_cast<double>(microsecond));
}

void unlist(Debt& debt) {
  patient.remove(debt, links);
  debt.next_step = never;
}

// The message is kept: it moves there, unless its receiver has taken it meanwhile. Then it is in both places until it has
// left, and the buffer must stay as it is.
void hand_over(Debt& debt) {
  wire::Whereabouts& where = debt.whereabouts;
  if (debt.snapshot) where.process = debt.snapshot->process();
  where.address =
      reinterpret_cast<std::uintptr_t>(debt.snapshot ? data_of(debt.args.buffer, *debt.args.type) : debt.copy);
  std::atomic_ref(where.moved).store(1, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  unlist(debt);
  if (is_taken(debt)) return;
  if (debt.copy) send_from_copy(debt);
  ++buffer_release_counters.kept_later;
  debt.given_back = true;
  owe(debt);
  mark_complete(debt);
}

// There is no room: some will be when others have left. The longer it has waited, the longer until it asks again.
void ask_again_later(Debt& debt, Nanoseconds time) {
  if (!debt.over_limit) ++buffer_release_counters.over_limit;
  debt.over_limit = true;
  debt.next_step = time + std::clamp(time - debt.asked_since, millisecond, 100 * millisecond);
}

void copy_more(Debt& debt) {
  const std::size_t step = std::min(copy_step, debt.size - debt.copied);
  pack(*debt.args.type, debt.args.buffer, debt.args.count, static_cast<MPI_Count>(debt.copied),
       static_cast<std::byte*>(debt.copy) + debt.copied, static_cast<MPI_Count>(step));
  debt.copied += step;
  if (debt.copied == debt.size) hand_over(debt);
}

bool keep_in_snapshot(Debt& debt) {
  if (!room_for_snapshot(debt.size) || !take_snapshot(debt, debt.args, debt.size)) return false;
  hand_over(debt);
  return true;
}

// Whether anything was done about it. Whether a message that is being cancelled is sent at all, its receiver says: kept, its
// request would be complete as sent although the receiver may have given it back.
bool go_on(Debt& debt, Nanoseconds time) {
  if (debt.done() || debt.cancelling || is_taken(debt)) {
    if (!debt.done()) give_room_back(debt);
    return unlist(debt), false;
  }
  if (time < debt.next_step) return false;
  if (debt.copied == 0) {
    const bool snapshot_first = snapshot_is_cheaper(debt);
    if (snapshot_first && keep_in_snapshot(debt)) return true;
    if (!take_room(debt, debt.size)) {
      if (!snapshot_first && may_be_in_snapshot(debt) && keep_in_snapshot(debt)) return true;
      return ask_again_later(debt, time), false;
    }
  }
  copy_more(debt);
  return true;
}

std::size_t poll_patient(progress::Source& self) {
  std::size_t events = 0;
  self.deadline = never;
  const Nanoseconds time = now();
  for (Debt* debt = patient.front(); debt;) {
    Debt* const next = debt->patient.next;
    retain(*debt);
    events += go_on(*debt, time);
    self.deadline = std::min(self.deadline, debt->next_step);
    release(*debt);
    debt = next;
  }
  if (patient.empty()) {
    progress::remove(self);
    source_added = false;
  }
  return events;
}

}  // namespace

void begin_patiently(Debt& debt, const SendArgs& args) {
  debt.where = &debt.whereabouts;
  prepare(debt, args);
  begin(debt);
}

void lose_patience(Request& request) {
  auto& debt = static_cast<Debt&>(request);
  if (!debt.where || debt.asked_since != 0 || debt.done()) return;
  debt.asked_since = now();
  debt.next_step = debt.asked_since + time_to_keep(debt);
  patient.push_back(debt, links);
  source.poll = poll_patient;
  if (!source_added) progress::add(source);
  source.deadline = source_added ? std::min(source.deadline, debt.next_step) : debt.next_step;
  source_added = true;
  if (runtime::threads_multiple) progress::tell_waiters();  // one that sleeps knows another time
}

void forget_patience(Debt& debt) {
  if (debt.asked_since != 0 && debt.next_step != never) unlist(debt);
}

}  // namespace cow::pt2pt
