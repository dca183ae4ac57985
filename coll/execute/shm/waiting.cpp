// Waiting for those who have not published yet, and waking those who wait.
#include "coll/execute/shm/waiting.hpp"

#include <algorithm>

#include "base/machine.hpp"
#include "runtime/lock.hpp"
#include "runtime/process_state.hpp"
#include "runtime/waiting.hpp"
#include "transport/local_peers.hpp"

namespace cow::coll::shm {
namespace {

Area::Waiting* waits = nullptr;
constexpr int most_watched = 200;
constexpr unsigned waits_between_polls = 64;  // of all of the library, where nothing else polls

}  // namespace

Area::Waiting::Waiting(const Area& a, const Slots::Want& w, int first_missing)
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

Area::Waiting::~Waiting() {
  (previous ? previous->following : waits) = following;
  if (following) following->previous = previous;
  progress::remove(*this);
}

// For those who run on other processors, and may be a cache line away.
bool Area::watch(const Slots::Want& want, int& from) const {
  if (runtime::waiting_policy().spin_limit == 0 || slots_.is_needed_here(want)) return false;
  constexpr int tight = 32, rounds = 64;
  for (int i = 0; i < rounds; ++i) {
    if (slots_.have_published(from, want.end, want.number)) return true;
    if (i >= tight) pause_processor();
  }
  return false;
}

// The first yields of a rank that shares its processor: without a look at the clock or at messages, which take a tenth of
// the time that a switch to the next rank takes.
bool Area::yield_at_once(const Slots::Want& want, int& from) {
  const runtime::WaitingPolicy& policy = runtime::waiting_policy();
  if (policy.yield == 0 || policy.spin_only || runtime::threads_multiple) return false;
  constexpr int most = 4;
  for (int i = 0; i < most && slots_.is_needed_here(want.number); ++i) {
    progress::give_turn();
    slots_.run_here();
    if (slots_.have_published(from, want.end, want.number) || watch(want, from)) return true;
  }
  return false;
}

// Of all that have not come to the round: a rank that is awaited may be one that waits for the dead, and publishes no more.
bool Area::look_for_loss(Slots::Number number) {
  for (int r = 0; r < slots_.size() && lost_ < 0; ++r) {
    const transport::shm::Link* const other = others_[static_cast<std::size_t>(r)];
    // It may have published just before its end, so its slot is looked at afterwards.
    if (!other || slots_.has_published(r, number) ||
        !runtime::has_ended(transport::shared_memory->process_of(other->index)))
      continue;
    if (!slots_.has_published(r, number)) lost_ = r;
  }
  return lost_ >= 0;
}

Error Area::loss() const {
  return fail(ErrorClass::proc_aborted, "rank %d of the communicator has died", rank_of(lost_));
}

// As progress::wait_until, but for this: while nobody who shares this processor is behind it is of no use to yield it, and
// when somebody is, it is given up at once. So a rank is scheduled once in a collective.
bool Area::wait_long(const Slots::Want& want, int& from) {
  if (has_lost()) return false;
  slots_.run_here();
  if (watch(want, from)) return true;
  if (crowded_ && ++waits_ % waits_between_polls != 0 && yield_at_once(want, from)) return true;
  slots_.want(want);
  const bool came = sleep_until(want, from);
  slots_.want({});
  return came;
}

bool Area::sleep_until(const Slots::Want& want, int from) {
  Waiting waiting(*this, want, from);
  progress::Wait wait;
  Nanoseconds look_at = 0;
  int watching = runtime::waiting_policy().spin_limit > 0 ? most_watched : 0;  // polls, of some 50 ns
  while (!waiting.over()) {
    if (progress::poll() > 0) {
      progress::settle(wait);
    } else if (watching > 0 && !slots_.is_needed_here(want.number)) {
      --watching;
      if (runtime::threads_multiple) runtime::let_others_in();
      pause_processor();
    } else {
      const unsigned yields = wait.yields;
      progress::give_way(wait);
      slots_.run_here();
      if (wait.yields > yields) continue;
      if (const Nanoseconds time = now(); time >= look_at) {  // after a sleep, or while nobody else wants the processor
        if (look_at > 0 && look_for_loss(want.number)) return false;
        look_at = time + between_looks;
      }
    }
  }
  return true;
}

// Those whose wait has ended by what this rank published. Of several who publish at once, at least one sees all of them.
[[gnu::cold]] void Area::wake_sleepers() {
  slots_.fence();
  for (int r = 0; r < slots_.size(); ++r) {
    const transport::shm::Link* const other = others_[static_cast<std::size_t>(r)];
    if (other && other->asleep->load(std::memory_order_seq_cst) != 0 && slots_.has_fulfilled(slots_.wanted_by(r)))
      transport::shared_memory->wake(other->index);
  }
}

// ---- for reports

const Area::Waiting* Area::first_waiting() { return waits; }
const Area::Waiting* Area::next(const Waiting& waiting) { return waiting.following; }
const Comm& Area::comm_of(const Waiting& waiting) { return waiting.area.comm_; }
int Area::number(const Waiting& waiting) { return waiting.area.tag_; }
int Area::missing(const Waiting& waiting) { return waiting.area.rank_of(waiting.from); }

}  // namespace cow::coll::shm
