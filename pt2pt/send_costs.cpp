#include "pt2pt/send_costs.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace cow::pt2pt {

SendCosts near_costs, far_costs;

namespace {

// What malloc() maps anew each time; it keeps smaller blocks at hand.
constexpr std::size_t always_fresh = 32u << 20;

constexpr double as_good = 1.05;

}  // namespace

double time_to_keep(BufferRelease mode, const SendCosts& costs, const Expected& expected) {
  if (mode == BufferRelease::cow) return costs.snapshot + costs.resident * static_cast<double>(expected.resident);
  return (expected.size >= always_fresh ? costs.fresh : costs.keep) * static_cast<double>(expected.size);
}

std::size_t resident_bytes() {
  static std::size_t bytes = 0;
  static unsigned calls = 0;
  if (calls++ % 8 != 0) return bytes;
  long pages = 0;
  if (FILE* file = fopen("/proc/self/statm", "re")) {
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
  }
  return bytes = static_cast<std::size_t>(pages) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

namespace {

// Until the buffer is the program's.
double call_time(BufferRelease mode, const SendCosts& costs, const Expected& expected) {
  if (mode != BufferRelease::notify) return time_to_keep(mode, costs, expected);
  return expected.lateness + costs.alpha + costs.beta * static_cast<double>(expected.size);
}

// Until the message is there. The offer goes out when the message is kept.
double delivery_time(BufferRelease mode, const SendCosts& costs, const Expected& expected, double call) {
  if (mode == BufferRelease::notify) return call;
  const double each = mode == BufferRelease::cow ? costs.kept : costs.beta;
  const double ready = costs.alone ? call : call + expected.pause;
  return std::max(expected.lateness, ready) + costs.alpha + each * static_cast<double>(expected.size);
}

}  // namespace

namespace {

struct Times {
  double call, whole;
};

Times times_of(BufferRelease mode, const SendCosts& costs, Expected expected) {
  for (double* each : {&expected.lateness, &expected.pause})
    if (*each < 0) *each = costs.alpha + costs.beta * static_cast<double>(expected.size);
  const double call = call_time(mode, costs, expected);
  return {call, std::max(call + expected.pause, delivery_time(mode, costs, expected, call))};
}

}  // namespace

double predict(BufferRelease mode, const SendCosts& costs, const Expected& expected) {
  return times_of(mode, costs, expected).whole;
}

BufferRelease choose_buffer_release(const SendCosts& costs, const Expected& expected) {
  constexpr BufferRelease modes[] = {BufferRelease::notify, BufferRelease::copy, BufferRelease::cow};
  const std::size_t count = expected.size < least_snapshot ? 2 : 3;
  Times times[3];
  double least = 0;
  for (std::size_t i = 0; i < count; ++i) {
    times[i] = times_of(modes[i], costs, expected);
    least = i == 0 ? times[i].whole : std::min(least, times[i].whole);
  }
  std::size_t best = count;
  for (std::size_t i = 0; i < count; ++i)
    if (times[i].whole <= as_good * least && (best == count || times[i].call < times[best].call)) best = i;
  return modes[best];
}

std::string describe_send_costs(const SendCosts& costs, double lateness, std::size_t resident) {
  std::string out =
      "# us: time until the program has computed for as long as the message takes, and the message is there\n"
      "#               receiver waits                             receiver comes late\n"
      "# bytes        notify       copy        cow  auto        notify       copy        cow  auto\n";
  char text[40];
  for (std::size_t size = 1 << 10; size <= (256u << 20); size *= 4) {
    snprintf(text, sizeof text, "%-10zu", size);
    out += text;
    const std::size_t memory = std::max(resident, size);
    for (double late : {0.0, lateness}) {
      const Expected expected{.size = size, .resident = memory, .lateness = late};
      for (BufferRelease mode : {BufferRelease::notify, BufferRelease::copy, BufferRelease::cow}) {
        if (mode == BufferRelease::cow && size < least_snapshot)
          snprintf(text, sizeof text, "%11s", "-");
        else
          snprintf(text, sizeof text, "%11.1f", predict(mode, costs, expected));
        out += text;
      }
      snprintf(text, sizeof text, "  %-6s", name_of(choose_buffer_release(costs, expected)));
      out += text;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

}  // namespace cow::pt2pt
