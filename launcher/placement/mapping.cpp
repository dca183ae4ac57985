#include "launcher/placement/mapping.hpp"

#include <algorithm>
#include <charconv>

#include "base/settings.hpp"

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

std::vector<string> split(string_view text) {
  std::vector<string> out(1);
  for (char c : text) {
    if (c == ':') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

bool parse_number(string_view text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out > 0 && out < (1u << 20);
}

string unknown(const char* option, const string& word, std::initializer_list<string_view> known) {
  const string near = nearest_word(word, known);
  string text = string(option) + " " + word + ": ";
  if (!near.empty()) return text + "did you mean " + near + "?";
  text += "known are";
  for (string_view one : known) text += (one == *known.begin() ? " " : ", ") + string(one);
  return text;
}

string read_modifier(const string& word, MappingPlan& out) {
  string lower = word;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return tolower(c); });
  if (lower.starts_with("pe=")) {
    if (!parse_number(lower.substr(3), out.binding.width)) return "--map-by …:" + word + ": expected PE=N";
    if (out.binding.bind == Level::none) out.binding.bind = Level::core;
    return {};
  }
  if (lower == "oversubscribe") return out.oversubscribe = true, string();
  if (lower == "nooversubscribe") return {};
  return unknown("--map-by …:", word, {"PE=N", "oversubscribe", "nooversubscribe"});
}

string read_map(const string& text, MappingPlan& out) {
  const std::vector<string> words = split(text);
  std::size_t at = 1;
  if (words[0] == "ppr") {
    if (words.size() < 3 || !parse_number(words[1], out.ranks_per_object) || !parse_level(words[2], out.per_object) ||
        out.per_object == Level::none) {
      return "--map-by " + text + ": expected ppr:N:OBJECT, where OBJECT is node, socket, numa, l3, core or hwthread";
    }
    if (out.per_object != Level::node) {
      out.binding.map = out.binding.bind = out.per_object;
      out.binding.per_object = out.ranks_per_object;
    }
    at = 3;
  } else if (words[0] == "node") {
    out.spread.by_node = out.spread.number_by_node = true;
  } else if (words[0] == "layout") {
    out.by_layout = out.binding.equal_shares = true;
  } else if (words[0] != "slot") {
    if (!parse_level(words[0], out.binding.map) || out.binding.map == Level::none) {
      return unknown("--map-by", words[0],
                     {"slot", "node", "layout", "core", "socket", "numa", "l3", "hwthread", "ppr:N:OBJECT"});
    }
    out.binding.bind = out.binding.map;
  }
  for (; at < words.size(); ++at) {
    if (string wrong = read_modifier(words[at], out); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace

string read_mapping(const MappingWords& words, MappingPlan& out) {
  if (!words.map_by.empty()) {
    if (string wrong = read_map(words.map_by, out); !wrong.empty()) return wrong;
  }
  if (words.per_node > 0) {
    if (out.per_object != Level::none) return "--map-by ppr:… and -ppn exclude each other";
    out.per_object = Level::node;
    out.ranks_per_object = words.per_node;
  }
  if (words.cpus_per_rank > 0) {
    out.binding.width = words.cpus_per_rank;
    out.binding.bind = Level::core;
  }
  if (out.binding.width > 1) {
    // "socket:PE=2" is two cores, on each socket in turn.
    out.binding.bind = Level::core;
    if (out.binding.map <= Level::core) out.binding.map = Level::none;
  }
  if (!words.bind_to.empty() && (!parse_level(words.bind_to, out.binding.bind) || out.binding.bind == Level::node)) {
    return unknown("--bind-to", words.bind_to, {"none", "core", "socket", "numa", "l3", "hwthread"});
  }
  // Shares are of what nothing else was said of.
  if (!words.bind_to.empty() || out.binding.width > 1) out.binding.equal_shares = false;
  if (words.rank_by.empty()) return {};
  if (out.by_layout) return "--map-by layout says which rank is where; --rank-by has no place beside it";
  if (words.rank_by == "slot" || words.rank_by == "fill") {
    out.spread.number_by_node = false;
  } else if (words.rank_by == "node") {
    out.spread.number_by_node = true;
  } else if (!parse_level(words.rank_by, out.binding.rank) || out.binding.rank == Level::none) {
    return unknown("--rank-by", words.rank_by, {"slot", "node", "core", "socket", "numa", "l3", "hwthread"});
  } else if (out.binding.bind == Level::none) {
    return "--rank-by " + words.rank_by + " needs ranks that are bound: give --bind-to or --map-by " + words.rank_by;
  }
  return {};
}

string draw_map(const std::vector<string>& nodes, const std::vector<std::uint32_t>& node_of_rank,
                const std::vector<string>& program_of_rank) {
  string out;
  for (std::uint32_t node = 0; node < nodes.size(); ++node) {
    // One entry for each program on the node, in the order of their first ranks.
    std::vector<std::pair<string, std::vector<std::uint32_t>>> programs;
    for (std::uint32_t rank = 0; rank < node_of_rank.size(); ++rank) {
      if (node_of_rank[rank] != node) continue;
      auto found = std::find_if(programs.begin(), programs.end(),
                                [&](const auto& entry) { return entry.first == program_of_rank[rank]; });
      if (found == programs.end()) found = programs.insert(found, {program_of_rank[rank], {}});
      found->second.push_back(rank);
    }
    out += nodes[node] + ":";
    for (const auto& [program, ranks] : programs) {
      out += (&program == &programs[0].first ? "" : ";") + string(ranks.size() == 1 ? " rank " : " ranks ") +
             list_numbers(ranks) + " (" + program + ")";
    }
    out += "\n";
  }
  return out;
}

}  // namespace cow::launch
