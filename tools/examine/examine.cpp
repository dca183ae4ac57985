// cow-examine: what a collective algorithm does to the links of a machine that need not exist.
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/settings.hpp"
#include "coll/examine/picture.hpp"
#include "coll/examine/report.hpp"
#include "coll/shm/limits.hpp"
#include "coll/shm/recorder.hpp"

namespace {

using namespace cow;
using namespace cow::coll;

constexpr char usage[] =
    "usage: cow-examine COLLECTIVE ALGORITHM --layout LAYOUT [--per-node N] [--bytes N] [--root R]\n"
    "                   [--steps] [--check] [--svg FILE] [--model M]\n"
    "       cow-examine --times COLLECTIVE --layout LAYOUT --svg FILE [--model M]\n"
    "       cow-examine --compare [COLLECTIVE [ALGORITHM]] --ranks N [--bytes N] [--model M]\n"
    "       cow-examine --list\n"
    "  --layout   switch:N, ring:N, mesh:AxB, torus:AxBxC or hypercube:D\n"
    "  --per-node ranks on each node, one after the other (default 1); messages inside of a node use no link\n"
    "  --bytes    of the vector or block (default 1024)\n"
    "  --steps    every step: messages, hops, load of the busiest link, predicted time\n"
    "  --check    follow every byte and check what each rank ends with; for small machines\n"
    "  --model    as COW_COLL_MODEL; \"store-and-forward\" in it for that kind of switching\n"
    "  --svg      a picture of what each link of a ring or a plane carries; with --times, of the predicted time of "
    "all\n"
    "             algorithms against size\n"
    "  --compare  a table of all algorithms (of bcast and allreduce, unless one is named) on five or six layouts: time "
    "in\n"
    "             us (steps, longest way, bytes over the busiest link for each byte of the vector)\n";

struct Options {
  std::string first, second, layout, model, svg;
  Count bytes = 1024;
  int root = 0, ranks = 0, per_node = 1;
  bool steps = false, check = false, compare = false, list = false, times = false;
};

template <class Number>
bool read_number(const char* text, Number& out) {
  const char* const end = text + strlen(text);
  return std::from_chars(text, end, out).ptr == end && out >= 0;
}

bool read_options(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    const bool takes_value = word == "--layout" || word == "--bytes" || word == "--root" || word == "--model" ||
                             word == "--ranks" || word == "--per-node" || word == "--svg";
    if (takes_value && !value) return false;
    if (word == "--layout")
      o.layout = value;
    else if (word == "--model")
      o.model = value;
    else if (word == "--bytes" && !read_number(value, o.bytes))
      return false;
    else if (word == "--root" && !read_number(value, o.root))
      return false;
    else if (word == "--ranks" && !read_number(value, o.ranks))
      return false;
    else if (word == "--per-node" && (!read_number(value, o.per_node) || o.per_node < 1))
      return false;
    else if (word == "--svg")
      o.svg = value;
    else if (word == "--times")
      o.times = true;
    else if (word == "--steps")
      o.steps = true;
    else if (word == "--check")
      o.check = true;
    else if (word == "--compare")
      o.compare = true;
    else if (word == "--list")
      o.list = true;
    else if (!takes_value && word.starts_with("-"))
      return false;
    else if (!takes_value && o.first.empty())
      o.first = word;
    else if (!takes_value && o.second.empty())
      o.second = word;
    else if (!takes_value)
      return false;
    i += takes_value;
  }
  return true;
}

int refuse(const std::string& complaint) {
  fprintf(stderr, "cow-examine: %s\n", complaint.c_str());
  return 2;
}

// Writes a picture; 0 when that went well.
int write_picture(const std::string& path, const std::string& picture) {
  FILE* const file = fopen(path.c_str(), "w");
  const bool written = file && fputs(picture.c_str(), file) >= 0;
  if (!file || fclose(file) != 0 || !written) return refuse(path + ": " + strerror(errno));
  return 0;
}

// The layout asked for, which must have a size.
std::string read_layout(const Options& o, Layout& out) {
  if (std::string wrong = Layout::parse(o.layout, out); !wrong.empty()) return wrong;
  return out.size() == 0 ? "the layout needs a size, as in switch:16" : "";
}

int draw_times(const Options& o, const Model& model) {
  Layout layout;
  if (const std::string wrong = read_layout(o, layout); !wrong.empty()) return refuse(wrong);
  if (o.svg.empty()) return refuse("--times needs --svg FILE");
  for (int c = 0; c < collectives; ++c)
    if (o.first == name_of(static_cast<Collective>(c)))
      return write_picture(o.svg, picture_of_times(static_cast<Collective>(c), layout, model));
  return refuse("\"" + o.first + "\" is not a collective; cow-examine --list shows all");
}

