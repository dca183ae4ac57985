#include "runtime/progress.hpp"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "base/at_end.hpp"
#include "base/error.hpp"
#include "base/list.hpp"
#include "base/machine.hpp"
#include "base/settings.hpp"
#include "runtime/lock.hpp"
#include "runtime/quick_poll.hpp"
#include "runtime/waiting.hpp"

namespace cow::progress {

std::atomic<Nanoseconds> long_wait_limit{Source::no_deadline};
void (*long_wait)(Nanoseconds) = nullptr;
Nanoseconds* next_wait = nullptr;
void note_wait() { *std::exchange(next_wait, nullptr) = now(); }

bool polling = false;  // a poll function that waits (it must not) or a callback that calls MPI does not poll again

namespace {

std::vector<Source*> sources;

// Waiting threads at MPI_THREAD_MULTIPLE: one sleeps on the descriptors, the others until it, or whoever polls, has
// seen something move.
bool sleeper = false;
int bystanders = 0;
std::condition_variable_any& moved() {
  static auto& instance = *new std::condition_variable_any;
  return instance;
}

int wake_descriptor() {
  static const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return descriptor;
}

constexpr Nanoseconds blind_sleep = 100 * microsecond;  // with a source that has no descriptor
constexpr Nanoseconds longest_sleep = second;
constexpr Nanoseconds longest_gap = 100 * microsecond;  // between yields

// How a thread sleeps, or is about to; read by wake(), which knows nothing else.
enum class Sleeping : std::uint8_t { no, on_descriptors, by_source };
std::atomic<Sleeping> sleeping{Sleeping::no};
std::atomic<Source*> own_sleeper{nullptr};  // by_source: whose sleep it is

// What a sleep must respect.
struct WaitSet {
  pollfd descriptors[16];
  nfds_t count = 0;
  Source* own = nullptr;  // sleeps by itself, since nothing has a descriptor
  Nanoseconds limit = longest_sleep;
};

void add_descriptors(Source& source, WaitSet& bed) {
  int found[Source::max_descriptors];
  const int count = source.descriptors(source, found);
  for (int i = 0; i < count; ++i) {
    if (found[i] < 0 || bed.count == std::size(bed.descriptors))
      bed.limit = std::min(bed.limit, blind_sleep);
    else
      bed.descriptors[bed.count++] = {found[i], POLLIN, 0};
  }
}

void make_bed(WaitSet& bed) {
  bed.descriptors[bed.count++] = {wake_descriptor(), POLLIN, 0};
  const Nanoseconds start = now();
  for (Source* source : sources) {
    if (source->deadline != Source::no_deadline) bed.limit = std::min(bed.limit, source->deadline - start);
    if (source->descriptors) add_descriptors(*source, bed);
    if (source->sleep) bed.own = source;
  }
  if (bed.count > 1 || bed.limit == blind_sleep) bed.own = nullptr;
}

// Asks every source; `first` before the others, so that it can be interrupted when they are asked.
bool all_may_sleep(Source* first) {
  if (first && first->may_sleep && !first->may_sleep(*first)) return false;
  for (Source* source : sources)
    if (source != first && source->may_sleep && !source->may_sleep(*source)) return false;
  return true;
}

void get_up(const WaitSet& bed) {
  sleeping.store(Sleeping::no, std::memory_order_relaxed);
  for (Source* source : sources)
    if (source->awake) source->awake(*source);
  if (bed.descriptors[0].revents) {
    std::uint64_t value;
    (void)!read(wake_descriptor(), &value, sizeof value);
  }
}

// Sleeps until a source may have work. The lock is given up meanwhile, and the thread may be cancelled.
void sleep_on_sources() {
  WaitSet bed;
  make_bed(bed);
  own_sleeper.store(bed.own, std::memory_order_relaxed);
  sleeping.store(bed.own ? Sleeping::by_source : Sleeping::on_descriptors, std::memory_order_seq_cst);
  const AtEnd getting_up([&] { get_up(bed); });
  if (!all_may_sleep(bed.own) || bed.limit <= 0) return;
  const timespec timeout{bed.limit / second, bed.limit % second};
  const runtime::Released released;
  pthread_testcancel();
  if (bed.own)
    bed.own->sleep(*bed.own, bed.limit);
  else
    ppoll(bed.descriptors, bed.count, &timeout, nullptr);
}

// std::condition_variable_any wants a lock object; ours is the progress lock at whatever depth.
struct WholeLock {
  int depth = 0;
  void lock() { runtime::relock(depth); }
  void unlock() { depth = runtime::unlock_all(); }
};

}  // namespace

void add(Source& source) { sources.push_back(&source); }

void remove(Source& source) { std::erase(sources, &source); }

namespace {

Queue<Deferred, &Deferred::next> deferred;
bool running_deferred = false;
std::uint32_t program_polls = 0;  // tells the progress thread that the program polls

// Those that are there now; what they defer has its turn in the next pass.
std::size_t run_deferred() {
  std::size_t count = 0;
  const Raised running(running_deferred);
  auto list = std::exchange(deferred, {});
  const AtEnd keeping([&] {  // those that an ending thread has not come to
    while (!list.empty()) deferred.push(list.pop());
  });
  for (; !list.empty(); ++count) {
    Deferred& first = list.pop();
    const runtime::Released released;
    call_program([&] { first.run(first); });
  }
  return count;
}

std::size_t poll_sources() {
  const Raised under_way(polling);
  std::size_t events = 0;
  // By index: a poll function may add or remove sources; one that is skipped thereby has its turn in the next pass.
  for (std::size_t i = 0; i < sources.size(); ++i) events += sources[i]->poll(*sources[i]);
  return events;
}

std::size_t poll_all() {
  if (polling) return 0;
  std::size_t events = poll_sources();
  if (__builtin_expect(!deferred.empty(), 0) && !running_deferred) events += run_deferred();
  if (events > 0) tell_waiters();
  return events;
}

// ---- what functions of the program have thrown

// In the order in which they were thrown. Under a lock of their own: a function of the program runs without the other.
std::vector<std::exception_ptr>& all_thrown() {
  static auto& instance = *new std::vector<std::exception_ptr>;
  return instance;
}
std::mutex& thrown_mutex() {
  static auto& instance = *new std::mutex;
  return instance;
}
thread_local int settling = 0;

}  // namespace

std::atomic<bool> have_thrown{false};

void keep_thrown() {
  const std::exception_ptr thrown = std::current_exception();
  if (!thrown) throw;  // of another language, which cannot be kept
  const std::lock_guard guard(thrown_mutex());
  all_thrown().push_back(thrown);
  have_thrown.store(true, std::memory_order_relaxed);
}

void pass_thrown() {
  if (settling > 0 || polling) return;
  std::exception_ptr first;
  {
    const std::lock_guard guard(thrown_mutex());
    auto& all = all_thrown();
    if (all.empty()) return;
    first = std::move(all.front());
    all.erase(all.begin());
    have_thrown.store(!all.empty(), std::memory_order_relaxed);
  }
  std::rethrow_exception(std::move(first));
}

Settling::Settling() { ++settling; }
Settling::~Settling() { --settling; }

std::size_t poll() {
  ++program_polls;
  const std::size_t events = poll_all();
  if (__builtin_expect(have_thrown.load(std::memory_order_relaxed), 0)) pass_thrown();
  return events;
}

std::size_t (*quick)() = nullptr;

std::size_t poll_quickly() {
  if (polling || !quick) return 0;
  const Raised under_way(polling);
  return quick();
}

bool is_polling() { return polling; }
bool is_running_deferred() { return running_deferred; }

void defer(Deferred& what) {
  deferred.push(what);
  tell_waiters();
}

void tell_waiters() {
  if (bystanders > 0) moved().notify_all();
  if (sleeper) wake();
}

void wake() {
  const Sleeping how = sleeping.load(std::memory_order_seq_cst);
  if (how == Sleeping::no) return;
  // None by now: it has got up since, and sleeps on descriptors again.
  if (Source* source = how == Sleeping::by_source ? own_sleeper.load(std::memory_order_relaxed) : nullptr)
    return source->interrupt(*source);
  const std::uint64_t one = 1;
  (void)!write(wake_descriptor(), &one, sizeof one);
}

void yield_once(Wait& wait, Nanoseconds before) {
  {
    const runtime::Released released;
    pthread_testcancel();
    sched_yield();
  }
  ++wait.yields;
  const Nanoseconds after = now(), taken = after - before;
  if (taken > runtime::longest_short_switch) {
    ++wait.long_switches;
  } else if (taken > runtime::shortest_switch) {
    ++wait.short_switches;
    wait.gap = 0;
  } else {
    // Nobody wants the processor. Linux 6.18 counts every yield as a time slice used: who has yielded a thousand times is
    // let in late when he is woken from the sleep that follows.
    wait.gap = std::min(2 * wait.gap + microsecond, longest_gap);
  }
  wait.next_yield = after + wait.gap;
}

namespace {

bool helper_sleeps = false;
void take_over();

constexpr unsigned free_rounds = 16;  // without looking at the clock, while the message may be a cache line away

void spin_once() {
  if (runtime::threads_multiple) runtime::let_others_in();
  pause_processor();
}

void wait_for_sleeper() {
  WholeLock lock;
  ++bystanders;
  const AtEnd leaving([] { --bystanders; });
  moved().wait_for(lock, std::chrono::milliseconds(100));
}

void sleep_for_all() {
  const AtEnd telling([] {
    if (bystanders > 0) moved().notify_all();
  });
  const Raised asleep(sleeper);
  sleep_on_sources();
}

// Who only spins can be cancelled, too.
void look_for_cancellation(unsigned rounds) {
  constexpr unsigned between_looks = 1024;
  if (rounds % between_looks != 0) return;
  const runtime::Released released;
  pthread_testcancel();
}

void pause_after(Wait& wait, Nanoseconds spin) {
  COW_INVARIANT(!polling);  // a handler waits: it would wait for ever
  const runtime::WaitingPolicy& policy = runtime::waiting_policy();
  ++wait.rounds;
  if (wait.rounds <= free_rounds && spin > 0) return spin_once();
  look_for_cancellation(wait.rounds);
  if (policy.spin_only) return spin_once();
  const Nanoseconds time = now();
  if (wait.idle_since == 0) wait.idle_since = time;
  const Nanoseconds idle = time - wait.idle_since;
  if (idle >= long_wait_limit.load(std::memory_order_relaxed)) [[unlikely]]
    long_wait(idle);
  if (idle < spin) return spin_once();
  const bool may_yield = idle < policy.yield && wait.long_switches < policy.long_switches;
  if (may_yield || policy.never_sleep) return time < wait.next_yield ? spin_once() : yield_once(wait, time);
  if (sleeper && helper_sleeps) return take_over();
  if (sleeper) return wait_for_sleeper();
  sleep_for_all();
}

}  // namespace

void pause(Wait& wait) { pause_after(wait, runtime::waiting_policy().spin); }
void give_way(Wait& wait) { pause_after(wait, 0); }

void give_turn() {
  {
    const runtime::Released released;
    sched_yield();
  }
  runtime::adapt_spin(true);
}

// ---- the progress thread

namespace {

bool thread_runs = false;
std::atomic<bool> helper_stops{false};
pthread_t helper;

constexpr Nanoseconds shortest_nap = 100 * microsecond;
constexpr Nanoseconds longest_nap = millisecond;

void nap(Nanoseconds time) {
  const runtime::Released released;
  const timespec moment{0, time};
  nanosleep(&moment, nullptr);
}

// A thread of the program is about to sleep, but the helper does already: the program's hears sooner of what it waits for.
void take_over() {
  wake();
  nap(20 * microsecond);
}

// While the program polls, this naps unarmed, so that senders need not wake anybody.
void help() {
  runtime::lock_slow();
  std::uint32_t seen = program_polls;
  Nanoseconds length = shortest_nap;
  while (!helper_stops.load()) {
    if (seen != program_polls) {
      seen = program_polls;
      nap(length);
      length = std::min(2 * length, longest_nap);
    } else if (sleeper) {
      wait_for_sleeper();
    } else if (poll_all() > 0) {
      runtime::let_others_in();
    } else if (seen == program_polls && !sleeper) {  // poll_all() may have given up the lock
      length = shortest_nap;
      const Raised asleep(helper_sleeps);
      sleep_for_all();
    }
  }
  runtime::unlock_slow();
}

void* begin_helping(void*) {
  prctl(PR_SET_NAME, "cow-progress");
  help();
  return nullptr;
}

}  // namespace

bool start_thread() {
  if (thread_runs) return true;
  helper_stops = false;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);  // the program's handlers run in the program's threads
  runtime::threads_multiple = true;
  thread_runs = pthread_create(&helper, nullptr, begin_helping, nullptr) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread_runs;
}

void stop_thread() {
  if (!thread_runs || pthread_equal(helper, pthread_self())) return;
  runtime::lock_slow();
  thread_runs = false;
  helper_stops = true;
  tell_waiters();
  const int depth = runtime::unlock_all();
  pthread_join(helper, nullptr);
  runtime::relock(depth - 1);
}

bool has_thread() { return thread_runs; }

void learn(const Wait& wait) { runtime::adapt_spin(wait.short_switches > 0); }

}  // namespace cow::progress
