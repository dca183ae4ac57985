#include "rma/sync.hpp"

#include <atomic>
#include <utility>

#include "pt2pt/waiting.hpp"
#include "rma/checks.hpp"
#include "rma/messages.hpp"

namespace cow::rma {
namespace {

Error check_assertion(int assertion, int allowed) {
  if ((assertion & ~allowed) == 0) return success;
  return fail(MPI_ERR_ASSERT, "assert %d has bits that this call does not take", assertion);
}

// Copies to and from mapped memory are seen by others in the order of the calls.
void order_memory() { std::atomic_thread_fence(std::memory_order_seq_cst); }

Error tell_refused(Window& window) {
  const std::uint32_t count = std::exchange(window.refused, 0);
  if (count == 0) return success;
  return fail(MPI_ERR_RMA_RANGE, "%u messages of accesses reached no memory that is attached to %s", count,
              describe(window));
}

Error finish_here(Window& window, int rank) {
  Target& target = window.target(rank);
  return wait_for(window, rank, [&] { return target.under_way == 0; });
}

Error answers(Window& window, int rank) {
  Target& target = window.target(rank);
  return wait_for(window, rank, [&] { return target.awaited == 0; });
}

void ask(Window& window, int rank, Verb verb) {
  ++window.target(rank).awaited;
  tell(window, rank, verb);
}

// All that was begun towards some ranks is done, here and there.
template <class Each>
Error flush_some(Window& window, bool at_target, Each chosen) {
  order_memory();
  const int size = window.comm->size();
  for (int r = 0; at_target && r < size; ++r)
    if (chosen(r) && std::exchange(window.target(r).dirty, false)) ask(window, r, Verb::flush);
  Error failed;
  for (int r = 0; r < size; ++r) {
    if (!chosen(r)) continue;
    const Error here = finish_here(window, r), there = at_target ? answers(window, r) : success;
    if (!failed) failed = here ? here : there;
  }
  return failed ? failed : tell_refused(window);
}

Error check_passive(Window& window, int rank) {
  if (Error error = check_rank(window, rank)) return error;
  if (window.locked_all || window.target(rank).lock != Lock::none) return success;
  return fail(MPI_ERR_RMA_SYNC, "this rank holds no lock of rank %d of %s", rank, describe(window));
}

Error ranks_of(const Window& window, const Group& group, std::vector<int>& out) {
  for (int r = 0; r < group.size(); ++r) {
    out.push_back(window.comm->group->rank_of(group.process(r)));
    if (out.back() == MPI_UNDEFINED)
      return fail(ErrorClass::group, "rank %d of the group is not in %s", r, describe(window));
  }
  return success;
}

Error no_locks(const Window& window) {
  if (!window.locked_all && window.locks == 0) return success;
  return fail(MPI_ERR_RMA_SYNC, "this rank still holds a lock of %s", describe(window));
}

Error not_started(const Window& window) {
  if (!window.started) return success;
  return fail(MPI_ERR_RMA_SYNC, "MPI_Win_complete has not been called since MPI_Win_start on %s", describe(window));
}

}  // namespace

Error may_free(const Window& window) {
  if (Error error = no_locks(window)) return error;
  if (Error error = not_started(window)) return error;
  if (!window.exposed) return success;
  return fail(MPI_ERR_RMA_SYNC, "MPI_Win_wait has not been called since MPI_Win_post on %s", describe(window));
}

Error flush_everything(Window& window) {
  return flush_some(window, true, [](int) { return true; });
}

Error fence(Window& window, int assertion) {
  constexpr int allowed = MPI_MODE_NOSTORE | MPI_MODE_NOPUT | MPI_MODE_NOPRECEDE | MPI_MODE_NOSUCCEED;
  if (Error error = check_assertion(assertion, allowed)) return error;
  if (Error error = may_free(window)) return error;
  const Error flushed = flush_everything(window);
  if (Error error = barrier(window)) return error;
  window.fenced = !(assertion & MPI_MODE_NOSUCCEED);
  order_memory();
  return flushed;
}

Error post(Window& window, Group& group, int assertion) {
  if (Error error = check_assertion(assertion, MPI_MODE_NOCHECK | MPI_MODE_NOSTORE | MPI_MODE_NOPUT)) return error;
  if (window.exposed)
    return fail(MPI_ERR_RMA_SYNC, "MPI_Win_wait has not been called since the last MPI_Win_post on %s",
                describe(window));
  std::vector<int> ranks;
  if (Error error = ranks_of(window, group, ranks)) return error;
  order_memory();
  window.exposed = true;
  window.exposed_to = ranks;
  for (const int r : ranks) tell(window, r, Verb::post);
  return success;
}

Error start(Window& window, Group& group, int assertion) {
  if (Error error = check_assertion(assertion, MPI_MODE_NOCHECK)) return error;
  if (Error error = not_started(window)) return error;
  if (Error error = no_locks(window)) return error;
  std::vector<int> ranks;
  if (Error error = ranks_of(window, group, ranks)) return error;
  for (const int r : ranks)
    if (Error error = wait_for(window, r, [&] { return window.target(r).posts > 0; })) return error;
  for (const int r : ranks) {
    --window.target(r).posts;
    window.target(r).started = true;
  }
  window.fenced = false;
  window.started = true;
  window.accessing = std::move(ranks);
  return success;
}

Error complete(Window& window) {
  if (!window.started) return fail(MPI_ERR_RMA_SYNC, "MPI_Win_start has not been called on %s", describe(window));
  window.started = false;
  order_memory();
  const std::vector<int> ranks = std::exchange(window.accessing, {});
  Error failed;
  for (const int r : ranks) {
    window.target(r).started = false;
    tell(window, r, Verb::complete);  // handled behind all that was sent before
  }
  for (const int r : ranks)
    if (const Error error = finish_here(window, r); error && !failed) failed = error;
  return failed ? failed : tell_refused(window);
}

namespace {

void end_exposure(Window& window) {
  for (const int r : window.exposed_to) --window.target(r).completes;
  window.exposed_to.clear();
  window.exposed = false;
  order_memory();
}

Error check_exposed(const Window& window) {
  if (window.exposed) return success;
  return fail(MPI_ERR_RMA_SYNC, "MPI_Win_post has not been called on %s", describe(window));
}

}  // namespace

Error wait(Window& window) {
  if (Error error = check_exposed(window)) return error;
  for (const int r : window.exposed_to)
    if (Error error = wait_for(window, r, [&] { return window.target(r).completes > 0; })) return error;
  end_exposure(window);
  return success;
}

Error test(Window& window, bool& over) {
  if (Error error = check_exposed(window)) return error;
  pt2pt::poll_asked();
  over = true;
  for (const int r : window.exposed_to) over = over && window.target(r).completes > 0;
  if (over) end_exposure(window);
  return success;
}

// ---- locks

namespace {

// Lets in who comes next, in the order of asking.
void open_door(Window& window) {
  Door& door = window.door;
  while (!door.waiting.empty()) {
    const Door::Waiting next = door.waiting.front();
    if (door.exclusive || (next.lock == Lock::exclusive && door.shared > 0)) return;
    door.waiting.pop_front();
    if (next.lock == Lock::exclusive)
      door.exclusive = true;
    else
      ++door.shared;
    tell(window, next.origin, Verb::granted);
  }
}

}  // namespace

void ask_door(Window& window, int origin, Lock wanted) {
  window.door.waiting.push_back({origin, wanted});
  open_door(window);
}

void leave_door(Window& window) {
  Door& door = window.door;
  if (door.exclusive)
    door.exclusive = false;
  else if (door.shared > 0)
    --door.shared;
  open_door(window);
}

Error lock(Window& window, int type, int rank, int assertion) {
  if (type != MPI_LOCK_SHARED && type != MPI_LOCK_EXCLUSIVE)
    return fail(MPI_ERR_LOCKTYPE, "lock_type %d is neither MPI_LOCK_SHARED nor MPI_LOCK_EXCLUSIVE", type);
  if (Error error = check_rank(window, rank)) return error;
  if (Error error = check_assertion(assertion, MPI_MODE_NOCHECK)) return error;
  if (Error error = not_started(window)) return error;
  Target& target = window.target(rank);
  if (window.locked_all || target.lock != Lock::none)
    return fail(MPI_ERR_RMA_SYNC, "this rank holds a lock of rank %d of %s already", rank, describe(window));
  target.no_check = assertion & MPI_MODE_NOCHECK;
  if (!target.no_check) {
    ask(window, rank, type == MPI_LOCK_SHARED ? Verb::lock_shared : Verb::lock_exclusive);
    if (Error error = answers(window, rank)) return error;
  }
  target.lock = type == MPI_LOCK_SHARED ? Lock::shared : Lock::exclusive;
  window.fenced = false;
  ++window.locks;
  order_memory();
  return success;
}

Error unlock(Window& window, int rank) {
  if (Error error = check_rank(window, rank)) return error;
  Target& target = window.target(rank);
  if (target.lock == Lock::none)
    return fail(MPI_ERR_RMA_SYNC, "this rank has not locked rank %d of %s by MPI_Win_lock", rank, describe(window));
  target.lock = Lock::none;
  --window.locks;
  if (!target.no_check) {
    order_memory();
    target.dirty = false;
    ask(window, rank, Verb::unlock);
  }
  return flush_some(window, true, [rank](int r) { return r == rank; });
}

Error lock_all(Window& window, int assertion) {
  if (Error error = check_assertion(assertion, MPI_MODE_NOCHECK)) return error;
  if (Error error = no_locks(window)) return error;
  if (Error error = not_started(window)) return error;
  window.all_unchecked = assertion & MPI_MODE_NOCHECK;
  const int size = window.all_unchecked ? 0 : window.comm->size();
  for (int r = 0; r < size; ++r) ask(window, r, Verb::lock_shared);
  for (int r = 0; r < size; ++r)
    if (Error error = answers(window, r)) return error;
  window.locked_all = true;
  window.fenced = false;
  order_memory();
  return success;
}

Error unlock_all(Window& window) {
  if (!window.locked_all) return fail(MPI_ERR_RMA_SYNC, "MPI_Win_lock_all has not been called on %s", describe(window));
  window.locked_all = false;
  order_memory();
  for (int r = 0; !window.all_unchecked && r < window.comm->size(); ++r) {
    window.target(r).dirty = false;
    ask(window, r, Verb::unlock);
  }
  return flush_everything(window);
}

Error flush(Window& window, int rank, bool at_target) {
  if (Error error = check_passive(window, rank)) return error;
  return flush_some(window, at_target, [rank](int r) { return r == rank; });
}

Error flush_all(Window& window, bool at_target) {
  if (!window.locked_all && window.locks == 0)
    return fail(MPI_ERR_RMA_SYNC, "this rank holds no lock of %s", describe(window));
  return flush_some(window, at_target, [](int) { return true; });
}

}  // namespace cow::rma
