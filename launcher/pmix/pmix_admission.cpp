#include "launcher/pmix/pmix_admission.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fstream>
#include <mutex>
#include <string_view>

#include "launcher/pmix/first_words.hpp"

namespace cow::launch {
namespace {

constexpr Duration patience = 5s;
constexpr std::size_t most_strangers = 256;  // that may wait beyond one for each rank

// Those that have passed, on their way to PMIx's thread.
std::mutex passed_mutex;
std::deque<int> passed;

int next_passed() {
  const std::lock_guard lock(passed_mutex);
  if (passed.empty()) return -1;
  const int out = passed.front();
  passed.pop_front();
  return out;
}

constexpr std::uint32_t unknown_user = ~0u;

// The user of the process at the other end, by asking the kernel for exactly that socket.
std::uint32_t ask_kernel(const sockaddr_in& other, const sockaddr_in& own) {
  struct {
    nlmsghdr head;
    inet_diag_req_v2 body;
  } question = {};
  question.head = {sizeof question, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 0, 0};
  question.body.sdiag_family = AF_INET;
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = ~0u;
  inet_diag_sockid& id = question.body.id;
  id.idiag_sport = other.sin_port;
  id.idiag_dport = own.sin_port;
  id.idiag_src[0] = other.sin_addr.s_addr;
  id.idiag_dst[0] = own.sin_addr.s_addr;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return unknown_user;
  std::uint32_t out = unknown_user;
  alignas(nlmsghdr) char answer[4096];
  if (send(fd, &question, sizeof question, 0) == static_cast<ssize_t>(sizeof question)) {
    const ssize_t size = recv(fd, answer, sizeof answer, 0);
    const auto* head = reinterpret_cast<const nlmsghdr*>(answer);
    if (size >= static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg))) && head->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
      out = static_cast<const inet_diag_msg*>(NLMSG_DATA(head))->idiag_uid;
    }
  }
  close(fd);
  return out;
}

// The same, from the list of all connections, where the kernel does not answer questions.
std::uint32_t look_up(const sockaddr_in& other, const sockaddr_in& own) {
  char wanted[64];
  snprintf(wanted, sizeof wanted, "%08X:%04X %08X:%04X", other.sin_addr.s_addr, ntohs(other.sin_port),
           own.sin_addr.s_addr, ntohs(own.sin_port));
  std::ifstream file("/proc/net/tcp");
  for (std::string line; std::getline(file, line);) {
    const std::size_t found = line.find(wanted);
    unsigned user;
    // "… 01 00000000:00000000 00:00000000 00000000  1000 …": the user is the fifth word behind.
    if (found != std::string::npos &&
        sscanf(line.c_str() + found + strlen(wanted), " %*s %*s %*s %*s %u", &user) == 1) {
      return user;
    }
  }
  return unknown_user;
}

bool is_of_this_user(int fd) {
  sockaddr_in other{}, own{};
  socklen_t size = sizeof other, own_size = sizeof own;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&other), &size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0 || other.sin_family != AF_INET) {
    return false;
  }
  std::uint32_t user = ask_kernel(other, own);
  if (user == unknown_user) user = look_up(other, own);
  return user == getuid() || user == geteuid() || user == 0;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

// PMIx calls accept() when its listener has something new: a connection that says nothing.
void knock(std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  (void)!connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  close(fd);
}

}  // namespace

PmixAdmission::~PmixAdmission() {
  while (!guests_.empty()) turn_away(guests_.begin()->first);
  if (listener_ < 0) return;
  loop_.forget(listener_);
  close(listener_);
}

std::string PmixAdmission::open(const std::string& job_name, std::size_t ranks) {
  job_name_ = job_name;
  most_waiting_ = ranks + most_strangers;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 || getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::string("no port for PMIx on 127.0.0.1: ") + strerror(errno);
  port_ = ntohs(address.sin_port);
  loop_.watch(listener_, POLLIN, [this](short) { take_in(); });
  return {};
}

void PmixAdmission::take_in() {
  int fd;
  while ((fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
    if (!is_of_this_user(fd)) {
      close(fd);
      continue;
    }
    if (guests_.size() >= most_waiting_) {  // the oldest has had most time
      turn_away(std::min_element(guests_.begin(), guests_.end(), [](auto& a, auto& b) {
                  return a.second < b.second;
                })->first);
    }
    guests_[fd] = loop_.after(patience, [this, fd] {
      guests_[fd] = 0;
      turn_away(fd);
    });
    loop_.watch(fd, POLLIN, [this, fd](short) { look_at(fd); });
  }
}

void PmixAdmission::turn_away(int guest) {
  if (const std::uint64_t timer = guests_[guest]) loop_.cancel(timer);
  guests_.erase(guest);
  loop_.forget(guest);
  close(guest);
}

void PmixAdmission::look_at(int guest) {
  char bytes[longest_first_words];
  const ssize_t got = recv(guest, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return turn_away(guest);
  const std::string_view text(bytes, static_cast<std::size_t>(got));
  switch (judge_first_words(text, job_name_)) {
    case FirstWords::nonsense: return turn_away(guest);
    case FirstWords::complete: return pass(guest);
    case FirstWords::incomplete: break;
  }
  // What has come stays in the socket, so only the rest is worth a call. At the end of the stream poll() tells all the same.
  const auto wanted = static_cast<int>(first_words_size(text));
  int before = 0;
  socklen_t size = sizeof before;
  getsockopt(guest, SOL_SOCKET, SO_RCVLOWAT, &before, &size);
  if (before >= wanted || setsockopt(guest, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted) != 0) turn_away(guest);
}

void PmixAdmission::pass(int guest) {
  const std::uint16_t port = pmix_port_();
  if (port == 0) return turn_away(guest);
  loop_.cancel(guests_[guest]);
  guests_.erase(guest);
  loop_.forget(guest);
  const int one = 1;
  setsockopt(guest, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
  {
    const std::lock_guard lock(passed_mutex);
    passed.push_back(guest);
  }
  knock(port);
}

}  // namespace cow::launch

// Only PMIx calls it in this program, in the one thread that it listens in: the launcher itself uses accept4().
extern "C" __attribute__((visibility("default"))) int accept(int listener, sockaddr* address, socklen_t* size) {
  while (true) {
    const int knocked = static_cast<int>(syscall(SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (knocked >= 0) close(knocked);
    if (const int out = cow::launch::next_passed(); out >= 0) {
      if (address) getpeername(out, address, size);
      return out;
    }
    if (knocked >= 0 || errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) return -1;
    pollfd polled{listener, POLLIN, 0};
    poll(&polled, 1, -1);
  }
}
