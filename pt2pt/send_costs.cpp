#include "pt2pt/send_costs.hpp"

#include <algorithm>
#include <cstdio>

namespace cow::pt2pt {

SendCosts near_costs, far_costs;

double predict(GiveBack mode, const SendCosts& costs, std::size_t size, double lateness, std::size_t resident) {
  const double bytes = static_cast<double>(size);
  const double transfer = costs.alpha + costs.beta * bytes;
  if (mode == GiveBack::notify) return 2 * (lateness + transfer);
  const double call = mode == GiveBack::copy ? costs.keep * bytes
                                             : costs.snapshot + costs.resident * static_cast<double>(resident);
  return call + std::max(lateness, call) + transfer;  // the offer goes out when the message is kept
}

GiveBack choose_give_back(const SendCosts& costs, std::size_t size, double lateness, std::size_t resident) {
  GiveBack best = GiveBack::notify;
  double least = predict(best, costs, size, lateness, resident);
  for (GiveBack mode : {GiveBack::copy, GiveBack::cow}) {
    if (mode == GiveBack::cow && size < least_snapshot) continue;
    const double cost = predict(mode, costs, size, lateness, resident);
    if (cost < least) least = cost, best = mode;
  }
  return best;
}

std::string describe_send_costs(const SendCosts& costs, double lateness, std::size_t resident) {
  std::string out = "# us: time until the buffer is the program's plus time until the message is there\n"
                    "#               receiver waits                             receiver comes late\n"
                    "# bytes        notify       copy        cow  auto        notify       copy        cow  auto\n";
  char text[40];
  for (std::size_t size = 1 << 10; size <= (256u << 20); size *= 4) {
    snprintf(text, sizeof text, "%-10zu", size);
    out += text;
    const std::size_t memory = std::max(resident, size);
    for (double late : {0.0, lateness}) {
      for (GiveBack mode : {GiveBack::notify, GiveBack::copy, GiveBack::cow}) {
        if (mode == GiveBack::cow && size < least_snapshot)
          snprintf(text, sizeof text, "%11s", "-");
        else
          snprintf(text, sizeof text, "%11.1f", predict(mode, costs, size, late, memory));
        out += text;
      }
      snprintf(text, sizeof text, "  %-6s", name_of(choose_give_back(costs, size, late, memory)));
      out += text;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

}  // namespace cow::pt2pt
