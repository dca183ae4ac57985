#include "runtime/asking.hpp"

#include "runtime/lock.hpp"
#include "runtime/progress.hpp"
#include "runtime/waiting.hpp"

namespace cow::progress {

std::uint64_t yields_when_asked = 0;

namespace {

// Calls in a row in vain. Only from the end of the first few on are clocks looked at, so that a program which is served
// soon, or works between its calls, pays for little more than the count.
struct Series {
  unsigned calls = 0;
  std::uint64_t traffic = 0;
  Nanoseconds left = 0;  // when the last one returned; 0: not known
  Wait wait;
};

Series series_of_program;
thread_local Series series_of_thread;

// A program that does no more than ask again, or ask for something else, is back sooner.
constexpr Nanoseconds longest_pause = 500;
constexpr unsigned free_calls = 16;
constexpr unsigned free_calls_in_crowd = 4;  // who is waited for probably needs this processor

void begin_anew(Series& series) {
  series.calls = 0;
  series.left = 0;
  settle(series.wait);
}

bool has_worked(const Series& series) { return series.left > 0 && now() - series.left > longest_pause; }

// Somebody with work to do had the processor for a whole slice of time. Among the ranks of a crowd that is as it should
// be. Else it is a stranger, who must not have it all: this program gets as long before it offers it again.
void share_fairly(Wait& wait, Nanoseconds before) {
  if (!runtime::waiting_policy().crowded) wait.next_yield += wait.next_yield - before;
}

std::size_t offer_processor(Series& series) {
  const runtime::WaitingPolicy& policy = runtime::waiting_policy();
  Wait& wait = series.wait;
  const Nanoseconds time = series.left = now();
  if (wait.idle_since == 0) wait.idle_since = time;
  if (policy.spin_only || time - wait.idle_since < policy.spin || time < wait.next_yield) return 0;
  const unsigned long_switches = wait.long_switches;
  yield_once(wait, time);
  ++yields_when_asked;
  if (wait.long_switches > long_switches) share_fairly(wait, time);
  const std::size_t events = poll();
  series.left = now();
  return events;
}

}  // namespace

std::size_t poll_asked(std::uint64_t traffic) {
  if (is_polling()) return 0;  // a callback within a poll asks
  Series& series = __builtin_expect(runtime::threads_multiple, 0) ? series_of_thread : series_of_program;
  if (series.calls > 0 && (traffic != series.traffic || has_worked(series))) begin_anew(series);
  series.traffic = traffic;
  std::size_t events = poll();
  if (events == 0) {
    const unsigned free = runtime::waiting_policy().spin > 0 ? free_calls : free_calls_in_crowd;
    if (++series.calls < free) return 0;
    events = offer_processor(series);
  }
  if (events > 0 && series.calls > 0) begin_anew(series);
  return events;
}

}  // namespace cow::progress
