#include "transport/ofi/addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace cow::transport::ofi {
namespace {

constexpr std::string_view version = "cow1";

const void* bits_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
  return &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
}

int bit_count(int family) { return family == AF_INET ? 32 : 128; }

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(address).sin_port
                                            : reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

bool same_network(const sockaddr_storage& a, const sockaddr_storage& b, int prefix) {
  if (a.ss_family != b.ss_family) return false;
  const auto* x = static_cast<const unsigned char*>(bits_of(a));
  const auto* y = static_cast<const unsigned char*>(bits_of(b));
  const int whole = prefix / 8;
  if (memcmp(x, y, static_cast<std::size_t>(whole)) != 0) return false;
  const int rest = prefix % 8;
  return rest == 0 || (x[whole] >> (8 - rest)) == (y[whole] >> (8 - rest));
}

bool in_list(std::string_view word, std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

int prefix_of(const sockaddr* mask, int family) {
  if (!mask) return bit_count(family);
  sockaddr_storage copy = {};
  memcpy(&copy, mask, address_size(family));
  copy.ss_family = static_cast<sa_family_t>(family);
  const auto* bytes = static_cast<const unsigned char*>(bits_of(copy));
  int bits = 0;
  for (int i = 0; i < bit_count(family) / 8; ++i) bits += __builtin_popcount(bytes[i]);
  return bits;
}

bool usable(const ifaddrs& entry) {
  if (!entry.ifa_addr || !(entry.ifa_flags & IFF_UP)) return false;
  if (entry.ifa_addr->sa_family == AF_INET) return true;
  if (entry.ifa_addr->sa_family != AF_INET6) return false;
  return !IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(entry.ifa_addr)->sin6_addr);
}

bool parse_ip(std::string_view text, sockaddr_storage& out) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::uint16_t port = 0;
  const std::string_view digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return false;
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto& address = reinterpret_cast<sockaddr_in6&>(out);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr) == 1;
  }
  auto& address = reinterpret_cast<sockaddr_in&>(out);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  return inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool parse_raw(std::string_view text, std::string& out) {
  if (text.size() < 3 || text.size() % 2 != 1 || text[0] != 'x') return false;
  for (std::size_t i = 1; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

// How promising an address is: the lowest is tried first; negative: never.
int rank(const sockaddr_storage& address, const Own& own, bool same_node) {
  const bool loopback = is_loopback(address);
  if (same_node) return loopback ? 0 : 1;
  if (loopback) return -1;
  bool mine = false, near = false;
  for (const Interface& interface : *own.interfaces) {
    mine |= same_host(address, interface.address);
    near |= !interface.loopback && same_network(address, interface.address, interface.prefix);
  }
  if (mine) return 3;  // a bridge such as docker0, which has the same address on every host
  return near ? 1 : 2;
}

Error not_an_address() {
  return fail(ErrorClass::other, "a peer's published address is not one that this release of COW MPI understands");
}

struct Ranked {
  int rank;
  Candidate candidate;
};

// False when the word is no address at all.
bool take(std::string_view word, const Own& own, bool same_node, std::vector<Ranked>& out) {
  if (word.size() > 512) return false;
  if (word.starts_with('x')) {
    std::string raw;
    if (!parse_raw(word, raw)) return false;
    if (own.family == AF_UNSPEC) out.push_back({0, {raw, std::string(word)}});
    return true;
  }
  sockaddr_storage address = {};
  if (!parse_ip(word, address)) return false;
  if (address.ss_family != own.family) return true;
  const int order = rank(address, own, same_node);
  if (order < 0) return true;
  out.push_back({order, {{reinterpret_cast<const char*>(&address), address_size(own.family)}, std::string(word)}});
  return true;
}

std::string_view next_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

std::size_t address_size(int family) { return family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }

bool is_loopback(const sockaddr_storage& address) {
  const auto* bytes = static_cast<const unsigned char*>(bits_of(address));
  if (address.ss_family == AF_INET) return bytes[0] == 127;
  return IN6_IS_ADDR_LOOPBACK(reinterpret_cast<const in6_addr*>(bytes));
}

bool same_host(const sockaddr_storage& a, const sockaddr_storage& b) {
  return same_network(a, b, bit_count(a.ss_family));
}

bool source_for(std::string_view raw, sockaddr_storage& out) {
  sockaddr_storage target = {};
  raw.copy(reinterpret_cast<char*>(&target), sizeof target);
  const int fd =
      socket(target.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);  // sends nothing: connect() only asks for the route
  if (fd < 0) return false;
  socklen_t size = sizeof out;
  const bool known = connect(fd, reinterpret_cast<const sockaddr*>(&target), static_cast<socklen_t>(raw.size())) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&out), &size) == 0;
  close(fd);
  return known;
}

