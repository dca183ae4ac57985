#include "coll/examine/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace cow::coll {
namespace {

template <class... Values>
std::string text(const char* format, Values... values) {
  char out[256];
  std::snprintf(out, sizeof out, format, values...);
  return out;
}

bool alike(const RoundLoad& a, const RoundLoad& b) {
  return a.messages == b.messages && a.hops == b.hops && a.bytes == b.bytes && a.link_messages == b.link_messages &&
         a.link_bytes == b.link_bytes;
}

std::string list_rounds(const LinkReport& r) {
  std::string out = "  steps         messages  largest  hops  busiest link: messages    bytes  time (us)\n";
  for (std::size_t first = 0; first < r.rounds.size();) {
    std::size_t next = first + 1;
    while (next < r.rounds.size() && alike(r.rounds[first], r.rounds[next])) ++next;
    const RoundLoad& load = r.rounds[first];
    const std::string steps = next == first + 1 ? text("%zu", first + 1) : text("%zu to %zu", first + 1, next);
    out += text("  %-12s %9d %8lld %5d %23d %8lld %10.2f\n", steps.c_str(), load.messages,
                static_cast<long long>(load.bytes), load.hops, load.link_messages,
                static_cast<long long>(load.link_bytes), load.time);
    first = next;
  }
  return out;
}

std::string describe(const Wires& wires) {
  const std::string name = wires.layout() ? wires.layout()->name() : "a switch";
  return wires.nodes() ? text("%s, %d ranks on %d nodes", name.c_str(), wires.size(), wires.nodes()->count()) : name;
}

// The layouts of so many ranks that are compared: as square as they come.
std::vector<Layout> layouts_of(int ranks) {
  std::vector<Layout> out;
  const int side = static_cast<int>(std::lround(std::sqrt(ranks)));
  std::vector<std::string> names = {text("switch:%d", ranks), text("ring:%d", ranks)};
  if (side * side == ranks)
    names.insert(names.end(), {text("mesh:%dx%d", side, side), text("torus:%dx%d", side, side)});
  if (ranks % 64 == 0 && ranks > 64) names.push_back(text("torus:%dx8x8", ranks / 64));
  if (power_of_two(ranks)) names.push_back(text("hypercube:%d", log2_floor(ranks)));
  for (const std::string& name : names) {
    Layout layout;
    if (Layout::parse(name, layout).empty()) out.push_back(layout);
  }
  return out;
}

std::string cell(const Algorithm& a, const Layout& layout, Count bytes, const Model& model) {
  if (!a.valid({layout.size(), bytes, true, &layout})) return " |";
  const Outcome outcome = measure({&a, layout.size(), bytes, 0, false, true, &layout});
  const LinkReport r = route(outcome, Wires(layout), model);
  return text(" %.0f (%zu, %d, %.2f) |", r.time, r.rounds.size(), r.dilation,
              static_cast<double>(r.busiest_total) / static_cast<double>(std::max<Count>(bytes, 1)));
}

// Those of which a comparison at a thousand ranks takes no more than seconds.
bool compared(const Algorithm& a, std::string_view collective) {
  if (!collective.empty()) return collective == name_of(a.collective);
  return a.collective == Collective::allreduce || a.collective == Collective::bcast;
}

}  // namespace

std::string report(const Case& c, const Wires& wires, const Model& model, bool steps) {
  const Outcome outcome = measure(c);
  if (!outcome.wrong.empty()) return outcome.wrong + "\n";
  const LinkReport r = route(outcome, wires, model);
  std::string out = text("%s by %s on %s, %lld bytes, %s\n", name_of(c.algorithm->collective), c.algorithm->name,
                         describe(wires).c_str(), static_cast<long long>(c.count),
                         model.store_and_forward ? "store and forward" : "wormhole");
  out += text("  %zu steps, %zu messages, longest way %d, at most %d messages over a link in a step\n", r.rounds.size(),
              outcome.deliveries.size(), r.dilation, r.link_messages);
  out += text("  %lld bytes over the busiest link in all; predicted %.2f us, without reducing and copying\n",
              static_cast<long long>(r.busiest_total), r.time);
  return steps ? out + list_rounds(r) : out;
}

std::string compare(std::string_view collective, std::string_view only, int ranks, Count bytes, const Model& model) {
  const std::vector<Layout> layouts = layouts_of(ranks);
  std::string out = "| algorithm |", rule = "|---|";
  for (const Layout& layout : layouts) {
    out += " " + layout.name() + " |";
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (const Algorithm& a : algorithms()) {
    if (!compared(a, collective) || (!only.empty() && only != a.name)) continue;
    const bool applies = std::any_of(layouts.begin(), layouts.end(), [&](const Layout& layout) {
      return a.valid({layout.size(), bytes, true, &layout});
    });
    if (!applies) continue;
    out += std::string("| ") + name_of(a.collective) + " " + a.name + " |";
    for (const Layout& layout : layouts) out += cell(a, layout, bytes, model);
    out += "\n";
  }
  return out;
}

}  // namespace cow::coll
