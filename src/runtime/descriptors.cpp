#include "runtime/descriptors.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

namespace cow::runtime {
namespace {

std::vector<in_port_t> own_ports;  // that the provider listens on

// The port of an internet address; 0 for anything else. `text` gets the address and port.
in_port_t describe(const sockaddr_storage& address, std::string& text) {
  char name[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, name, sizeof name);
    text = std::string(name) + ":" + std::to_string(ntohs(four.sin_port));
    return ntohs(four.sin_port);
  }
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &six.sin6_addr, name, sizeof name);
    text = "[" + std::string(name) + "]:" + std::to_string(ntohs(six.sin6_port));
    return ntohs(six.sin6_port);
  }
  return 0;
}

in_port_t local_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::string ignored;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return describe(address, ignored);
}

std::string remote_address(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::string text;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) describe(address, text);
  return text;
}

template <class T>
bool has(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void close_on_exec(int descriptor) { fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

bool closes_on_exec(int descriptor) {
  const int flags = fcntl(descriptor, F_GETFD);
  return flags < 0 || (flags & FD_CLOEXEC) != 0;
}

}  // namespace

std::vector<int> open_descriptors() {
  std::vector<int> out;
  DIR* folder = opendir("/proc/self/fd");
  if (!folder) return out;
  while (const dirent* entry = readdir(folder)) {
    const int descriptor = atoi(entry->d_name);
    if (entry->d_name[0] != '.' && descriptor != dirfd(folder)) out.push_back(descriptor);
  }
  closedir(folder);
  std::sort(out.begin(), out.end());
  return out;
}

void close_new_ones_on_exec(const std::vector<int>& before) {
  for (int descriptor : open_descriptors()) {
    if (std::binary_search(before.begin(), before.end(), descriptor)) continue;
    close_on_exec(descriptor);
    if (const in_port_t port = local_port(descriptor); port != 0 && !has(own_ports, port)) own_ports.push_back(port);
  }
}

void close_connections_on_exec(const std::vector<std::string>& peers) {
  for (int descriptor : open_descriptors()) {
    if (closes_on_exec(descriptor)) continue;
    const in_port_t port = local_port(descriptor);
    if (port != 0 && (has(own_ports, port) || has(peers, remote_address(descriptor)))) close_on_exec(descriptor);
  }
}

}  // namespace cow::runtime
