#include "coll/examine/links.hpp"

#include <algorithm>
#include <unordered_map>

namespace cow::coll {
namespace {

struct Load {
  int messages = 0;
  Count bytes = 0;
};

// A round lasts as long as its slowest message: its start-up, its way, and the bytes of all messages over the busiest
// link of its way. A rank that sends or receives several messages does so one after the other, half a start-up apart.
RoundLoad route_round(const Delivery* begin, const Delivery* end, const Wires& wires, const Model& model,
                      std::vector<Count>& totals) {
  RoundLoad out;
  std::unordered_map<int, Load> loads;
  std::unordered_map<int, int> sends, receives;
  for (const Delivery* d = begin; d != end; ++d) {
    ++sends[d->from];
    ++receives[d->to];
    wires.route(d->from, d->to, [&](int link) {
      Load& load = loads[link];
      ++load.messages;
      load.bytes += d->bytes;
      totals[static_cast<std::size_t>(link)] += d->bytes;
    });
  }
  for (const auto& [link, load] : loads) {
    out.link_messages = std::max(out.link_messages, load.messages);
    out.link_bytes = std::max(out.link_bytes, load.bytes);
  }
  for (const Delivery* d = begin; d != end; ++d) {
    const int hops = wires.hops(d->from, d->to);
    Count busiest = 0;
    wires.route(d->from, d->to, [&](int link) { busiest = std::max(busiest, loads[link].bytes); });
    if (hops == 0) busiest = d->bytes;  // inside of a node
    out.hops = std::max(out.hops, hops);
    out.bytes = std::max(out.bytes, d->bytes);
    const double start = (hops == 0 ? model.node_alpha : model.alpha) / 2;
    const double waiting = (std::max(sends[d->from], receives[d->to]) - 1) * start;
    const double time = message_time(model, hops, static_cast<double>(busiest)) + waiting;
    out.time = std::max(out.time, time);
  }
  out.messages = static_cast<int>(end - begin);
  return out;
}

}  // namespace

LinkReport route(Outcome outcome, const Wires& wires, const Model& model) {
  std::vector<Delivery>& sorted = outcome.deliveries;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Delivery& a, const Delivery& b) { return a.round < b.round; });
  LinkReport out;
  out.link_totals.resize(static_cast<std::size_t>(wires.links()));
  const Delivery* const all_end = sorted.data() + sorted.size();
  for (const Delivery* begin = sorted.data(); begin != all_end;) {
    const Delivery* end = begin;
    while (end != all_end && end->round == begin->round) ++end;
    out.rounds.push_back(route_round(begin, end, wires, model, out.link_totals));
    const RoundLoad& round = out.rounds.back();
    out.time += round.time;
    out.dilation = std::max(out.dilation, round.hops);
    out.link_messages = std::max(out.link_messages, round.link_messages);
    begin = end;
  }
  for (Count total : out.link_totals) out.busiest_total = std::max(out.busiest_total, total);
  return out;
}

}  // namespace cow::coll
