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

string lower(string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return tolower(c); });
  return text;
}

bool parse_number(string_view text, std::uint32_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out > 0 && out < (1u << 20);
}

bool is_whole_node(string_view word) { return word == "node" || word == "machine" || word == "board"; }

string unknown(const char* option, const string& word, std::initializer_list<string_view> known) {
  const string near = nearest_word(word, known);
  string text = string(option) + " " + word + ": ";
  if (!near.empty()) return text + "did you mean " + near + "?";
  text += "known are";
  for (string_view one : known) text += (one == *known.begin() ? " " : ", ") + string(one);
  return text;
}

// What is so anyway, or of no consequence here: more ranks than objects share them, and there are no jobs that inherit.
constexpr string_view idle_qualifiers[] = {"nooversubscribe", "inherit",          "noinherit",
                                           "corecpus",        "overload-allowed", "if-supported"};

bool is_idle(string_view word) {
  return std::find(std::begin(idle_qualifiers), std::end(idle_qualifiers), word) != std::end(idle_qualifiers);
}

string read_map_qualifier(const string& word, bool& hwthreads, MappingPlan& out) {
  if (word.starts_with("pe=")) {
    if (!parse_number(word.substr(3), out.binding.width)) return "--map-by …:" + word + ": expected PE=N";
    if (out.binding.bind == Level::none) out.binding.bind = Level::core;
    return {};
  }
  const std::pair<string_view, bool*> switches[] = {
      {"oversubscribe", &out.oversubscribe}, {"nolocal", &out.no_local},     {"hwtcpus", &hwthreads},
      {"span", &out.spread.by_node},         {"display", &out.show_map},     {"displaymap", &out.show_map},
      {"donotlaunch", &out.dry_run},         {"report", &out.binding.report}};
  for (const auto& [name, flag] : switches) {
    if (word == name) return *flag = true, string();
  }
  if (is_idle(word)) return {};
  if (word.starts_with("pe-list=") || word.starts_with("file=") || word == "ordered") {
    return "--map-by …:" + word + " is not offered: see --bind-to and --cpus-per-rank, or run mpirun under taskset";
  }
  return unknown("--map-by …:", word, {"PE=N", "span", "oversubscribe", "nooversubscribe", "nolocal", "hwtcpus"});
}

// "core", "core:2" (so many for each rank), "core:overload-allowed".
string read_bind(const string& text, MappingPlan& out) {
  const std::vector<string> words = split(lower(text));
  const string& object = words[0];
  if (is_whole_node(object)) {
    out.binding.bind = Level::none;
  } else if (object == "rr") {  // MPICH: round-robin
    out.binding.bind = Level::hwthread;
  } else if (object == "user" || object == "cpu-list" || object == "pe-list" || object.starts_with("pe-list=")) {
    return "--bind-to " + text +
           " is not offered: ranks are bound to objects; run mpirun under taskset to leave out CPUs";
  } else if (!object.empty() && !parse_level(object, out.binding.bind)) {
    return unknown("--bind-to", object, {"none", "core", "socket", "numa", "l2", "l3", "hwthread"});
  }
  for (std::size_t at = 1; at < words.size(); ++at) {
    if (parse_number(words[at], out.binding.width) || is_idle(words[at])) continue;
    if (words[at] == "report") {
      out.binding.report = true;
    } else if (words[at] == "no-overload") {
      return "--bind-to …:no-overload is not offered: more ranks than objects share them; --display bind tells who "
             "does";
    } else {
      return unknown("--bind-to …:", words[at], {"N", "overload-allowed", "if-supported", "report"});
    }
  }
  return {};
}

// Ways of mapping that others have, and what comes nearest.
string refuse_map(const string& word) {
  if (word == "seq" || word == "sequential" || word == "rankfile") {
    return "--map-by " + word + " is not offered: ranks follow the order of the hosts and their slots";
  }
  if (word == "dist" || word == "distance" || word == "mindist") {
    return "--map-by " + word + " is not offered: bind to the nodes of memory with --map-by numa";
  }
  if (word.starts_with("pe-list=")) return "--map-by " + word + " is not offered: run mpirun under taskset";
  return {};
}

string read_map(const string& text, bool& hwthreads, MappingPlan& out) {
  const std::vector<string> words = split(lower(text));
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
  } else if (is_whole_node(words[0])) {
    out.spread.by_node = out.spread.number_by_node = true;
  } else if (words[0] == "layout") {
    out.by_layout = out.binding.equal_shares = true;
  } else if (string wrong = refuse_map(words[0]); !wrong.empty()) {
    return wrong;
  } else if (words[0] != "slot" && !words[0].empty()) {  // ":OVERSUBSCRIBE" alone
    if (!parse_level(words[0], out.binding.map) || out.binding.map == Level::none) {
      return unknown("--map-by", words[0],
                     {"slot", "node", "layout", "core", "socket", "numa", "l2", "l3", "hwthread", "ppr:N:OBJECT"});
    }
    out.binding.bind = out.binding.map;
  }
  for (; at < words.size(); ++at) {
    if (string wrong = read_map_qualifier(words[at], hwthreads, out); !wrong.empty()) return wrong;
  }
  return {};
}

string read_rank_by(const string& text, MappingPlan& out) {
  const std::vector<string> words = split(text);
  const string& word = words[0];
  for (std::size_t at = 1; at < words.size(); ++at) {
    if (words[at] != "fill")
      return "--rank-by …:" + words[at] + " is not offered: see --rank-by node and --map-by …:span";
  }
  if (out.by_layout) return "--map-by layout says which rank is where; --rank-by has no place beside it";
  if (word == "slot" || word == "fill") {
    out.spread.number_by_node = false;
  } else if (is_whole_node(word)) {
    out.spread.number_by_node = true;
  } else if (!parse_level(word, out.binding.rank) || out.binding.rank == Level::none) {
    return unknown("--rank-by", word, {"slot", "node", "core", "socket", "numa", "l2", "l3", "hwthread"});
  } else if (out.binding.bind == Level::none) {
    return "--rank-by " + word + " needs ranks that are bound: give --bind-to or --map-by " + word;
  }
  return {};
}

}  // namespace

string read_mapping(const MappingWords& words, MappingPlan& out) {
  bool hwthreads = words.hwthreads;
  if (!words.map_by.empty()) {
    if (string wrong = read_map(words.map_by, hwthreads, out); !wrong.empty()) return wrong;
  }
  const Level element = hwthreads ? Level::hwthread : Level::core;
  if (words.per_node > 0) {
    if (out.per_object != Level::none) return "--map-by ppr:… and -ppn exclude each other";
    out.per_object = Level::node;
    out.ranks_per_object = words.per_node;
  }
  if (words.cpus_per_rank > 0) {
    out.binding.width = words.cpus_per_rank;
    out.binding.bind = element;
  }
  // "socket:PE=2" is two cores, on each socket in turn.
  const bool asks_for_cores = out.binding.bind == Level::core && out.binding.map != Level::core;
  if (out.binding.width > 1 || asks_for_cores) out.binding.bind = element;
  if (!words.bind_to.empty()) {
    if (string wrong = read_bind(words.bind_to, out); !wrong.empty()) return wrong;
  }
  if (out.binding.width > 1 && out.binding.map <= Level::core) out.binding.map = Level::none;
  // Shares are of what nothing else was said of.
  if (!words.bind_to.empty() || out.binding.width > 1) out.binding.equal_shares = false;
  return words.rank_by.empty() ? string() : read_rank_by(lower(words.rank_by), out);
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
