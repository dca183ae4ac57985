// How a waiting rank waits: it spins, then yields the processor, then sleeps.
//
// Spinning finds a message soonest, but keeps the processor from whoever shares it, who may be the very rank that the
// message comes from. How many share it is guessed at the start, from the processors that this process may use and the
// ranks of the node, and learnt afterwards: a yield that returns after a few microseconds was used by another rank that
// waits, so this one spins half as long the next time; one that returns at once shows that nobody else wants the
// processor, so it spins longer again. A yield that lasts long was used by somebody with work to do: then it is better
// to sleep, since the kernel puts who yields behind all others, and who is woken before them.
#pragma once

#include "base/clock.hpp"

namespace cow::runtime {

struct WaitingPolicy {
  Nanoseconds spin = 0;        // idle for less: spin. Changes as the process learns
  Nanoseconds spin_limit = 0;  // what it grows to at most
  Nanoseconds yield = 0;       // idle for less: yield the processor; for more: sleep in the kernel
  unsigned long_switches = 2;  // so many of them in one wait: sleep
  bool crowded = false;        // there are more ranks than processors
  bool spin_only = false;      // never yield, never sleep
  bool never_sleep = false;    // yield for ever
};

// A yield that takes less was taken up by nobody; one that takes more than the second, by somebody who had work to do.
inline constexpr Nanoseconds shortest_switch = 1500;
inline constexpr Nanoseconds longest_short_switch = 200 * microsecond;

const WaitingPolicy& waiting_policy();

// `local_ranks`: ranks of this job on this node; `local_rank`: this process's number among them.
void decide_waiting_policy(int local_ranks, int local_rank);

// For more ranks than processors: a processor that fewer of them share, or -1. Set by who knows the others.
extern int (*find_room)();

// The ranks are about to do much together: where there are more of them than processors, they are dealt out to these.
void begin_in_turn();

// What a wait has shown in which yielding was of use or not.
void adapt_spin(bool processor_is_shared);

// The processors that the ranks of this node may use: affinity and the cgroup's quota, at least 1.
double allowed_processors();

}  // namespace cow::runtime