std::string to_text(const sockaddr_storage& address) {
  char host[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.ss_family, bits_of(address), host, sizeof host);
  const std::string port = std::to_string(port_of(address));
  return address.ss_family == AF_INET ? std::string(host) + ":" + port : "[" + std::string(host) + "]:" + port;
}

std::string to_text(std::string_view raw) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "x";
  for (char c : raw) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Error list_interfaces(std::string_view allowed, std::vector<Interface>& out) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return fail(ErrorClass::other, "the network interfaces of this host cannot be listed: %s", strerror(errno));
  std::string up;
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!usable(*entry)) continue;
    if (up.find(entry->ifa_name) == std::string::npos) up += (up.empty() ? "" : ", ") + std::string(entry->ifa_name);
    if (!allowed.empty() && !in_list(entry->ifa_name, allowed)) continue;
    const int family = entry->ifa_addr->sa_family;
    Interface& found = out.emplace_back();
    found.name = entry->ifa_name;
    memcpy(&found.address, entry->ifa_addr, address_size(family));
    found.prefix = prefix_of(entry->ifa_netmask, family);
    found.loopback = (entry->ifa_flags & IFF_LOOPBACK) || is_loopback(found.address);
  }
  freeifaddrs(list);
  if (!out.empty()) return success;
  return fail(ErrorClass::other, "no network interface of COW_INTERFACE=%.*s is up on this host; those that are: %s",
              static_cast<int>(allowed.size()), allowed.data(), up.empty() ? "none" : up.c_str());
}

std::string compose(std::string_view provider, const std::vector<std::string>& addresses) {
  std::string out = std::string(version) + " " + std::string(provider);
  for (const std::string& address : addresses) {
    if (out.size() + 1 + address.size() > max_published) break;
    out += " " + address;
  }
  return out;
}

Error parse(std::string_view published, const Own& own, bool same_node, std::vector<Candidate>& out) {
  if (published.size() > max_published) return not_an_address();
  for (char c : published)
    if (c < ' ' || c > '~') return not_an_address();
  std::string_view rest = published;
  if (next_word(rest) != version) return not_an_address();
  const std::string_view provider = next_word(rest);
  if (provider.empty() || provider.size() > 64) return not_an_address();
  if (provider != own.provider) {
    return fail(
        ErrorClass::other, "a peer uses the provider %.*s and this process %.*s: set COW_PROVIDER to one that all have",
        static_cast<int>(provider.size()), provider.data(), static_cast<int>(own.provider.size()), own.provider.data());
  }
  std::vector<Ranked> found;
  if (rest.empty()) return not_an_address();
  while (!rest.empty())
    if (!take(next_word(rest), own, same_node, found)) return not_an_address();
  std::stable_sort(found.begin(), found.end(), [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
  out.clear();
  for (Ranked& each : found) out.push_back(std::move(each.candidate));
  if (!out.empty()) return success;
  return fail(ErrorClass::other, "none of a peer's addresses can be reached from this host: %.*s",
              static_cast<int>(published.size()), published.data());
}

}  // namespace cow::transport::ofi
