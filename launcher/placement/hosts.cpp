#include "launcher/placement/hosts.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace cow::launch {
namespace {

using std::string;
using std::string_view;

constexpr int most_slots = 1 << 20;

bool parse_slots(string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out > 0 && out <= most_slots;
}

// A name, or user@name; what is beyond these characters is a slip of the user's. A remote shell would take what begins with - for
// one of its options.
bool is_host_name(string_view text) {
  const size_t at = text.find('@');
  if (at != string_view::npos) {
    if (at == 0 || text[0] == '-') return false;
    text.remove_prefix(at + 1);
  }
  const auto fits = [](unsigned char c) { return c > ' ' && c != 0x7f && !strchr("@=,;\"'`$&|<>()", c); };
  return !text.empty() && text[0] != '-' && std::all_of(text.begin(), text.end(), fits);
}

// "name" or "name:slots"; an IPv6 address with slots stands in brackets. Empty: taken.
string parse_host(string_view text, Host& out) {
  string_view slots;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == string_view::npos) return "no ] in '" + string(text) + "'";
    out.name = text.substr(1, end - 1);
    slots = text.substr(end + 1);
  } else {
    const size_t colon = text.find(':');
    const bool address = colon != string_view::npos && text.find(':', colon + 1) != string_view::npos;
    out.name = address ? text : text.substr(0, colon);
    if (!address && colon != string_view::npos) slots = text.substr(colon);
  }
  if (out.name.empty()) return "a host without a name in '" + string(text) + "'";
  if (!is_host_name(out.name)) return "'" + out.name + "' is no name of a host";
  if (slots.empty()) return {};
  if (slots[0] != ':' || !parse_slots(slots.substr(1), out.slots)) {
    return "'" + string(text) + "': expected name:slots, with at least one slot";
  }
  return {};
}

void add(std::vector<Host>& list, const Host& host) {
  const auto known = std::find_if(list.begin(), list.end(), [&](const Host& h) { return h.name == host.name; });
  if (known == list.end()) {
    list.push_back(host);
  } else {
    known->slots = std::max(known->slots, 1) + std::max(host.slots, 1);
    if (known->max_slots > 0) known->max_slots += std::max(host.max_slots, host.slots);
  }
}

string_view next_word(string_view& text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  text.remove_prefix(begin);
  const size_t end = std::min(text.find_first_of(" \t\r"), text.size());
  const string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// "name=value", also where blanks stand around the sign; without them, since none belongs to either.
string next_setting(string_view& text) {
  string out(next_word(text));
  string_view rest = text;
  const string_view next = next_word(rest);
  if (out.empty() || (!out.ends_with('=') && !next.starts_with('='))) return out;
  out += next;
  text = rest;
  if (out.ends_with('=')) out += next_word(text);
  return out;
}

string parse_line(string_view line, std::vector<Host>& list) {
  const string_view name = next_word(line);
  if (name.empty()) return {};
  Host host;
  if (string wrong = parse_host(name, host); !wrong.empty()) return wrong;
  while (true) {
    const string word = next_setting(line);
    if (word.empty()) break;
    const bool most = word.starts_with("max_slots=") || word.starts_with("max-slots=");
    if (!most && !word.starts_with("slots=")) return "'" + word + "' is not known (known: slots=, max_slots=)";
    if (!parse_slots(string_view(word).substr(word.find('=') + 1), most ? host.max_slots : host.slots)) {
      return "'" + word + "': expected at least one slot";
    }
  }
  if (host.max_slots > 0 && host.slots == 0) host.slots = host.max_slots;
  if (host.max_slots > 0 && host.slots > host.max_slots) {
    return std::to_string(host.slots) + " slots are more than max_slots=" + std::to_string(host.max_slots);
  }
  add(list, host);
  return {};
}

string too_few(const std::vector<Host>& hosts, std::uint32_t ranks, std::uint64_t slots, string_view source) {
  string text = std::to_string(ranks) + " ranks were asked for, but " + string(source) + " gives " +
                std::to_string(slots) + (slots == 1 ? " slot (" : " slots (");
  for (const Host& host : hosts)
    text += (&host == hosts.data() ? "" : ", ") + host.name + ":" + std::to_string(host.slots);
  return text + "); --oversubscribe or COW_OVERSUBSCRIBE=yes lifts this limit";
}

// One rank to each host that has room, in turn.
template <typename Room>
void deal_to_hosts(std::vector<std::uint32_t>& counts, std::uint32_t ranks, Room room) {
  for (bool dealt = true; ranks > 0 && dealt;) {
    dealt = false;
    for (std::size_t host = 0; host < counts.size() && ranks > 0; ++host) {
      if (counts[host] >= room(host)) continue;
      ++counts[host];
      --ranks;
      dealt = true;
    }
  }
}

std::uint32_t slots_on(const Host& host, const Spread& spread) {
  return spread.per_host > 0 ? spread.per_host : static_cast<std::uint32_t>(std::max(host.slots, 1));
}

// What exceeds the max_slots of a host goes to others that have room. False: there is none.
bool keep_to_most(const std::vector<Host>& hosts, std::vector<std::uint32_t>& counts) {
  const auto room = [&](std::size_t host) {
    return hosts[host].max_slots > 0 ? static_cast<std::uint32_t>(hosts[host].max_slots) : ~0u;
  };
  std::uint32_t excess = 0;
  std::uint64_t free = 0;
  for (std::size_t host = 0; host < hosts.size(); ++host) {
    const std::uint32_t kept = std::min(counts[host], room(host));
    excess += counts[host] - kept;
    counts[host] = kept;
    free += room(host) - kept;
  }
  if (excess > free) return false;
  deal_to_hosts(counts, excess, room);
  return true;
}

// How many ranks each host gets. `limited`: no more than its slots.
std::vector<std::uint32_t> count_on_hosts(const std::vector<Host>& hosts, std::uint32_t ranks, bool limited,
                                          const Spread& spread) {
  std::vector<std::uint32_t> counts(hosts.size());
  if (spread.by_node) {
    deal_to_hosts(counts, ranks, [&](std::size_t host) { return limited ? slots_on(hosts[host], spread) : ~0u; });
    return counts;
  }
  // Whole rounds over all slots, then the rest in order.
  std::uint64_t slots = 0;
  for (const Host& host : hosts) slots += slots_on(host, spread);
  auto rest = static_cast<std::uint32_t>(ranks % slots);
  for (std::size_t host = 0; host < hosts.size(); ++host) {
    const std::uint32_t extra = std::min(rest, slots_on(hosts[host], spread));
    rest -= extra;
    counts[host] = static_cast<std::uint32_t>(ranks / slots) * slots_on(hosts[host], spread) + extra;
  }
  return counts;
}

}  // namespace

