#include "launcher/tree/host_keepalive.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/siphash.hpp"
#include "launcher/core/wire.hpp"

namespace cow::launch {
namespace {

using std::string;

constexpr std::string_view magic = "COWLIFE\x01";
constexpr std::size_t nonce_size = 16, seal_size = 16;
constexpr std::size_t hello_size = 8 + 4 + nonce_size;
constexpr Duration patience = 5s;  // with whoever has not proven anything yet
constexpr int most_tries = 10;
constexpr std::size_t most_guests = 8192;  // connections, strangers' among them

string make_nonce() {
  string out(nonce_size, '\0');
  if (getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) out.clear();
  return out;
}

bool equal(const string& a, const string& b) {
  unsigned char difference = a.size() != b.size();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

void set(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

// The kernel asks the other one after a quarter of the time without a sign of life, and gives up when it is over.
void watch_for_silence(int fd, milliseconds timeout) {
  const int quarter = std::max(1, static_cast<int>(timeout / 4s));
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, quarter);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, quarter);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, 100);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(timeout.count()));
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

// Small and first on a connection, so it fits or something is wrong.
bool send_all(int fd, const string& bytes) {
  return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// Reads what is there. False: the connection is at its end, for the reason in errno (0: closed by the other side).
bool receive(int fd, string& into) {
  char buffer[256];
  const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got > 0) into.append(buffer, static_cast<std::size_t>(got));
  if (got == 0) errno = 0;
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

std::vector<string> own_addresses() {
  std::vector<string> out;
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return out;
  for (const ifaddrs* entry = all; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP) || (entry->ifa_flags & IFF_LOOPBACK)) continue;
    char text[INET6_ADDRSTRLEN] = "";
    if (entry->ifa_addr->sa_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr, text, sizeof text);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
      if (!IN6_IS_ADDR_LINKLOCAL(&address)) inet_ntop(AF_INET6, &address, text, sizeof text);
    }
    if (*text) out.emplace_back(text);
  }
  freeifaddrs(all);
  return out;
}

}  // namespace

string keepalive_seal(const string& key, const char* word, std::uint32_t node, const string& agent_nonce,
                      const string& parent_nonce) {
  const string text = Writer().text(word).u32(node).text(agent_nonce).text(parent_nonce).bytes();
  Writer out;
  for (const std::size_t half : {std::size_t{0}, std::size_t{16}}) {
    SipKey part;
    memcpy(&part, key.data() + half, sizeof part);
    out.u64(siphash(part, text.data(), text.size()));
  }
  return out.bytes();
}

// ---- the parent's end

KeepaliveServer::KeepaliveServer(Loop& loop, string key, milliseconds timeout, OnReady on_ready, OnLost on_lost)
    : loop_(loop), key_(std::move(key)), timeout_(timeout), on_ready_(std::move(on_ready)),
      on_lost_(std::move(on_lost)) {}

KeepaliveServer::~KeepaliveServer() {
  while (!guests_.empty()) drop(guests_.begin()->first);
  if (listener_ >= 0) loop_.forget(listener_), close(listener_);
}

KeepalivePlan KeepaliveServer::open() {
  KeepalivePlan out{own_addresses(), 0, timeout_};
  if (out.addresses.empty()) return out;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  listener_ = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ >= 0) {
    set(listener_, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) close(std::exchange(listener_, -1));
  }
  if (listener_ < 0) {  // a kernel without IPv6
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&any4), sizeof any4) != 0) return out;
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (listen(listener_, 1024) != 0 || getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return out;
  out.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                               : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  loop_.watch(listener_, POLLIN, [this](short) { accept_one(); });
  return out;
}

void KeepaliveServer::accept_one() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (guests_.size() >= most_guests) {
    close(fd);
    return;
  }
  guests_[fd];
  loop_.watch(fd, POLLIN, [this, fd](short) { on_readable(fd); });
  const std::uint64_t number = ++last_guest_;
  guests_[fd].number = number;
  loop_.after(patience, [this, fd, number] {
    const auto guest = guests_.find(fd);
    if (guest != guests_.end() && guest->second.number == number && !guest->second.proven) drop(fd);
  });
}

