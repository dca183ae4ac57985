#include "runtime/asking.hpp"

#include <algorithm>

#include "runtime/lock.hpp"
#include "runtime/waiting.hpp"

namespace cow::progress {

Asking asking;
std::uint64_t yields_when_asked = 0;

namespace {

thread_local Asking asking_of_thread;  // while several may ask

// A program that does no more than ask again, or ask for something else, is back sooner.
constexpr Nanoseconds longest_pause = 500;
// Calls that only count, and then prompt ones, before the processor is given up.
constexpr unsigned most_free = 64;              // takes less than the spinning of a wait
constexpr unsigned least_free = Asking().free;  // where whoever we wait for probably needs this processor

enum class Why { moved, worked };

// A program that asks many times, works and asks again is learnt, so that it keeps the processor.
unsigned free_calls(const Asking& series, Why why) {
  if (runtime::waiting_policy().spin > 0) return most_free;
  if (why == Why::worked) return std::min(2 * series.free, most_free);
  return series.wait.yields > 0 ? std::max(series.free / 2, least_free) : series.free;
}

void begin_anew(Asking& series, Why why) {
  series.free = free_calls(series, why);
  series.free_left = series.free;
  series.prompt = 0;
  series.left = 0;
  settle(series.wait);
}

// Somebody with work to do had the processor for a whole slice of time. Among the ranks of a crowd that is as it should
// be. Else it is a stranger, who must not have it all: this program keeps it for as long before it offers it again.
void share_fairly(Wait& wait, Nanoseconds before) {
  if (!runtime::waiting_policy().crowded) wait.next_yield += wait.next_yield - before;
}

// The last poll was in vain, and perhaps long ago.
void wait_as_asked(Asking& series) {
  const Nanoseconds time = now();
  if (time - series.left > longest_pause) return begin_anew(series, Why::worked);
  if (++series.prompt < series.free) return;
  const runtime::WaitingPolicy& policy = runtime::waiting_policy();
  Wait& wait = series.wait;
  if (wait.idle_since == 0) wait.idle_since = time;
  if (policy.spin_only || time - wait.idle_since < policy.spin || time < wait.next_yield) return;
  const unsigned long_switches = wait.long_switches;
  yield_once(wait, time);
  ++yields_when_asked;
  if (wait.long_switches > long_switches) share_fairly(wait, time);
}

}  // namespace

std::size_t poll_asked_again(std::uint64_t traffic) {
  if (is_polling()) return 0;  // a callback within a poll asks
  Asking& series = runtime::threads_multiple ? asking_of_thread : asking;
  // What moved during the calls that only count may be the message that the program sent before it began to wait. Where
  // there were many of them, it is being served, and no clock is needed to see that.
  if (traffic != series.traffic && (series.left > 0 || series.free > least_free))
    begin_anew(series, Why::moved);
  else if (series.left > 0)
    wait_as_asked(series);
  series.traffic = traffic;
  const std::size_t events = poll();
  if (events > 0)
    begin_anew(series, Why::moved);
  else if (series.free_left > 0)
    --series.free_left;
  else
    series.left = now();
  return events;
}

}  // namespace cow::progress
