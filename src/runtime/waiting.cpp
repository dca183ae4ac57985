#include "runtime/waiting.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdio>

#include "base/settings.hpp"

namespace cow::runtime {
namespace {

WaitingPolicy policy{.spin = 20 * microsecond, .spin_limit = 20 * microsecond, .yield = millisecond};

// A number from a file of one or two numbers ("max 100000" in cgroup v2 reads as none); 0 when there is none.
bool read_numbers(const char* path, double& first, double* second = nullptr) {
  FILE* file = fopen(path, "re");
  if (!file) return false;
  double ignored;
  const int got = fscanf(file, "%lf %lf", &first, second ? second : &ignored);
  fclose(file);
  return got >= (second ? 2 : 1);
}

// Processors that the cgroup's CPU quota amounts to; 0 when there is no quota.
double cgroup_processors() {
  double quota = 0, period = 0;
  if (read_numbers("/sys/fs/cgroup/cpu.max", quota, &period) && period > 0) return quota / period;
  if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota) && quota > 0 &&
      read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period) && period > 0)
    return quota / period;
  return 0;
}

}  // namespace

int (*find_room)() = nullptr;

double allowed_processors() {
  cpu_set_t set;
  double count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const double quota = cgroup_processors(); quota > 0) count = std::min(count, quota);
  return std::max(count, 1.0);
}

namespace {

// Ranks that hand messages to and fro on one processor are so busy with switching that the kernel takes them for warm in
// its cache and leaves them there, though another processor is idle, or has fewer ranks. This thread then asks to run
// elsewhere, and at once is free again to be moved: where there is a processor for each rank, on its own, and else where
// the fewest are.
class Spreading {
 public:
  void set_up(int local_ranks, int local_rank) {
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) != 0) return;
    const int processors = CPU_COUNT(&mask);
    int left = local_rank % processors;
    for (first_ = 0; first_ < CPU_SETSIZE && (!CPU_ISSET(static_cast<std::size_t>(first_), &mask) || left-- > 0);
         ++first_) {
    }
    if (local_ranks <= allowed_processors() && local_ranks <= processors) home_ = first_;
  }

  // In a crowd: those who follow each other on different processors, once, so that who hands something on to the next one
  // finds him at work, not waiting for this very processor.
  void begin_in_turn() {
    if (home_ < 0 && first_ >= 0) move_to(first_);
    first_ = -1;
  }

  void found_shared() {
    if (++found_ < enough) return;
    const Nanoseconds time = now();
    if (time < next_) return;
    found_ = 0;
    next_ = time + interval_;
    const int processor = home_ >= 0 ? home_ : find_room ? find_room() : -1;
    if (processor >= 0 && move_to(processor)) next_ = time + (interval_ = std::min(2 * interval_, 200 * millisecond));
  }

 private:
  static constexpr int enough = 20;  // waits

  static bool move_to(int processor) {
    cpu_set_t mask, there;
    CPU_ZERO(&there);
    CPU_SET(static_cast<std::size_t>(processor), &there);
    if (sched_getaffinity(0, sizeof mask, &mask) != 0 || !CPU_ISSET(static_cast<std::size_t>(processor), &mask))
      return false;
    return sched_setaffinity(0, sizeof there, &there) == 0 && sched_setaffinity(0, sizeof mask, &mask) == 0;
  }

  int home_ = -1;   // this rank's own processor; -1: there is none
  int first_ = -1;  // where it begins
  int found_ = 0;
  Nanoseconds next_ = 0;
  Nanoseconds interval_ = 5 * millisecond;
} spreading;

}  // namespace

const WaitingPolicy& waiting_policy() { return policy; }

void decide_waiting_policy(int local_ranks, int local_rank) {
  const Settings& set = settings();
  policy.crowded = local_ranks > allowed_processors();
  policy.spin_limit = set.wait == "yield" || set.wait == "sleep" ? 0 : set.spin_us * microsecond;
  // In a crowd whoever we wait for probably needs this processor: give it up at once.
  policy.spin = policy.crowded ? 0 : policy.spin_limit;
  // Longer than the pauses within one exchange: a MiB over TCP moves for 0.4 ms without an event of its own, and a rank
  // that slept meanwhile was a quarter slower. Whoever yields takes nothing from those who have work.
  policy.yield = set.wait == "sleep" ? 0 : set.spin_us * microsecond + millisecond;
  policy.spin_only = set.wait == "spin";
  policy.never_sleep = set.wait == "yield";
  spreading.set_up(local_ranks, local_rank);
}

void begin_in_turn() { spreading.begin_in_turn(); }

void adapt_spin(bool processor_is_shared) {
  constexpr Nanoseconds least = microsecond;  // less is none
  if (processor_is_shared) {
    policy.spin = policy.spin / 2 < least ? 0 : policy.spin / 2;
    spreading.found_shared();
  } else {
    policy.spin = std::min(policy.spin_limit, std::max(2 * policy.spin, least));
  }
}

}  // namespace cow::runtime