int draw_links(const Options& o, const Case& c, const Layout& layout, const Wires& wires, const Model& model) {
  std::string complaint;
  const std::string title =
      o.first + " by " + o.second + " on " + layout.name() + ", " + std::to_string(o.bytes) + " bytes";
  const std::string picture = picture_of_links(route(measure(c), wires, model), layout, title, complaint);
  return complaint.empty() ? write_picture(o.svg, picture) : refuse(complaint);
}

const Algorithm* find_named(const Options& o) {
  for (const Algorithm& a : algorithms())
    if (o.first == name_of(a.collective) && o.second == a.name) return &a;
  return nullptr;
}

// A way on the memory of one node, which has all the ranks: it has no messages to be routed.
int examine_way(const Options& o, const Algorithm& way, int ranks, const Model& model) {
  const Nodes node(std::vector<std::uint32_t>(static_cast<std::size_t>(ranks)));
  const Problem problem{ranks, o.bytes, true, nullptr, &node, shm::memory_for(ranks), model.processors};
  if (!way.valid(problem)) return refuse(o.second + " does not apply to so many bytes or ranks on one node");
  printf("%s by %s on the memory of a node of %d ranks, %lld bytes\n  predicted %.2f us\n", o.first.c_str(), way.name,
         ranks, static_cast<long long>(o.bytes), predicted_time(way, problem, model, nullptr));
  if (!o.check) return 0;
  if (has_no_measure(way.collective) && way.collective != Collective::barrier)
    return refuse("--check needs a collective of which all ranks know how long the blocks are");
  const shm::Terms terms;
  const std::string wrong = examine({&way, ranks, o.bytes, o.root, false, true, nullptr, nullptr, &terms}).wrong;
  printf("  check: %s\n", wrong.empty() ? "every rank ends with the right contributions" : wrong.c_str());
  return wrong.empty() ? 0 : 1;
}

int examine_one(const Options& o, const Model& model) {
  Layout layout;
  if (const std::string wrong = read_layout(o, layout); !wrong.empty()) return refuse(wrong);
  const Algorithm* const algorithm = find_named(o);
  if (!algorithm) return refuse("no algorithm " + o.second + " for " + o.first + "; cow-examine --list shows all");
  if (o.root >= layout.size()) return refuse("the root is not a rank of the layout");
  if (algorithm->on_memory) return examine_way(o, *algorithm, layout.size(), model);
  std::vector<std::uint32_t> ids;
  for (int r = 0; r < layout.size(); ++r) ids.push_back(static_cast<std::uint32_t>(r / o.per_node));
  std::optional<Nodes> nodes;
  if (o.per_node > 1) nodes.emplace(ids);
  if (!algorithm->valid({layout.size(), o.bytes, true, &layout, nodes ? &*nodes : nullptr}))
    return refuse(o.second + " does not apply to " + layout.name());
  const Case c{algorithm, layout.size(), o.bytes, o.root, false, true, &layout, nodes ? &*nodes : nullptr};
  // A switch joins nodes, not ranks.
  const bool by_node = nodes && layout.kind() == Layout::Kind::network_switch;
  const Wires wires(by_node ? std::nullopt : std::optional(layout), nodes);
  fputs(report(c, wires, model, o.steps).c_str(), stdout);
  if (!o.svg.empty())
    if (const int status = draw_links(o, c, layout, wires, model)) return status;
  if (!o.check) return 0;
  const std::string wrong = examine(c).wrong;
  printf("  check: %s\n", wrong.empty() ? "every rank ends with the right contributions" : wrong.c_str());
  return wrong.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  Model model;
  if (argc == 2 && argv[1] == std::string_view("--help")) return fputs(usage, stdout), 0;
  if (argc < 2 || !read_options(argc, argv, o)) return fputs(usage, stderr), 2;
  if (const std::string wrong = parse_model(o.model, model); !wrong.empty()) return refuse(wrong);
  if (o.list) {
    for (const Algorithm& a : algorithms()) printf("%-21s %s\n", name_of(a.collective), a.name);
    return 0;
  }
  if (o.times) return draw_times(o, model);
  if (o.compare) {
    if (o.ranks < 1) return refuse("--compare needs --ranks");
    fputs(compare(o.first, o.second, o.ranks, o.bytes, model).c_str(), stdout);
    return 0;
  }
  return examine_one(o, model);
}
