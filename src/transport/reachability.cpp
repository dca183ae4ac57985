#include "transport/reachability.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cow::transport {
namespace {

constexpr int patience = 1000;  // milliseconds

bool parse(const std::string& text, addrinfo*& out) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  return getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &out) == 0;
}

int wait_for_connection(int descriptor) {
  pollfd entry{descriptor, POLLOUT, 0};
  if (poll(&entry, 1, patience) == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

std::string why_unreachable(const std::string& address) {
  addrinfo* target = nullptr;
  if (!parse(address, target)) return {};
  const int descriptor = socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = descriptor < 0 ? errno : 0;
  if (!error && connect(descriptor, target->ai_addr, target->ai_addrlen) != 0)
    error = errno == EINPROGRESS ? wait_for_connection(descriptor) : errno;
  if (descriptor >= 0) close(descriptor);
  freeaddrinfo(target);
  return error ? strerror(error) : std::string();
}

}  // namespace cow::transport
