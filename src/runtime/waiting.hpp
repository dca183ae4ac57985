// How a waiting rank waits: decided at start from the settings and from how many ranks share the processors.
#pragma once

#include "base/clock.hpp"

namespace cow::runtime {

struct WaitingPolicy {
  Nanoseconds spin = 0;      // idle for less: spin
  Nanoseconds yield = 0;     // idle for less: yield the processor; for more: sleep in the kernel
  bool spin_only = false;    // never yield, never sleep
  bool never_sleep = false;  // yield for ever
};

const WaitingPolicy& waiting_policy();

// `local_ranks`: ranks of this job on this node.
void decide_waiting_policy(int local_ranks);

// The processors that the ranks of this node may use: affinity and the cgroup's quota, at least 1.
double allowed_processors();

}  // namespace cow::runtime
