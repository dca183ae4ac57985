#include "launcher/gate.hpp"

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
#include <fstream>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "launcher/greeting.hpp"

namespace cow::launch {
namespace {

constexpr Nanoseconds patience = 5 * second;
constexpr std::size_t most_waiting = 256;

std::mutex name_mutex;
std::string name_of_job;  // empty: the gate is shut

std::string job_name() {
  const std::lock_guard lock(name_mutex);
  return name_of_job;
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
  snprintf(wanted, sizeof wanted, "%08X:%04X %08X:%04X", other.sin_addr.s_addr, ntohs(other.sin_port), own.sin_addr.s_addr,
           ntohs(own.sin_port));
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

class Gate {
 public:
  // The next connection that may enter, or -1 and errno. Runs in the only thread that PMIx listens in.
  int admit(int listener, sockaddr* address, socklen_t* size) {
    while (true) {
      std::vector<pollfd> polled{{listener, POLLIN, 0}};
      for (const Guest& guest : guests_) polled.push_back({guest.fd, static_cast<short>(guest.silent ? POLLIN : 0), 0});
      if (poll(polled.data(), polled.size(), guests_.empty() ? -1 : poll_time) < 0 && errno != EINTR) return -1;
      for (std::size_t i = guests_.size(); i-- > 0;) {
        const Greeting greeting = look_at(guests_[i]);
        if (greeting == Greeting::incomplete) continue;
        const int fd = guests_[i].fd;
        guests_.erase(guests_.begin() + static_cast<std::ptrdiff_t>(i));
        if (greeting == Greeting::complete && (!address || getpeername(fd, address, size) == 0)) {
          if (!guests_.empty()) knock(listener);
          return fd;
        }
        close(fd);
      }
      if (polled[0].revents == 0) continue;
      const int fd = static_cast<int>(syscall(SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (fd < 0 && errno != ECONNABORTED && errno != EINTR && errno != EAGAIN) return -1;
      if (fd >= 0) take_in(fd);
    }
  }

 private:
  struct Guest {
    int fd;
    Nanoseconds until;
    bool silent = true;  // nothing has come yet: poll() can tell when something does, but not when more does
  };
  static constexpr int poll_time = 20;  // ms

  // PMIx asks for the next connection when its listener has something new, and not for those that wait in here; so
  // there is something new: a connection of our own that says nothing.
  static void knock(int listener) {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    if (getsockname(listener, reinterpret_cast<sockaddr*>(&own), &size) == 0) {
      (void)!connect(fd, reinterpret_cast<const sockaddr*>(&own), size);
    }
    close(fd);
  }

  void take_in(int fd) {
    if (!is_of_this_user(fd)) {
      close(fd);
      return;
    }
    if (guests_.size() >= most_waiting) {  // the oldest has had most time
      close(guests_.front().fd);
      guests_.erase(guests_.begin());
    }
    guests_.push_back({fd, now() + patience});
  }

  Greeting look_at(Guest& guest) {
    char bytes[longest_greeting];
    const ssize_t got = recv(guest.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Greeting::nonsense;
    if (got > 0) guest.silent = false;
    const Greeting out = got > 0 ? judge_greeting({bytes, static_cast<std::size_t>(got)}, job_name()) : Greeting::incomplete;
    return out == Greeting::incomplete && now() >= guest.until ? Greeting::nonsense : out;
  }

  std::vector<Guest> guests_;
};

}  // namespace

void open_gate(const std::string& job_name) {
  const std::lock_guard lock(name_mutex);
  name_of_job = job_name;
}

}  // namespace cow::launch

// Only PMIx calls it in this program: the launcher itself uses accept4().
extern "C" __attribute__((visibility("default"))) int accept(int listener, sockaddr* address, socklen_t* size) {
  static cow::launch::Gate gate;
  return gate.admit(listener, address, size);
}
