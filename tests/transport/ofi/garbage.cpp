#include "transport/ofi/garbage.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace cow::test {

sockaddr_in address_in(const std::string& published) {
  const std::string last = published.substr(published.rfind(' ') + 1);
  sockaddr_in out = {};
  out.sin_family = AF_INET;
  out.sin_port = htons(static_cast<std::uint16_t>(std::stoi(last.substr(last.find(':') + 1))));
  inet_pton(AF_INET, last.substr(0, last.find(':')).c_str(), &out.sin_addr);
  return out;
}

void throw_garbage(const sockaddr_in& target, std::minstd_rand& random, bool datagrams) {
  const int fd = socket(AF_INET, (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  connect(fd, reinterpret_cast<const sockaddr*>(&target), sizeof target);
  pollfd waited = {fd, POLLOUT, 0};
  poll(&waited, 1, 100);
  std::vector<unsigned char> bytes(random() % (datagrams ? 1400 : 3000) + 1);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random() >> 8);
  if (random() % 3 == 0) memset(bytes.data(), 0, std::min<std::size_t>(bytes.size(), 64));
  if (random() % 3 == 0) bytes[0] = static_cast<unsigned char>(random() % 8);
  (void)!send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (random() % 2 == 0) shutdown(fd, SHUT_WR);
  close(fd);
}

}  // namespace cow::test