Hosts parse_host_list(string_view text) {
  Hosts out;
  while (true) {
    const size_t comma = text.find(',');
    Host host;
    out.error = parse_host(text.substr(0, comma), host);
    if (!out.error.empty()) return out;
    add(out.list, host);
    if (comma == string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

Hosts parse_hostfile(string_view text) {
  Hosts out;
  constexpr string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    out.error = "line 1: UTF-16 text; hosts are read as ASCII or UTF-8";
    return out;
  }
  int number = 1;
  for (; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const bool is_text = line.find('\0') == string_view::npos;
    if (string wrong = is_text ? parse_line(line, out.list) : "this is no text"; !wrong.empty()) {
      out.error = "line " + std::to_string(number) + ": " + wrong;
      return out;
    }
  }
  if (!out.list.empty()) return out;
  out.error = "line " + std::to_string(std::max(number - 1, 1)) + ": " +
              (number == 1 ? "the file is empty" : "it ends here, and names no host");
  return out;
}

Hosts choose_hosts(const std::vector<Host>& hosts, const std::vector<Host>& chosen, string_view source) {
  const auto named = [](const string& name) { return [&name](const Host& host) { return host.name == name; }; };
  Hosts out;
  for (const Host& host : chosen) {
    if (std::none_of(hosts.begin(), hosts.end(), named(host.name)))
      out.error = host.name + " is not in " + string(source);
  }
  for (Host host : hosts) {
    const auto found = std::find_if(chosen.begin(), chosen.end(), named(host.name));
    if (found == chosen.end()) continue;
    if (found->slots > 0) host.slots = found->slots;
    out.list.push_back(host);
  }
  return out;
}

Placement place_ranks(const std::vector<Host>& hosts, std::uint32_t ranks, bool oversubscribe, string_view source,
                      const Spread& spread) {
  Placement out;
  const bool counted = std::all_of(hosts.begin(), hosts.end(), [](const Host& h) { return h.slots > 0; });
  std::uint64_t given = 0;
  for (const Host& host : hosts) given += static_cast<std::uint32_t>(std::max(host.slots, 1));
  if (spread.per_host > 0 && ranks > std::uint64_t{spread.per_host} * hosts.size()) {
    out.error = std::to_string(ranks) + " ranks were asked for, but " + std::to_string(spread.per_host) +
                " on each host make " + std::to_string(std::uint64_t{spread.per_host} * hosts.size());
    return out;
  }
  if (counted && ranks > given && !oversubscribe) {
    out.error = too_few(hosts, ranks, given, source);
    return out;
  }
  std::vector<std::uint32_t> counts = count_on_hosts(hosts, ranks, counted && ranks <= given, spread);
  if (!keep_to_most(hosts, counts)) {
    out.error = std::to_string(ranks) + " ranks were asked for, which is more than the max_slots in " + string(source);
    return out;
  }
  for (std::uint32_t turn = 0; out.host_of_rank.size() < ranks; ++turn) {
    for (std::uint32_t host = 0; host < hosts.size(); ++host) {
      if (!spread.number_by_node && turn == 0) out.host_of_rank.insert(out.host_of_rank.end(), counts[host], host);
      if (spread.number_by_node && turn < counts[host]) out.host_of_rank.push_back(host);
    }
  }
  return out;
}

string this_host() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

bool is_this_host(string_view name) {
  const string own = this_host();
  const auto short_form = [](string_view full) { return full.substr(0, full.find('.')); };
  if (name == "localhost" || name == own) return true;
  // Slurm may call it something else. In its scripts and steps this variable says what.
  if (const char* node = getenv("SLURMD_NODENAME"); node && name == node) return true;
  // A short name on either side matches; two full names must be equal.
  const bool one_is_short = name.find('.') == string_view::npos || own.find('.') == string::npos;
  in6_addr address;
  const string text(name);
  const int family = inet_pton(AF_INET, text.c_str(), &address) == 1    ? AF_INET
                     : inet_pton(AF_INET6, text.c_str(), &address) == 1 ? AF_INET6
                                                                        : 0;
  if (family == 0) return one_is_short && short_form(name) == short_form(own);
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* entry = all; entry && !found; entry = entry->ifa_next) {
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != family) continue;
    found = family == AF_INET
                ? std::equal(
                      reinterpret_cast<const char*>(&address), reinterpret_cast<const char*>(&address) + 4,
                      reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr))
                : IN6_ARE_ADDR_EQUAL(&address, &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr);
  }
  freeifaddrs(all);
  return found;
}

}  // namespace cow::launch