void KeepaliveServer::on_readable(int fd) {
  Guest& guest = guests_.at(fd);
  if (!receive(fd, guest.received)) {
    const int error = errno;
    const bool proven = guest.proven;
    const std::uint32_t node = guest.node;
    drop(fd);
    if (proven) on_lost_(node, error != 0 && error != ECONNRESET && error != EPIPE);
    return;
  }
  if (guest.proven) return guest.received.clear();  // nothing is to be said here
  if (guest.expected.empty()) return greet(fd, guest);
  if (guest.received.size() < seal_size) return;
  if (!equal(guest.received, guest.expected)) return drop(fd);
  guest.proven = true;
  guest.received.clear();
  watch_for_silence(fd, timeout_);
  if (!send_all(fd, string(1, '\0'))) return drop(fd);
  on_ready_(guest.node);
}

void KeepaliveServer::greet(int fd, Guest& guest) {
  const string& hello = guest.received;
  const std::size_t known = std::min(hello.size(), magic.size());
  if (hello.compare(0, known, magic, 0, known) != 0 || hello.size() > hello_size) return drop(fd);
  if (hello.size() < hello_size) return;
  guest.node = Reader(std::string_view(hello).substr(magic.size(), 4)).u32();
  const string theirs = hello.substr(magic.size() + 4), mine = make_nonce();
  if (mine.empty()) return drop(fd);
  guest.expected = keepalive_seal(key_, "agent", guest.node, theirs, mine);
  guest.received.clear();
  if (!send_all(fd, mine + keepalive_seal(key_, "parent", guest.node, theirs, mine))) drop(fd);
}

void KeepaliveServer::drop(int fd) {
  loop_.forget(fd);
  close(fd);
  guests_.erase(fd);
}

// ---- an agent's end

Keepalive::Keepalive(Loop& loop, string key, std::uint32_t node, std::function<void()> on_lost)
    : loop_(loop), key_(std::move(key)), node_(node), on_lost_(std::move(on_lost)) {}

Keepalive::~Keepalive() {
  tries_ = most_tries;
  while (!attempts_.empty()) drop(attempts_.begin()->first);
  if (retry_) loop_.cancel(retry_);
}

void Keepalive::connect(const KeepalivePlan& plan) {
  plan_ = plan;
  if (plan.port == 0) return;
  for (const string& address : plan.addresses) try_address(address, plan);
}

// After the last attempt has failed: the parent may have been too slow, or this agent.
void Keepalive::connect_again() {
  if (!attempts_.empty() || retry_ || ++tries_ > most_tries) return;
  retry_ = loop_.after(1s, [this] {
    retry_ = 0;
    connect(plan_);
  });
}

void Keepalive::try_address(const string& address, const KeepalivePlan& plan) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(plan.port);
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) != 1) return;
  const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  watch_for_silence(fd, plan.timeout);
  const auto* to = is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const string nonce = make_nonce();
  if (nonce.empty() || (::connect(fd, to, is_v4 ? sizeof v4 : sizeof v6) != 0 && errno != EINPROGRESS)) {
    close(fd);
    return;
  }
  attempts_[fd] = {nonce, {}, false, false};
  loop_.watch(fd, POLLOUT, [this, fd](short) { on_event(fd); });
}

void Keepalive::on_event(int fd) {
  Attempt& attempt = attempts_.at(fd);
  if (!attempt.connected) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return drop(fd);
    attempt.connected = true;
    loop_.set_events(fd, POLLIN);
    if (!send_all(fd, string(magic) + Writer().u32(node_).bytes() + attempt.nonce)) drop(fd);
    return;
  }
  if (!receive(fd, attempt.received)) {
    const bool lost = chosen_ == fd && counts_;
    drop(fd);
    if (lost) on_lost_();
    return;
  }
  if (attempt.sealed) {
    counts_ = true;
    return attempt.received.clear();
  }
  if (attempt.received.size() < nonce_size + seal_size) return;
  // Some other program, or another job, at an address that this host has as well.
  const string theirs = attempt.received.substr(0, nonce_size);
  if (chosen_ >= 0 || attempt.received.size() > nonce_size + seal_size ||
      !equal(attempt.received.substr(nonce_size), keepalive_seal(key_, "parent", node_, attempt.nonce, theirs)) ||
      !send_all(fd, keepalive_seal(key_, "agent", node_, attempt.nonce, theirs))) {
    return drop(fd);
  }
  attempt.received.clear();
  attempt.sealed = true;
  chosen_ = fd;
}

void Keepalive::drop(int fd) {
  loop_.forget(fd);
  close(fd);
  attempts_.erase(fd);
  if (chosen_ == fd) chosen_ = -1;
  connect_again();
}

}  // namespace cow::launch
