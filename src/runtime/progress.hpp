// Progress: the list of functions that move things along, and waiting.
//
// The transports and whatever else has work in flight register a poll function; poll() runs them all. A call that must
// wait for something runs wait_until(), which polls, and when nothing moves first spins, then yields the processor,
// then sleeps in the kernel until something may have arrived. All of it under the progress lock.
//
// A wait may end otherwise: by an exception of a function of the program that progress has called, and by the thread's
// being cancelled (pthread_cancel), which happens nowhere but where a thread that waits yields or sleeps. Who waits for
// what lies on its stack takes it back then (Settling).
#pragma once

#include <cxxabi.h>

#include <atomic>
#include <cstddef>

#include "base/clock.hpp"
#include "runtime/lock.hpp"

namespace cow::progress {

// A registered source of work. Owned by who registers it, who also removes it.
struct Source {
  std::size_t (*poll)(Source&) = nullptr;  // returns how many things moved
  // Writes the descriptors, at most max_descriptors, that are readable when poll may have work, and returns how many;
  // a negative one stands for something that has none and must be polled. Null: work comes only from other sources
  // (a schedule waits for messages), so sleeping is safe.
  int (*descriptors)(Source&, int* out) = nullptr;
  bool (*may_sleep)(Source&) = nullptr;  // asked right before sleeping, after wake() works; null: yes
  void (*awake)(Source&) = nullptr;      // after the sleep, if may_sleep was asked and whatever it said

  // A sleep of its own, in place of that on descriptors, for a source that has none at the moment. At most one source
  // has it; its may_sleep is asked before those of the others, and from then on `interrupt` ends the sleep or makes it
  // end at once. `interrupt` is called from any thread and is async-signal-safe.
  void (*sleep)(Source&, Nanoseconds limit) = nullptr;
  void (*interrupt)(Source&) = nullptr;

  // When the source must be polled even if nothing arrives (a retry, a time limit): time of the monotonic clock, or
  // no_deadline.
  Nanoseconds deadline = no_deadline;

  static constexpr Nanoseconds no_deadline = INT64_MAX;
  static constexpr int max_descriptors = 2;
};

void add(Source& source);
void remove(Source& source);  // may be called from within poll

// One pass over the sources; returns how many things moved. Afterwards runs what was deferred.
std::size_t poll();

// Whether a poll is under way: what runs now was called by a source, and must not wait.
bool is_polling();

// Functions of the program that progress calls. They are kept until a pass over the sources has ended, when everything is
// in order and the lock can be given up; one runs at a time. Owned by who defers it; `run` may free it.
struct Deferred {
  Deferred* next = nullptr;
  void (*run)(Deferred&) = nullptr;
};
void defer(Deferred& what);
bool is_running_deferred();

// ---- What functions of the program throw that progress calls, which is in the midst of things. It is kept until the pass
// has ended; then the program's own call of poll() throws it, whichever thread it was thrown in.

extern std::atomic<bool> have_thrown;
void keep_thrown();  // within catch (...)
void pass_thrown();  // throws the oldest, if that may be now

template <class Call>
[[gnu::always_inline]] inline void call_program(Call call) {
  try {
    call();
  } catch (const abi::__forced_unwind&) {  // pthread_exit, or a cancelled thread: they cannot be held up
    throw;
  } catch (...) {
    keep_thrown();
  }
}

// For a wait that must come to its end, such as that of who takes something back: nothing is thrown meanwhile, and the
// thread is not cancelled.
class Settling {
 public:
  Settling();
  ~Settling();
  Settling(const Settling&) = delete;
  Settling& operator=(const Settling&) = delete;

 private:
  runtime::NotCancelled not_cancelled_;
};

// ---- The progress thread: makes progress while the program does something else. While the program itself polls, it keeps
// out of the way; when nothing moves it sleeps like any waiting thread.

// Under the progress lock, which from now on is needed (lock.hpp). False: the system has no thread to give.
bool start_thread();
// Waits for its end. May be called with or without the lock.
void stop_thread();
bool has_thread();

// Under the lock: something that a waiting thread may be waiting for has happened, outside poll(). To be called only at
// MPI_THREAD_MULTIPLE: else nobody else waits.
void tell_waiters();

// Wakes a waiting thread from elsewhere (PMIx's thread, a signal handler's successor); async-signal-safe.
void wake();

// The state of one wait, since something last moved.
struct Wait {
  unsigned rounds = 0;          // polls in vain
  unsigned yields = 0;          // how often the processor was offered to others; of these:
  unsigned short_switches = 0;  // somebody took it and soon gave it back: a rank that waits, too
  unsigned long_switches = 0;   // somebody had work to do
  Nanoseconds idle_since = 0;
  Nanoseconds gap = 0;  // between yields, while nobody takes them up
  Nanoseconds next_yield = 0;
};

// One step of waiting, after a poll() that moved nothing: spins, yields or sleeps as the policy says.
void pause(Wait& wait);
// The same without spinning first, where the policy allows it: for who knows that another process needs this processor.
void give_way(Wait& wait);

// Gives the processor up once, at the time `before`, and notes how long others had it, and when to do so again.
void yield_once(Wait& wait, Nanoseconds before);

// Gives the processor up once, to somebody who is known to need it and to come back soon; nothing is learnt of a wait.
void give_turn();

// A wait in which nothing has moved for so long is told to `long_wait`, which sets the limit anew. A signal handler may
// set it to 0, to have all waits told.
extern std::atomic<Nanoseconds> long_wait_limit;  // no_deadline: never
extern void (*long_wait)(Nanoseconds idle);

// Something has moved after at least one yield: the policy learns from it. See runtime/waiting.hpp.
void learn(const Wait& wait);
inline void settle(Wait& wait) {
  if (__builtin_expect(wait.yields > 0, 0)) learn(wait);
  wait = {};
}

// Where the time is written at which the program next waits for anything; null: nobody asks. Under the lock.
extern Nanoseconds* next_wait;
void note_wait();

// Polls until done() is true.
template <class Done>
void wait_until(Done done) {
  if (__builtin_expect(next_wait != nullptr, 0)) note_wait();
  Wait wait;
  while (!done()) {
    if (poll() > 0)
      settle(wait);
    else if (!done())
      pause(wait);
  }
}

}  // namespace cow::progress
