#include "coll/select/select.hpp"

#include <algorithm>
#include <cstdio>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "coll/select/machine_file.hpp"
#include "coll/shm/limits.hpp"

namespace cow::coll {
namespace {

constexpr int most_algorithms = 254;  // numbers are kept in a byte

std::string names_for(Collective collective) {
  std::string out;
  for (const Algorithm& a : algorithms())
    if (a.collective == collective) out += (out.empty() ? "" : ", ") + std::string(a.name);
  return out;
}

// "4 KiB"
std::string readable(Count bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && bytes % 1024 == 0 && unit < 4) bytes /= 1024, ++unit;
  return std::to_string(bytes) + " " + units[unit];
}

// The lines of a collective: from which size on which algorithm is taken, and what time is predicted.
struct Table {
  Selector& selector;
  bool commutative;
  Memory memory;

  std::string lines(Collective collective, const std::string& title) const {
    std::string out;
    std::size_t previous = algorithms().size();
    for (int log = -1; log <= 30; ++log) {
      const Count bytes = log < 0 ? 0 : log == 0 ? 1 : (Count{1} << (log - 1)) + 1;
      const std::size_t chosen = selector.choose(collective, bytes, commutative, memory);
      if (chosen == previous) continue;
      previous = chosen;
      const bool by_memory = memory == Memory::parts && algorithms()[chosen].parts_on_memory;
      char line[160];
      std::snprintf(line, sizeof line, "  %-21s from %8s  %-18s %12.1f us%s\n", log < 0 ? title.c_str() : "",
                    readable(bytes).c_str(), algorithms()[chosen].name,
                    selector.time(chosen, bytes, commutative, memory),
                    by_memory ? ", inside of nodes by shared memory" : "");
      out += line;
    }
    return out;
  }
};

// The largest of the sizes for which a choice is made, and a middling one: see Selector::width_of().
Count largest(unsigned width) { return width < 2 ? width : Count{1} << (std::min(width, 62u) - 1); }
Count typical(unsigned width) { return width < 3 ? width : Count{3} << (std::min(width, 61u) - 3); }

// What the ranks of an imagined machine share.
Memory memory_of(const std::optional<Nodes>& nodes, const std::optional<Layout>& layout) {
  if (settings().coll_memory == "no") return Memory::none;
  const Memory on_one = shm::memory_for(nodes->largest());
  if (nodes->two_levels()) return on_one == Memory::none ? on_one : Memory::parts;
  return nodes->count() == 1 && !layout ? on_one : Memory::none;
}

}  // namespace

std::string parse_forced(std::string_view text, Forced& out) {
  while (!text.empty()) {
    const std::string item(text.substr(0, text.find(',')));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    const size_t equals = std::min(item.find('='), item.size());
    const std::string_view which = std::string_view(item).substr(0, equals);
    int c = 0;
    while (c < collectives && which != name_of(static_cast<Collective>(c))) ++c;
    if (c == collectives) {
      std::string names;
      for (int i = 0; i < collectives; ++i) names += (i ? ", " : "") + std::string(name_of(static_cast<Collective>(i)));
      return "\"" + item + "\": expected one of " + names + ", then = and the name of an algorithm";
    }
    const auto collective = static_cast<Collective>(c);
    const Algorithm* found = equals < item.size() ? find_algorithm(collective, item.substr(equals + 1)) : nullptr;
    if (!found) return "\"" + item + "\": the algorithms for " + std::string(which) + " are " + names_for(collective);
    out.by_collective[static_cast<size_t>(c)] = found;
  }
  return {};
}

Selector::Selector(int size, const std::optional<Layout>& layout, std::optional<Nodes> nodes, const Model& model,
                   const Forced& forced, bool reproducible)
    : size_(size), model_(model), forced_(forced), reproducible_(reproducible), nodes_(std::move(nodes)) {
  // A layout of ranks that all share one node is taken at its word.
  const bool one_node = nodes_ && nodes_->count() == 1;
  if (Wires::known(layout, nodes_))
    patterns_ = std::make_unique<Patterns>(Wires(layout, one_node ? std::nullopt : nodes_));
  static_assert(most_algorithms < 255);
}

double Selector::time(std::size_t algorithm, Count bytes, bool commutative, Memory memory) {
  const Problem problem{size_, bytes, commutative, layout(), nodes(), memory, model_.processors};
  return predicted_time(algorithms()[algorithm], problem, model_, patterns_.get());
}

bool Selector::allowed(const Algorithm& algorithm, const Problem& problem) const {
  if (reproducible_ && reduces(algorithm.collective) && !algorithm.fixed_order) return false;
  return algorithm.valid(problem);
}

std::size_t Selector::decide(Collective collective, unsigned width, bool commutative, Memory memory) {
  const auto all = algorithms();
  const Problem problem{size_, largest(width), commutative, layout(), nodes(), memory, model_.processors};
  Problem middling = problem;
  middling.bytes = typical(width);
  const Algorithm* const named = forced_.by_collective[static_cast<std::size_t>(collective)];
  const Algorithm* best = named && allowed(*named, problem) ? named : nullptr;
  double best_time = 0;
  for (const Algorithm& a : all) {
    if (best && best == named) break;
    if (a.collective != collective || !allowed(a, problem)) continue;
    const double time = predicted_time(a, middling, model_, patterns_.get());
    if (!best || time < best_time) best = &a, best_time = time;
  }
  COW_INVARIANT(best && all.size() <= most_algorithms);
  const auto number = static_cast<std::size_t>(best - all.data());
  chosen_[static_cast<std::size_t>(memory)][commutative][static_cast<std::size_t>(collective)][width] =
      static_cast<std::uint8_t>(number + 1);
  return number;
}

std::string describe_selection(const Imagined& machine, std::string& complaint) {
  std::optional<Layout> layout;
  std::optional<Nodes> nodes;
  Model model;
  Forced forced;
  complaint.clear();
  if (!machine.layout.empty()) {
    layout.emplace();
    complaint = Layout::parse(machine.layout, *layout);
    if (complaint.empty()) complaint = layout->fit(machine.ranks);
  }
  std::vector<std::uint32_t> ids;
  for (int r = 0; r < machine.ranks; ++r) ids.push_back(static_cast<std::uint32_t>(r / machine.per_node));
  nodes.emplace(ids);
  if (complaint.empty()) complaint = settings_model(model);
  if (complaint.empty()) complaint = parse_forced(settings().coll, forced);
  if (!complaint.empty()) return {};
  if (nodes->count() == 1) add_processors(model);
  Selector selector(machine.ranks, layout, nodes, model, forced, settings().reproducible);
  std::string out =
      "Collectives of " + std::to_string(machine.ranks) + " ranks on " + (layout ? layout->name() : "a switch");
  if (machine.per_node > 1) out += ", " + std::to_string(machine.per_node) + " on a node";
  out += "\n";
  const Memory memory = memory_of(nodes, layout);
  const bool commutative = !settings().reproducible;
  for (int c = 0; c < collectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    out += Table{selector, commutative, Memory::none}.lines(collective, name_of(collective));
    if (memory == Memory::none) continue;
    const char* const title = memory == Memory::parts ? "  blocking" : "  on memory";
    const std::string lines = Table{selector, commutative, memory}.lines(collective, title);
    if (lines.find(" shm") != std::string::npos || lines.find("shared memory") != std::string::npos) out += lines;
  }
  return out;
}

}  // namespace cow::coll
