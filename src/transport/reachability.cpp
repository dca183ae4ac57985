#include "transport/reachability.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cow::transport {
namespace {

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

void hang_up(int& descriptor) {
  if (descriptor >= 0) close(descriptor);
  descriptor = -1;
}

}  // namespace

Reachability::Reachability(const std::vector<std::string>& addresses, Nanoseconds time) : limit_(time + patience) {
  for (const std::string& address : addresses) begin(attempts_.emplace_back(Attempt{.address = address}));
}

Reachability::~Reachability() {
  for (Attempt& attempt : attempts_) hang_up(attempt.descriptor);
}

void Reachability::begin(Attempt& attempt) {
  addrinfo* target = nullptr;
  if (!parse(attempt.address, target)) return;
  attempt.descriptor = socket(target->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (attempt.descriptor < 0 || connect(attempt.descriptor, target->ai_addr, target->ai_addrlen) != 0)
    attempt.error = errno;
  freeaddrinfo(target);
}

void Reachability::look_at(Attempt& attempt, Nanoseconds time) const {
  pollfd entry{attempt.descriptor, POLLOUT, 0};
  if (poll(&entry, 1, 0) > 0) {
    socklen_t size = sizeof attempt.error;
    getsockopt(attempt.descriptor, SOL_SOCKET, SO_ERROR, &attempt.error, &size);
  } else if (time >= limit_) {
    attempt.error = ETIMEDOUT;
  }
}

Reachability::Answer Reachability::look(Nanoseconds time) {
  bool pending = false;
  for (Attempt& attempt : attempts_) {
    if (attempt.error == EINPROGRESS) look_at(attempt, time);
    if (attempt.error == 0) return Answer::reachable;
    if (attempt.error == EINPROGRESS)
      pending = true;
    else
      hang_up(attempt.descriptor);
  }
  return pending ? Answer::pending : Answer::unreachable;
}

std::string Reachability::reasons() const {
  std::string out;
  for (const Attempt& attempt : attempts_)
    out += (out.empty() ? "" : "; ") + attempt.address + ": " + strerror(attempt.error);
  return out;
}

}  // namespace cow::transport
