#include "transport/ofi/wait.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <vector>

namespace cow::transport::ofi {
namespace {

// What an epoll set watches.
std::vector<int> members_of(int epoll_fd) {
  std::vector<int> members;
  std::FILE* file = std::fopen(("/proc/self/fdinfo/" + std::to_string(epoll_fd)).c_str(), "re");
  if (!file) return members;
  char line[256];
  for (int fd = -1; std::fgets(line, sizeof line, file);)
    if (std::sscanf(line, "tfd: %d", &fd) == 1) members.push_back(fd);
  std::fclose(file);
  return members;
}

// libfabric's signals are pairs of Unix sockets.
bool is_signal(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

}  // namespace

void drop_signal(int wait_fd) {
  const std::vector<int> members = members_of(wait_fd);
  if (members.size() != 2 || is_signal(members[0]) == is_signal(members[1])) return;
  epoll_ctl(wait_fd, EPOLL_CTL_DEL, is_signal(members[0]) ? members[0] : members[1], nullptr);
}

}  // namespace cow::transport::ofi
