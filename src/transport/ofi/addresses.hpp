// Addresses: which of this host's a port publishes, how the published text looks, and in which order a peer's are
// tried.
//
// The text: "cow1 PROVIDER ADDRESS ADDRESS …", one blank between words, at most 1,000 bytes. An address is
// 192.0.2.7:40123 or [2001:db8::7]:40123, or x and the provider's own bytes in hexadecimal.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "transport/port.hpp"

namespace cow::transport::ofi {

inline constexpr std::size_t max_published = 1000;

// An address of one of this host's interfaces.
struct Interface {
  std::string name;
  sockaddr_storage address = {};  // its port is 0
  int prefix = 0;                 // bits of the network
  bool loopback = false;
};

// Those that are up and that `allowed` (names separated by commas; empty: all) lets be used, without IPv6 link-local
// addresses, which mean nothing to another host. Fails when `allowed` names none that is up.
Error list_interfaces(std::string_view allowed, std::vector<Interface>& out);

std::size_t address_size(int family);
bool is_loopback(const sockaddr_storage& address);
bool same_host(const sockaddr_storage& a, const sockaddr_storage& b);  // whatever their ports

// The address that the kernel gives as source to packets for `raw` (bytes of a sockaddr). False when it has no route.
bool source_for(std::string_view raw, sockaddr_storage& out);

std::string to_text(const sockaddr_storage& address);  // with its port
std::string to_text(std::string_view raw);             // of a provider's own address: x and hexadecimal

std::string compose(std::string_view provider, const std::vector<std::string>& addresses);

// Parses what a peer has published. Its bytes may be anything.
// `family`: AF_INET or AF_INET6, others are left out; AF_UNSPEC: the provider's own addresses.
struct Own {
  std::string_view provider;
  int family = AF_UNSPEC;
  const std::vector<Interface>* interfaces = nullptr;
};
Error parse(std::string_view published, const Own& own, bool same_node, std::vector<Candidate>& out);

}  // namespace cow::transport::ofi
