#include "launcher/rm/allocation.hpp"

#include <string.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

constexpr std::size_t most_names = 1 << 20;

bool parse(string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}

// "1-3" or "07", with the zeros in front that the first number has.
bool expand_range(string_view range, std::vector<string>& out) {
  const std::size_t dash = range.find('-');
  const string_view first = range.substr(0, dash), last = dash == string_view::npos ? first : range.substr(dash + 1);
  int from, to;
  if (!parse(first, from) || !parse(last, to) || to < from) return false;
  for (int number = from; number <= to && out.size() < most_names; ++number) {
    string text = std::to_string(number);
    if (text.size() < first.size()) text.insert(0, first.size() - text.size(), '0');
    out.push_back(text);
  }
  return true;
}

bool expand_ranges(string_view list, std::vector<string>& out) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (!expand_range(list.substr(0, comma), out)) return false;
    if (comma == string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

// One name, which may hold several brackets: each multiplies.
bool expand_name(string_view text, std::vector<string>& out) {
  std::vector<string> names{""};
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('['), text.size());
    for (string& name : names) name += text.substr(0, open);
    text.remove_prefix(open);
    if (text.empty()) break;
    const std::size_t close = text.find(']');
    std::vector<string> numbers, product;
    if (close == string_view::npos || !expand_ranges(text.substr(1, close - 1), numbers)) return false;
    if (names.size() * numbers.size() > most_names) return false;
    for (const string& name : names) {
      for (const string& number : numbers) product.push_back(name + number);
    }
    names = std::move(product);
    text.remove_prefix(close + 1);
  }
  for (const string& name : names) {
    if (name.empty() || name[0] == '-') return false;
  }
  out.insert(out.end(), names.begin(), names.end());
  return true;
}

void add_slot(std::vector<Host>& hosts, const string& name) {
  const auto known = std::find_if(hosts.begin(), hosts.end(), [&](const Host& h) { return h.name == name; });
  if (known == hosts.end()) {
    hosts.push_back({name, 1});
  } else {
    ++known->slots;
  }
}

// A word for each slot.
void add_words(std::istream& in, Allocation& out) {
  for (string word; in >> word;) add_slot(out.hosts, word);
}

void read_slurm(const std::function<string(const char*)>& variable, const string& names, Allocation& out) {
  out.slurm = true;
  out.source = "the Slurm allocation";
  std::vector<string> hosts;
  std::vector<int> tasks, cpus;
  string counts = variable("SLURM_TASKS_PER_NODE");
  const string cpus_per_node = variable("SLURM_JOB_CPUS_PER_NODE");
  if (counts.empty()) counts = cpus_per_node;
  if (!expand_names(names, hosts)) {
    out.error = "SLURM_JOB_NODELIST=" + names + " makes no sense";
  } else if (!expand_counts(counts, tasks) || tasks.size() != hosts.size()) {
    out.error = "SLURM_TASKS_PER_NODE=" + counts + " does not fit SLURM_JOB_NODELIST=" + names;
  }
  if (!out.error.empty()) return;
  for (std::size_t i = 0; i < hosts.size(); ++i) out.hosts.push_back({hosts[i], std::max(tasks[i], 1)});
  if (expand_counts(cpus_per_node, cpus) && !cpus.empty()) {
    out.cpus = static_cast<std::uint32_t>(*std::min_element(cpus.begin(), cpus.end()));
  }
}

// A host a line, once for each slot.
void read_node_file(const string& path, Allocation& out) {
  out.source = "PBS_NODEFILE (" + path + ")";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    out.error = string("cannot read it: ") + strerror(errno);
    return;
  }
  Hosts hosts = parse_hostfile(string(std::istreambuf_iterator<char>(file), {}));
  for (Host& host : hosts.list) host.slots = std::max(host.slots, 1);
  out.hosts = std::move(hosts.list);
  out.error = std::move(hosts.error);
}

}  // namespace

bool expand_names(string_view text, std::vector<string>& out) {
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '[') ++depth;
    if (i < text.size() && text[i] == ']') --depth;
    if (i < text.size() && (text[i] != ',' || depth != 0)) continue;
    if (!expand_name(text.substr(begin, i - begin), out)) return false;
    begin = i + 1;
  }
  return depth == 0;
}

bool expand_counts(string_view text, std::vector<int>& out) {
  while (true) {
    const std::size_t comma = text.find(',');
    string_view entry = text.substr(0, comma);
    int count, times = 1;
    const std::size_t open = entry.find("(x");
    if (open != string_view::npos) {
      if (!entry.ends_with(')') || !parse(entry.substr(open + 2, entry.size() - open - 3), times)) return false;
      entry = entry.substr(0, open);
    }
    if (!parse(entry, count) || static_cast<std::size_t>(times) > most_names) return false;
    out.insert(out.end(), static_cast<std::size_t>(times), count);
    if (comma == string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

Allocation read_allocation(const std::function<string(const char*)>& variable) {
  Allocation out;
  string names = variable("SLURM_JOB_NODELIST");
  if (names.empty()) names = variable("SLURM_NODELIST");
  if (!variable("SLURM_JOB_ID").empty() && !names.empty()) {
    read_slurm(variable, names, out);
  } else if (const string path = variable("PBS_NODEFILE"); !path.empty()) {
    read_node_file(path, out);
  } else if (const string words = variable("LSB_HOSTS"); !words.empty()) {
    out.source = "LSB_HOSTS";
    std::istringstream in(words);
    add_words(in, out);
  }
  for (const Host& host : out.hosts) {
    if (host.name[0] == '-') out.error = "'" + host.name + "' is no name of a host";
  }
  return out;
}

}  // namespace cow::launch
